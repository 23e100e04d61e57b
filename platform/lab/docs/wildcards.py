"""Typed wildcards: what stands in a guide for something that differs from run to run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from lab.text import Language, Text

REST = "…"
"""Any words; on a line of its own, any lines."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that differs from run to run.

    Attributes:
        name: as it stands in a guide, between < and >.
        says: what it stands for.
        pattern: what it may be.
        guessed: what is surely one, so that it is put into a guide without being asked for; empty: nothing is.

    """

    name: Text
    says: Text
    pattern: str
    guessed: str = ""


_INSTANT = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
_ADDRESS = r"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?"
KINDS = (
    Kind(
        Text(en="time", fr="heure"),
        Text(en="a day with its time, such as 2026-03-01T08:15:00Z", fr="un jour et son heure"),
        _INSTANT,
        _INSTANT,
    ),
    Kind(Text(en="date", fr="date"), Text(en="a day, such as 2026-03-01", fr="un jour"), r"\d{4}-\d\d-\d\d"),
    Kind(
        Text(en="address", fr="adresse"),
        Text(en="an address, with or without its port", fr="une adresse, avec ou sans son port"),
        _ADDRESS,
        _ADDRESS,
    ),
    Kind(
        Text(en="duration", fr="durée"),
        Text(en="a number and its unit, such as 3.2 s or 2 min 5 s", fr="un nombre et son unité, comme 3.2 s"),
        r"\d+(?:[.,]\d+)? ?(?:ms|µs|min|s|m|h|d)(?: ?\d+(?:[.,]\d+)? ?(?:ms|min|s|m|h))*",
    ),
    Kind(
        Text(en="age", fr="âge"),
        Text(en="an age as kubectl writes it, such as 5m12s", fr="un âge tel que kubectl l'écrit, comme 5m12s"),
        r"(?:\d+[smhdy])+",
    ),
    Kind(
        Text(en="seconds", fr="secondes"),
        Text(en="a number that is not negative", fr="un nombre qui n'est pas négatif"),
        r"\d+(?:[.,]\d+)?",
    ),
    Kind(
        Text(en="number", fr="nombre"),
        Text(en="any number, also -1.5e-05 or 26,115", fr="un nombre quelconque"),
        r"[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?",
        r"(?<![\w.-])\d+\.\d+(?![\w.])",
    ),
    Kind(
        Text(en="id", fr="identifiant"),
        Text(en="letters and digits that a program made up", fr="lettres et chiffres qu'un programme a inventés"),
        r"[0-9a-z]+(?:-[0-9a-z]+)*",
        r"(?<![\w-])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}(?![\w-])",
    ),
    Kind(
        Text(en="name", fr="nom"),
        Text(en="a name without blanks", fr="un nom sans espaces"),
        r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?",
    ),
    Kind(
        Text(en="path", fr="chemin"),
        Text(en="a file or a folder", fr="un fichier ou un dossier"),
        r"(?:~|\.{0,2})/?[\w.-]+(?:/[\w.-]+)*/?",
    ),
    Kind(Text(en="url", fr="url"), Text(en="an address of the web", fr="une adresse du web"), r"https?://[^\s\"'<>]+"),
)
_LITERAL = frozenset({"none", "unknown", "unset", "pending", "nil", "invalid"})
"""What kubectl prints between < and >: no wildcards."""
_MARK = re.compile(r"<([^\W\d_]+)>")
_PART = re.compile(r"(<[^\W\d_]+>|…|\s+)")


def named(language: Language) -> dict[str, Kind]:
    """Return the kinds by the names that a language gives them."""
    return {kind.name.in_(language): kind for kind in KINDS}


def unknown(line: str, language: Language) -> Iterator[str]:
    """Yield what looks like a wildcard and is none in this language."""
    for match in _MARK.finditer(line):
        if match[1] not in named(language) and match[1] not in _LITERAL:
            yield match[0]


@cache
def pattern(line: str, language: Language) -> re.Pattern[str]:
    """Return what a printed line has to be like; blanks count, their number does not."""
    return re.compile("".join(_expression(part, named(language)) for part in _PART.split(line.strip())))


def fits(shown: str, printed: str, language: Language) -> bool:
    """Say whether a printed line is what the guide shows."""
    return pattern(shown, language).fullmatch(printed.strip()) is not None


def guessed(line: str, language: Language) -> str:
    """Return a printed line with wildcards for what surely differs next time."""
    for kind in KINDS:
        if kind.guessed:
            line = re.sub(kind.guessed, f"<{kind.name.in_(language)}>", line)
    return line


def neutral(line: str, language: Language) -> str:
    """Return a shown line with English wildcards and single blanks, to be compared across languages."""
    kinds = named(language)

    def english(match: re.Match[str]) -> str:
        return f"<{kinds[match[1]].name.en}>" if match[1] in kinds else match[0]

    return " ".join(_MARK.sub(english, line).split())


def _expression(part: str, kinds: dict[str, Kind]) -> str:
    if part == REST:
        return ".*"
    if part.isspace():
        return r"\s+"
    mark = _MARK.fullmatch(part)
    return f"(?:{kinds[mark[1]].pattern})" if mark and mark[1] in kinds else re.escape(part)
