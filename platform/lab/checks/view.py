"""A place in recorded JSON: reads it by path and, where something is missing, says what and where."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lab.checks.paths import BadPath, enter, steps
from lab.text import Text

APPLY = Text(
    en="look at the step of the guide that makes it, apply again with `lab up`, then check again",
    fr="reprenez l'étape du guide qui le crée, appliquez de nouveau avec `lab up`, puis revérifiez",
)
"""The remedy when nothing more exact is known."""


class Missing(LookupError):
    """What a check looked for is not in the bundle, or is not of the expected kind.

    Attributes:
        reason: what is missing, and where.
        remedy: what brings it there.

    """

    def __init__(self, reason: Text, remedy: Text = APPLY) -> None:
        super().__init__(reason.en)
        self.reason = reason
        self.remedy = remedy


class View:
    """A read-only place in recorded JSON.

    Attributes:
        where: its name as a person reads it, such as `Deployment/gateway: spec.replicas`.
        value: the JSON there.

    """

    __slots__ = ("value", "where")

    def __init__(self, value: object, where: str) -> None:
        self.value = value
        self.where = where

    def at(self, path: str) -> View:
        """Return the place under a path.

        Raises:
            Missing: nothing is there.

        """
        value = self.value
        try:
            for step in steps(path):
                value = enter(value, step)
        except (LookupError, BadPath):  # a path that a check makes of what was recorded may be none
            raise _absent(self.where, path) from None
        return View(value, _joined(self.where, path))

    def maybe(self, path: str) -> View | None:
        """Return the place under a path, or None when nothing is there."""
        try:
            return self.at(path)
        except Missing:
            return None

    def text(self, path: str = "") -> str:
        """Return the text there.

        Raises:
            Missing: nothing is there, or it is no text.

        """
        place = self.at(path)
        if not isinstance(place.value, str):
            raise _wrong(place, Text(en="text", fr="un texte"))
        return place.value

    def number(self, path: str = "") -> float:
        """Return the finite number there; text that reads as one counts, for environment variables are text.

        Raises:
            Missing: nothing is there, or it is no number.

        """
        place = self.at(path)
        if isinstance(place.value, str | int | float) and not isinstance(place.value, bool):
            try:
                number = float(place.value)
            except (ValueError, OverflowError):
                number = math.nan
            if math.isfinite(number):
                return number
        raise _wrong(place, Text(en="a number", fr="un nombre"))

    def flag(self, path: str = "") -> bool:
        """Return the true or false there.

        Raises:
            Missing: nothing is there, or it is neither.

        """
        place = self.at(path)
        if not isinstance(place.value, bool):
            raise _wrong(place, Text(en="true or false", fr="true ou false"))
        return place.value

    def items(self, path: str = "") -> list[View]:
        """Return the items of the list there.

        Raises:
            Missing: nothing is there, or it is no list.

        """
        place = self.at(path)
        if not isinstance(place.value, list):
            raise _wrong(place, Text(en="a list", fr="une liste"))
        return [View(item, f"{place.where}[{index}]") for index, item in enumerate(place.value)]

    def numbers(self, path: str = "") -> list[float]:
        """Return the list of numbers there.

        Raises:
            Missing: nothing is there, or not all of it are numbers.

        """
        return [item.number() for item in self.items(path)]

    def entries(self, path: str = "") -> dict[str, View]:
        """Return the map there, by key.

        Raises:
            Missing: nothing is there, or it is no map.

        """
        place = self.at(path)
        if not isinstance(place.value, dict):
            raise _wrong(place, Text(en="a map", fr="un dictionnaire"))
        return {str(key): View(value, _joined(place.where, f"[{key}]")) for key, value in place.value.items()}

    def __iter__(self) -> Iterator[View]:
        """Go through the items of the list here."""
        return iter(self.items())


def _joined(where: str, path: str) -> str:
    if not path:
        return where
    if path.startswith("["):
        return f"{where}{path}"
    return f"{where}.{path}" if ": " in where else f"{where}: {path}"


def _absent(where: str, path: str) -> Missing:
    return Missing(Text(en=f"{where} has no {path}", fr=f"{where} n'a pas de {path}"))


def _wrong(place: View, kind: Text) -> Missing:
    shown = repr(place.value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."  # noqa: PLR2004  a line of a terminal
    return Missing(
        Text(
            en=f"{place.where} should be {kind.en} but is {shown}",
            fr=f"{place.where} devrait être {kind.fr} mais vaut {shown}",
        )
    )
