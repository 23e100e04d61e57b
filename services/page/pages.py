"""The pages as a whole: the first one, and one for each trace."""

import datetime as dt
from collections.abc import Sequence
from html import escape

from page import sections
from page.document import Renewal, document
from page.errors import Away
from page.figures import Figures
from page.jaeger import Span, Trace
from page.prometheus import Course
from page.settings import PageSettings
from page.words import Language, Words, number

TITLE = Words("Tarmac: the served models", "Tarmac : les modèles servis")
_AT = Words("Figures of {at} UTC.", "Chiffres de {at} UTC.")
_TRACE = Words("Trace {identity}", "Trace {identity}")
_BACK = Words("Back to the figures", "Retour aux chiffres")
_IN_JAEGER = Words("The same in Jaeger", "La même dans Jaeger")
_GONE = Words(
    "Jaeger has no trace of this identifier, or no longer: it keeps the latest in memory.",
    "Jaeger n'a pas de trace de cet identifiant, ou plus : il garde les dernières en mémoire.",
)
_NO_TRACES = Words("The trace cannot be shown: Jaeger does not answer.", "Trace indisponible : Jaeger ne répond pas.")
_COLUMNS = Words("step|service|after, ms|took, ms|in the whole", "pas|service|après, ms|durée, ms|dans l'ensemble")
_CAPTION = Words(
    "Each step below the one that it belongs to; together {seconds} ms.",
    "Chaque pas sous celui auquel il appartient ; ensemble {seconds} ms.",
)
_FAILED = Words("failed", "en échec")


def first(  # noqa: PLR0913  everything that one page shows
    figures: Figures,
    over_time: dict[str, list[Course]] | Away,
    traces: Sequence[Trace] | Away,
    settings: PageSettings,
    language: Language,
    *,
    renewed: bool,
) -> str:
    """The page with every figure; `renewed`: a browser asks for it again by itself."""
    base = settings.prometheus_link
    at = dt.datetime.fromtimestamp(figures.at, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    parts = [f'<p class="soft">{_AT.of(language).format(at=at)}</p>']
    if figures.away is not None:
        parts.append(sections.away(figures.away, language))
    else:
        parts += [
            sections.models(figures, base, language),
            sections.gateway(figures, base, language),
            sections.release(figures, base, language),
            sections.over_time(over_time, figures.at, base, language),
            sections.alerts(figures, base, language),
        ]
    parts.append(sections.latest(traces, settings.traced, settings.jaeger_link, language))
    renewal = Renewal(renewed, settings.renew_seconds)
    path = "" if renewed else "/still"
    return document(TITLE.of(language), "\n".join(parts), language, path=path, renewal=renewal)


def traced(identity: str, found: Trace | Away | None, settings: PageSettings, language: Language) -> str:
    """The page of one trace."""
    title, path = _TRACE.of(language).format(identity=identity), f"/trace/{identity}"
    back = f'<p><a href="/{language}">{_BACK.of(language)}</a></p>'
    if isinstance(found, Away):
        return document(title, sections.away(found, language, _NO_TRACES) + back, language, path=path)
    if found is None:
        return document(title, f"<p>{_GONE.of(language)}</p>{back}", language, path=path)
    columns = "".join(f'<th scope="col">{each}</th>' for each in _COLUMNS.of(language).split("|"))
    rows = "".join(_step(each, found.seconds, language) for each in found.spans)
    caption = _CAPTION.of(language).format(seconds=number(found.seconds * 1000, language))
    table = (
        f'<div class="wide" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    there = f'<p><a href="{escape(settings.jaeger_link)}{path}">{_IN_JAEGER.of(language)}</a></p>'
    return document(title, table + there + back, language, path=path)


def _step(span: Span, whole: float, language: Language) -> str:
    share = 100 / whole if whole else 0.0
    left, width = span.begin * share, max(span.seconds * share, 0.5)
    name = escape(span.operation) + (f" ({_FAILED.of(language)})" if span.failed else "")
    return (
        f'<tr><th scope="row" style="padding-left: {span.depth * 1.25:g}rem">{name}</th>'
        f'<td>{escape(span.service)}</td><td class="n">{number(span.begin * 1000, language)}</td>'
        f'<td class="n">{number(span.seconds * 1000, language)}</td><td class="bar" aria-hidden="true">'
        f'<span class="step" style="margin-left: {left:.1f}%; width: {width:.1f}%"></span></td></tr>'
    )
