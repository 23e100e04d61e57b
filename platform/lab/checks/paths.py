"""Readable paths into JSON: `spec.template.spec.containers[gateway].env[FAILURES].value`.

A dot enters a map by key. Brackets enter a map by a key that may itself hold dots
(`labels[app.kubernetes.io/name]`), or a list: by the item whose `name`, `type`, `key`, `id`, `site` or
`partition` reads like that, or else by place (`[0]`, `[-1]`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")
_PLACE = re.compile(r"-?\d+")
_NAMING_FIELDS = ("name", "type", "key", "id", "site", "partition")

JsonDict = dict[str, object]


class BadPath(ValueError):
    """A path that cannot be read; its text is the message."""


def steps(path: str) -> list[str]:
    """Split a path into its steps; the empty path has none.

    Raises:
        BadPath: it is not of the form `a.b[c].d`.

    """
    found: list[str] = []
    place = 0
    while place < len(path):
        match = _STEP.match(path, place)
        if match is None or (place == 0 and path.startswith(".")):
            raise BadPath(path)
        found.append(match[1] or match[2])
        place = match.end()
    return found


def enter(value: object, step: str) -> object:
    """Return what a value holds under one step.

    Raises:
        LookupError: it holds nothing of that name.

    """
    place = key_of(value, step)
    if isinstance(value, list) and isinstance(place, int):
        return value[place]
    if isinstance(value, dict):
        return value[place]
    raise LookupError(step)


def key_of(value: object, step: str) -> str | int:
    """Return the key (of a map) or the place (in a list) that a step stands for.

    Raises:
        LookupError: there is none.

    """
    if isinstance(value, dict) and step in value:
        return step
    if isinstance(value, list):
        return _place_of(value, step)
    raise LookupError(step)


def _place_of(items: list[object], step: str) -> int:
    for place in _named(items, step):
        return place
    # A name goes before a place, so that partition "1" is found where the list begins at partition 1.
    if _PLACE.fullmatch(step) and -len(items) <= int(step) < len(items):
        return int(step) % len(items)
    raise LookupError(step)


def _named(items: list[object], step: str) -> Iterator[int]:
    for field in _NAMING_FIELDS:
        for place, item in enumerate(items):
            if isinstance(item, dict) and isinstance(item.get(field), str | int) and str(item[field]) == step:
                yield place
