"""A guide's block of output made new from what was printed, with the author's wildcards and omissions kept."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence

from lab.docs.comparison import difference
from lab.docs.wildcards import REST, fits, guessed
from lab.text import Language

_ALIKE = 0.5
"""How much two lines have in common, at least, for one to be the other's new form; 1 is everything."""


def renewed(shown: Sequence[str], printed: Sequence[str], language: Language) -> list[str]:
    """Return the lines that a guide has to show.

    What still fits stays as it is. A line that changed keeps the wildcards that still fit. What is new is taken as it
    came, with wildcards for what surely differs next time.

    Args:
        shown: the lines up to now; none: all that was printed is taken.
        printed: lines that came.
        language: of the guide.

    """
    if difference(shown, printed, language) is None:
        return list(shown)
    old, came = ["\n".join(lines).strip("\n").splitlines() for lines in (shown, printed)]
    made: list[str] = []
    left = right = 0
    kept = align(old, came, lambda line, new: line != REST and fits(line, new, language))
    for place, at in (*kept, (len(old), len(came))):
        made += _gap(old[left:place], came[right:at], language)
        made += old[place : place + 1]
        left, right = place + 1, at + 1
    return made


def align(left: Sequence[str], right: Sequence[str], same: Callable[[str, str], bool]) -> list[tuple[int, int]]:
    """Return the longest series of pairs that are the same and stand in the same order: places left and right."""
    rows = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            one = rows[i + 1][j + 1] + 1 if same(left[i], right[j]) else 0
            rows[i][j] = max(one, rows[i + 1][j], rows[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if same(left[i], right[j]) and rows[i][j] == rows[i + 1][j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif rows[i + 1][j] >= rows[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _gap(old: list[str], came: list[str], language: Language) -> Iterator[str]:
    """Yield the new lines between two that still fit."""
    at = 0
    omits = False
    for number, line in enumerate(old, start=1):
        if line == REST:
            if not omits:
                yield REST
            omits = True
            continue
        place = next((place for place in range(at, len(came)) if _alike(line, came[place])), None)
        if place is None and number == len(old) and at < len(came):
            # Nothing is like it, but it stands at the end, and so does its successor.
            place = len(came) - 1
        if place is None:
            continue
        if not omits:
            yield from (guessed(new, language) for new in came[at:place])
        yield mended(line, came[place], language)
        at, omits = place + 1, False
    if not omits:
        yield from (guessed(new, language) for new in came[at:])


def mended(line: str, new: str, language: Language) -> str:
    """Return a printed line with those words of the shown one that still fit: its wildcards."""
    if line.endswith(REST):
        head = line.removesuffix(REST).rstrip()
        begun = re.match(rf"\s*(?:\S+\s*){{0,{len(head.split())}}}", new)
        return f"{mended(head, begun[0].rstrip() if begun else '', language)} {REST}"
    old, parts = line.split(), re.split(r"(\s+)", new)
    words = [place for place, part in enumerate(parts) if part.strip()]
    for left, right in align(old, [parts[place] for place in words], lambda one, other: fits(one, other, language)):
        parts[words[right]] = old[left]
    return "".join(parts)


def _alike(line: str, new: str) -> bool:
    return difflib.SequenceMatcher(None, line.split(), new.split()).ratio() >= _ALIKE
