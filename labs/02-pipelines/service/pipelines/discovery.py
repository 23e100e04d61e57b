"""The discovery page of the data products: who owns what, who reads it, and what is promised, made from definitions.

GET /products of the conductor    the page
python -m pipelines.discovery     the same, written to standard output
"""

import html
import sys
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from contracts.topics import EVENTS
from contracts.views import Definitions, View
from contracts.views_flights import DEFINITIONS
from pipelines.products import Product, products, readers
from runtime.web import Answer, Page

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Data products",
        "lead": "Made from the definitions of features: who owns what, who reads it, and what is promised. "
        "Descriptions are those of the definitions.",
        "owner": "owner",
        "version": "version",
        "freshness": "not older than",
        "events": "made from",
        "consumers": "read by",
        "nobody": "nobody",
        "feature": "feature",
        "type": "type",
        "meaning": "meaning",
        "keys": "keys",
        "ttl": "valid for",
        "hours": "h",
    },
    "fr": {
        "title": "Produits de données",
        "lead": "Faits à partir des définitions des features : qui possède quoi, qui le lit, et ce qui est promis. "
        "Les descriptions sont celles des définitions, en anglais.",
        "owner": "propriétaire",
        "version": "version",
        "freshness": "pas plus vieux que",
        "events": "fait à partir de",
        "consumers": "lu par",
        "nobody": "personne",
        "feature": "feature",
        "type": "type",
        "meaning": "sens",
        "keys": "clés",
        "ttl": "valable pendant",
        "hours": "h",
    },
}
_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:auto;padding:1rem}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.2rem .5rem;border-bottom:1px solid #bbb}"
    "dt{font-weight:bold}section{margin-bottom:3rem}"
)


def told(path: tuple[str, ...]) -> Answer:
    """`/products`: the page."""
    if path:
        return HTTPStatus.NOT_FOUND, {"error": f"no such path: /products/{'/'.join(path)}", "paths": ["/products"]}
    return HTTPStatus.OK, Page(page())


def page(definitions: Definitions = DEFINITIONS) -> str:
    """All products, in English and in French, in one file that needs nothing else."""
    links = "".join(f'<a href="#{language}" lang="{language}">{_WORDS[language]["title"]}</a> ' for language in _WORDS)
    body = "".join(_section(language, definitions) for language in _WORDS)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Data products / Produits de données</title><style>{_STYLE}</style><nav>{links}</nav>{body}</html>\n"
    )


def _section(language: str, definitions: Definitions) -> str:
    words = _WORDS[language]
    told = "".join(_article(each, words, definitions) for each in products(definitions).values())
    return f'<section id="{language}" lang="{language}"><h1>{words["title"]}</h1><p>{words["lead"]}</p>{told}</section>'


def _article(product: Product, words: Mapping[str, str], definitions: Definitions) -> str:
    facts = {
        "owner": _text(product.owner),
        "version": str(product.version),
        "freshness": f"{product.freshness_seconds / 3600:g} {words['hours']}",
        "events": "<br>".join(f"{_text(topic)} ({_text(_fields(topic))})" for topic in product.topics),
        "consumers": _names(product.consumers, words),
    }
    listed = "".join(f"<dt>{words[name]}<dd>{value}" for name, value in facts.items())
    views = "".join(_table(view, words, definitions) for view in product.views)
    return f"<article><h2>{_text(product.name)}</h2><dl>{listed}</dl>{views}</article>"


def _table(view: View, words: Mapping[str, str], definitions: Definitions) -> str:
    head = "".join(f"<th>{words[name]}" for name in ("feature", "type", "meaning", "consumers"))
    rows = "".join(
        f'<tr><td>{_text(each.name)}<td>{_text(each.kind)}<td lang="en">{_text(each.description)}'
        f"<td>{_names(readers(f'{view.name}:{each.name}', definitions), words)}"
        for each in view.features
    )
    about = (
        f'<span lang="en">{_text(view.description)}</span>; {words["keys"]}: {_text(", ".join(view.entities))}; '
        f"{words['ttl']} {view.ttl / 3600:g} {words['hours']}"
    )
    return f"<h3>{_text(view.name)}</h3><p>{about}</p><table><tr>{head}{rows}</table>"


def _names(names: Iterable[str], words: Mapping[str, str]) -> str:
    return _text(", ".join(names)) or words["nobody"]


def _fields(topic: str) -> str:
    return ", ".join(EVENTS[topic].__struct_fields__)


def _text(value: str) -> str:
    return html.escape(value)


if __name__ == "__main__":
    sys.stdout.write(page())
