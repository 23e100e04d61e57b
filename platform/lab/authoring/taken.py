"""What the labs took on the tests' cluster, as docs/quality.md and each lab's guides show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.budget import FIGURES, NAMES, UNITS, ways
from lab.text import Language, Text

BEGIN, END = "<!-- lab docs figures -->", "<!-- end -->"
"""Lines of a guide between which its figures are written."""
GUIDES: dict[Language, str] = {"en": "guide.md", "fr": "guide.fr.md"}
_BETWEEN = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)
_TOLD = Text(
    en="Declared in each lab's `lab.yaml`, measured by `lab budget` on {cores} cores when the lab came up, predicted"
    " beforehand as `lab doctor` does. Memory, disk and images are predicted as declared.",
    fr="Déclarés dans le `lab.yaml` de chaque lab, mesurés par `lab budget` sur {cores} cœurs quand le lab est venu,"
    " prédits avant comme le fait `lab doctor`. Mémoire, disque et images sont prédits tels que déclarés.",
)
_HEAD = Text(
    en="| lab | figure | declared | predicted | measured | how it came |\n|---|---|---|---|---|---|",
    fr="| lab | chiffre | déclaré | prédit | mesuré | d'où il venait |\n|---|---|---|---|---|---|",
)
_GUIDE = Text(
    en="What it took on {cores} cores, cluster included ({way}); `lab budget {lab}` says what it takes on yours:",
    fr="Ce qu'il a pris sur {cores} cœurs, cluster compris ({way}) ; `lab budget {lab}` dit ce qu'il prend chez vous :",
)
_GUIDE_HEAD = Text(
    en="| figure | measured | allowed |\n|---|---|---|", fr="| chiffre | mesuré | permis |\n|---|---|---|"
)
_NOT_MEASURED = Text(en="not measured", fr="pas mesuré")

Record = Mapping[str, Mapping[str, Any]]
"""Lab -> what `lab budget --output json` said of it."""


def section(record: Record, language: Language) -> Iterator[str]:
    """Return the page's section."""
    cores = next(iter(record.values()))["cores"]
    yield _TOLD.in_(language).format(cores=cores)
    yield ""
    yield _HEAD.in_(language)
    for code, told in sorted(record.items()):
        for name in FIGURES:
            yield _row(code, name, told["figures"][name], language)


def guides(root: Path, record: Record | None) -> dict[Path, str]:
    """Return each guide that shows figures, with those of a record; a lab that was not measured keeps its own.

    Args:
        root: the checkout.
        record: what was measured; None where nothing was.

    """
    found = {}
    for code, told in (record or {}).items():
        for language, name in GUIDES.items():
            for file in (root / "labs").glob(f"{code}-*/{name}"):
                found[file] = _filled(file.read_text("utf-8"), "\n".join(_shown(code, told, language)))
    return found


def _filled(guide: str, figures: str) -> str:
    return _BETWEEN.sub(lambda _: f"\n{figures}\n\n", guide)


def _shown(code: str, told: Mapping[str, Any], language: Language) -> Iterator[str]:
    came = [each["way"] for each in told["figures"].values() if each["way"]]
    way = ways(came[0]).in_(language) if came else _NOT_MEASURED.in_(language)
    yield _GUIDE.in_(language).format(cores=told["cores"], lab=code, way=way)
    yield ""
    yield _GUIDE_HEAD.in_(language)
    for name in FIGURES:
        each = told["figures"][name]
        measured, declared = (_figure(name, each[part], language) for part in ("measured", "declared"))
        yield f"| {NAMES[name].in_(language)} | {measured} | {declared} |"


def _row(code: str, name: str, told: Mapping[str, Any], language: Language) -> str:
    declared, predicted, measured = (
        _figure(name, told[part], language) for part in ("declared", "predicted", "measured")
    )
    way = ways(told["way"]).in_(language) if told["way"] else ""
    return f"| {code} | {NAMES[name].in_(language)} | {declared} | {predicted} | {measured} | {way} |"


def _figure(name: str, value: float | None, language: Language) -> str:
    return _NOT_MEASURED.in_(language) if value is None else f"{value:.0f} {UNITS[name].in_(language)}"
