"""Changes to a recorded state, as mutants make them: readable, and an error where they change nothing.

    {set: {object: Deployment/gateway, path: spec.replicas, to: 0}}     what is there gets another value
    {add: {object: Deployment/gateway, path: metadata.labels[x], to: y}}  a key that is not there yet
    {append: {answer: edge, path: rows, to: {...}}}                     one more item of a list
    {remove: {topic: flight.arrived.v1}}                                all of it, or what is under `path`

A change aims at one of: `object` (Kind/name), `answer`, `topic`, `group`, `metric`, `trace`.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lab.checks.paths import BadPath, JsonDict, enter, key_of, steps

Value: TypeAlias = object

_PARTS = {"answer": "answers", "topic": "topics", "group": "groups", "metric": "metrics", "trace": "traces"}


class NoSuchPlace(LookupError):
    """A change aims at nothing, or changes nothing; its text says where."""


class Target(BaseModel):
    """What a change aims at, and the path in it; an empty path is the whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    object: str | None = None
    answer: str | None = None
    topic: str | None = None
    group: str | None = None
    metric: str | None = None
    trace: str | None = None
    path: str = ""

    @model_validator(mode="after")
    def _aims_at_one(self) -> Target:
        if sum(getattr(self, part) is not None for part in ("object", *_PARTS)) != 1:
            message = f"name exactly one of object, {', '.join(_PARTS)}"
            raise ValueError(message)
        try:
            steps(self.path)
        except BadPath as error:
            message = f"path {self.path!r} cannot be read"
            raise ValueError(message) from error
        return self

    def __str__(self) -> str:
        """Return the target as a person reads it."""
        part = next(part for part in ("object", *_PARTS) if getattr(self, part) is not None)
        return f"{part} {getattr(self, part)} {self.path}".rstrip()

    def place(self, state: JsonDict) -> tuple[Value, list[str]]:
        """Return the container in which to begin, and the steps from there.

        Raises:
            NoSuchPlace: the state has no such thing.

        """
        if self.object is not None:
            return self._objects(state)
        for part, key in _PARTS.items():
            name = getattr(self, part)
            if name is not None:
                return state.get(key), [name, *steps(self.path)]
        raise NoSuchPlace(str(self))

    def _objects(self, state: JsonDict) -> tuple[Value, list[str]]:
        objects = state.get("objects")
        for index, item in enumerate(objects if isinstance(objects, list) else []):
            if f"{item['kind']}/{item['metadata']['name']}" == self.object:
                return objects, [str(index), *steps(self.path)]
        raise NoSuchPlace(str(self))


class Given(Target):
    """A target with the value to put there."""

    to: Value


class Set(BaseModel):
    """Give what is there another value."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    set: Given

    def apply(self, state: JsonDict) -> None:
        """Change the state in place."""
        holder, key = _holder(state, self.set)
        if holder[key] == self.set.to:  # type: ignore[index]
            raise NoSuchPlace(f"{self.set} already is {self.set.to!r}")
        holder[key] = self.set.to  # type: ignore[index]


class Add(BaseModel):
    """Put a key into a map that does not have it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    add: Given

    def apply(self, state: JsonDict) -> None:
        """Change the state in place."""
        start, way = self.add.place(state)
        holder = _walk(start, way[:-1], self.add)
        if not isinstance(holder, dict) or way[-1] in holder:
            raise NoSuchPlace(f"{self.add}: no map, or already there")
        holder[way[-1]] = self.add.to


class Append(BaseModel):
    """Put one more item at the end of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    append: Given

    def apply(self, state: JsonDict) -> None:
        """Change the state in place."""
        start, way = self.append.place(state)
        items = _walk(start, way, self.append)
        if not isinstance(items, list):
            raise NoSuchPlace(f"{self.append} is no list")
        items.append(self.append.to)


class Remove(BaseModel):
    """Take away what is there."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    remove: Target

    def apply(self, state: JsonDict) -> None:
        """Change the state in place."""
        holder, key = _holder(state, self.remove)
        del holder[key]  # type: ignore[attr-defined]


Change = Annotated[Set | Add | Append | Remove, Field(union_mode="left_to_right")]


def _holder(state: JsonDict, target: Target) -> tuple[object, str | int]:
    start, way = target.place(state)
    holder = _walk(start, way[:-1], target)
    try:
        return holder, key_of(holder, way[-1])
    except LookupError:
        raise NoSuchPlace(str(target)) from None


def _walk(value: object, way: list[str], target: Target) -> object:
    for step in way:
        try:
            value = enter(value, step)
        except LookupError:
            raise NoSuchPlace(f"{target}: nothing at {step}") from None
    return value
