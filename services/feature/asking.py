"""What a request asks: its rows, and the commands that they become.

Wrong entities and inputs are refused here, by name and row, before anything is sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from contracts.layout import Unfit
from feature.errors import EntityWrong
from feature.plan import Group


class Questions(NamedTuple):
    """What is asked about the entities of one group.

    Attributes:
        commands: one for each entity, in pieces: most of them are the same bytes in every command.
        place: which of them each row of the request belongs to; None: each to its own.
    """

    commands: Sequence[tuple[bytes, ...]]
    place: list[int] | None


class Asked(msgspec.Struct):
    """A request to `/get-online-features`, as Feast's clients send it."""

    entities: dict[str, list[Any]]
    feature_service: str | None = None
    features: list[str] = []
    full_feature_names: bool = False
    include_feature_view_version_metadata: bool = False


def counted(entities: Mapping[str, Sequence[Any]]) -> int:
    """How many rows a request has.

    Raises:
        EntityWrong: none, or its columns differ.
    """
    lengths = {len(values) for values in entities.values()}
    if len(lengths) > 1:
        told = ", ".join(f"{name} {len(values)}" for name, values in entities.items())
        raise EntityWrong(f"entities have different numbers of rows: {told}", "give each as many values")
    if not lengths or lengths == {0}:
        raise EntityWrong("entities are empty", "give at least one row: each join key with a list of values")
    return lengths.pop()


def questions(group: Group, entities: Mapping[str, Sequence[Any]], number: int) -> Questions:
    """The commands that read a group's entities.

    Raises:
        EntityWrong: a join key is missing, or not of its type.
    """
    for name, kind in group.keys:
        if name not in entities:
            views = ", ".join(each.view.name for each in group.views)
            raise EntityWrong(f"entity {name} is missing; views {views} need it", f"add {name} ({kind}) to entities")
    if not group.heads:
        return _any_questions(group, entities)
    values = entities[group.keys[0][0]]
    try:
        contents = [value.encode() for value in values]
    except (AttributeError, UnicodeEncodeError):
        raise _wrong(group, values) from None
    unique = dict.fromkeys(contents)
    heads, tail, limit = group.heads, group.tail, len(group.heads)
    try:
        commands = [(heads[len(content)], content, tail) for content in unique]
    except IndexError:
        commands = [
            (heads[len(each)] if len(each) < limit else group.head("x" * len(each)), each, tail) for each in unique
        ]
    if len(unique) == number:
        return Questions(commands, None)
    place = {content: n for n, content in enumerate(unique)}
    return Questions(commands, [place[content] for content in contents])


def _any_questions(group: Group, entities: Mapping[str, Sequence[Any]]) -> Questions:
    try:
        made = [group.question(row) for row in zip(*(entities[name] for name, _ in group.keys), strict=True)]
    except Unfit as failure:
        raise EntityWrong(str(failure), "give values of the entity's type, never null") from None
    unique = {question: n for n, question in enumerate(dict.fromkeys(made))}
    return Questions([(question,) for question in unique], [unique[question] for question in made])


def _wrong(group: Group, values: Sequence[Any]) -> EntityWrong:
    name = group.keys[0][0]
    row, value = next((n, each) for n, each in enumerate(values) if not isinstance(each, str) or not _encodes(each))
    return EntityWrong(f"entity {name}, row {row}: {value!r} is no string", "give each value as text, never null")


def _encodes(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)


_NATIVE: dict[str, tuple[type, ...]] = {
    "string": (str,), "bool": (bool,), "float64": (float, int), "float32": (float, int),
}  # fmt: skip


def checked(name: str, kind: str, values: Sequence[Any]) -> Sequence[Any]:
    """A request's input, if it is of its type or null.

    Raises:
        EntityWrong: it is not.
    """
    wanted = _NATIVE.get(kind, (int,))
    for row, value in enumerate(values):
        if value is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and kind != "bool")):
            raise EntityWrong(f"input {name}, row {row}: {value!r:.60} is no {kind}", f"give {kind} values or null")
    return values
