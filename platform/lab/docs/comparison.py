"""Printed output against the output that a guide shows."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.docs.wildcards import REST, fits
from lab.text import Language, Text

_END = Text(en="(the end)", fr="(la fin)")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first line that differs.

    Attributes:
        place: of the line among those shown, from 0; their number when more was printed than is shown.
        shown: the line in the guide; None: the guide ends here.
        printed: what came instead; None: nothing more came.

    """

    place: int
    shown: str | None
    printed: str | None

    @property
    def told(self) -> Text:
        """Return what was expected and what came."""
        return Text(
            en=f"shown:   {self.shown or _END.en}\n  printed: {self.printed or _END.en}",
            fr=f"montré :  {self.shown or _END.fr}\n  imprimé : {self.printed or _END.fr}",
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """Shown lines that follow one another: (place, line); whether lines may be left out before them."""

    lines: tuple[tuple[int, str], ...]
    floats: bool


def difference(shown: Sequence[str], printed: Sequence[str], language: Language) -> Difference | None:
    """Return the first difference; None where the output is what the guide shows.

    Empty lines do not count, nor does how many blanks stand between words.

    Args:
        shown: lines of the guide, with wildcards.
        printed: lines that came.
        language: of the guide, and thus of its wildcards.

    """
    came = [line.strip() for line in printed if line.strip()]
    at = 0
    *before, last = _runs(shown)
    for run in before:
        place = _find(run, came, at, language)
        if place is None:
            return _nearest(run, came, at, language)
        at = place + len(run.lines)
    place = max(at, len(came) - len(last.lines)) if last.floats else at
    if not _stands(last, came, place, language):
        return _nearest(last, came, at, language)
    at = place + len(last.lines)
    return None if at >= len(came) else Difference(len(shown), None, came[at])


def _runs(shown: Sequence[str]) -> Iterator[_Run]:
    """Cut what is shown where lines are left out; where they are at the end, the last run is empty."""
    lines: list[tuple[int, str]] = []
    floats = False
    for place, line in enumerate(shown):
        if line.strip() == REST:
            yield _Run(tuple(lines), floats)
            lines, floats = [], True
        elif line.strip():
            lines.append((place, line))
    yield _Run(tuple(lines), floats)


def _find(run: _Run, came: list[str], at: int, language: Language) -> int | None:
    """Return the first place where a run stands."""
    places = range(at, len(came) - len(run.lines) + 1) if run.floats else range(at, at + 1)
    return next((place for place in places if _stands(run, came, place, language)), None)


def _stands(run: _Run, came: list[str], at: int, language: Language) -> bool:
    return _length(run, came, at, language) == len(run.lines)


def _length(run: _Run, came: list[str], at: int, language: Language) -> int:
    """Return how many lines of a run stand at a place."""
    for count, (_, line) in enumerate(run.lines):
        if at + count >= len(came) or not fits(line, came[at + count], language):
            return count
    return len(run.lines)


def _nearest(run: _Run, came: list[str], at: int, language: Language) -> Difference:
    """Return the first line that differs where most of the run stands; without such a place, what is most alike."""
    places = range(at, len(came)) if run.floats else range(at, at + 1)
    best = max(places, key=lambda place: _length(run, came, place, language), default=at)
    length = _length(run, came, best, language)
    if length == len(run.lines):
        return Difference(run.lines[-1][0] + 1, None, came[best + length])
    place, line = run.lines[length]
    if run.floats and length == 0:
        alike = difflib.get_close_matches(line.strip(), came[at:], 1, 0.4)
        return Difference(place, line, alike[0] if alike else None)
    return Difference(place, line, came[best + length] if best + length < len(came) else None)
