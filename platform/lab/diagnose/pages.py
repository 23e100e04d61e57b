"""The pages docs/causes.md and docs/causes.fr.md, made of the causes' own texts: `python -m lab.diagnose.pages`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lab.diagnose.causes import CHAIN, PODS, Cause
from lab.text import Language, Text

FILES: dict[Language, str] = {"en": "docs/causes.md", "fr": "docs/causes.fr.md"}
_HEAD = Text(
    en="""# Causes

*[Lire en français](causes.fr.md)*

What `lab doctor --deep` and every time-out may name as the one root cause. They walk the chain over the lab's recorded
state, from the cluster to the lab's own pods; the first link that is broken explains what lies downstream of it. This
page is made of the causes' own texts by `python -m lab.diagnose.pages`. `NN` is the lab's number; `lab` fills in the
other words in capitals when it names a cause.
""",
    fr="""# Causes

*[Read in English](causes.md)*

Ce que `lab doctor --deep` et chaque attente échouée peuvent nommer comme la cause première. Ils parcourent la chaîne
sur l'état enregistré du lab, du cluster aux pods du lab ; le premier maillon cassé explique ce qui est en aval. Cette
page est faite des textes des causes par `python -m lab.diagnose.pages`. `NN` est le numéro du lab ; `lab` remplit les
autres mots en capitales quand il nomme une cause.
""",
)
_PODS = Text(en="The pods of any component", fr="Les pods de tout composant")
_LINK = Text(en="Link: {name}", fr="Maillon : {name}")
_HAND = Text(en="By hand:", fr="À la main :")
_MEND = Text(en="Mend it:", fr="Y remédier :")
_OPEN = {"lab": "NN", "namespace": "NAMESPACE", "kind": "KIND", "name": "NAME"}


def page(language: Language) -> str:
    """Return the page in a language."""
    parts = [_HEAD.in_(language)]
    for heading, causes in _chapters():
        parts.append(f"## {heading.in_(language)}\n")
        parts += [_section(cause, language) for cause in causes]
    return "\n".join(parts)


def write(root: Path) -> None:
    """Write both pages of a checkout."""
    for language, name in FILES.items():
        (root / name).write_text(page(language), "utf-8")


def _chapters() -> Iterator[tuple[Text, list[Cause]]]:
    """Go through the chain: each link with what only it has, then what the pods of any of them have."""
    told = set(PODS)
    for link in CHAIN:
        own = [cause for cause in link.causes if cause not in told]
        told.update(own)
        if own:
            heading = Text(en=_LINK.en.format(name=link.name), fr=_LINK.fr.format(name=link.name))
            yield heading, own
    yield _PODS, list(PODS)


def _section(cause: Cause, language: Language) -> str:
    look, mend = (words.format(**_OPEN) for words in (cause.look, cause.mend))
    return (
        f"### {cause.code}\n\n**{cause.title.in_(language)[0].upper()}{cause.title.in_(language)[1:]}.** "
        f"{cause.means.in_(language)}\n\n{_HAND.in_(language)}\n\n```bash\n{look}\n```\n\n"
        f"{_MEND.in_(language)}\n\n```bash\n{mend}\n```\n"
    )


if __name__ == "__main__":
    write(Path(__file__).resolve().parents[3])
