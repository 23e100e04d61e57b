"""Read plans: what a feature service asks of Redis, compiled once into bytes and positions.

Views of the same entity are read by one HMGET; a request sends one of these for each entity that it names, all at once.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from contracts.layout import Unfit, entity_key, entity_value, field_of, time_field
from contracts.layout_packed import packed_field
from contracts.views import Definitions, Field, OnDemand, Undefined, View
from feature.errors import FeatureUnknown, NameTwice, ServiceUnknown, ViewUnknown
from feature.wire import command

PLANS = 256
"""Compiled plans that are kept; lists of features that callers make up could be without end."""
LENGTHS = 65
"""Texts of fewer bytes than this have their part of the command made beforehand."""
_TIME_LENGTHS = 20


@dataclass(frozen=True)
class ViewPlan:
    """What is read of one view.

    Attributes:
        heads: by the length of a time, how a packed copy that counts begins before that time.
        lines: place of each wanted feature among the lines of a packed copy.
        names: as the answer calls them.
        fields: time first, then each feature, in Feast's own layout.
    """

    view: View
    heads: tuple[bytes, ...]
    lines: tuple[int, ...]
    names: tuple[str, ...]
    fields: tuple[bytes, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, view: View, wanted: Sequence[str], names: Sequence[str]) -> "ViewPlan":
        """Compile a view of which some features are wanted."""
        order = {each.name: place for place, each in enumerate(view.features, start=1)}
        return cls(
            view,
            tuple(view.mark + bytes([length]) for length in range(_TIME_LENGTHS)),
            tuple(order[name] for name in wanted),
            tuple(names),
            (time_field(view.name), *(field_of(view.name, each.name) for each in view.features)),
            tuple(each.kind for each in view.features),
        )


@dataclass(frozen=True)
class Group:
    """Views of the same entity, read together.

    Attributes:
        keys: join keys with their types.
        tail: what follows the key in the command.
        heads: where there is one join key of type string: by its length, what goes before its bytes.
    """

    project: str
    keys: tuple[tuple[str, str], ...]
    views: tuple[ViewPlan, ...]
    tail: bytes
    heads: tuple[bytes, ...]

    @classmethod
    def of(cls, project: str, keys: tuple[tuple[str, str], ...], views: Sequence[ViewPlan]) -> "Group":
        """Compile views of one entity."""
        words = [word for each in views for word in (packed_field(each.view.name), time_field(each.view.name))]
        # The project's name ends the key, as in Feast; both the key's end and the fields are the same for all.
        tail = b"\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
        group = cls(project, keys, tuple(views), project.encode() + tail, ())
        plain = len(keys) == 1 and keys[0][1] == "string"
        heads = tuple(group.head("x" * length) for length in range(LENGTHS)) if plain else ()
        return cls(project, keys, tuple(views), project.encode() + tail, heads)

    def head(self, content: str) -> bytes:
        """The command up to `content`, plain ASCII, as the one value in the key."""
        key = entity_key(self.project, {self.keys[0][0]: ("string", content)})
        return self._begin(len(key)) + key[: len(key) - len(content) - len(self.project.encode())]

    def _begin(self, length: int) -> bytes:
        return b"*%d\r\n$5\r\nHMGET\r\n$%d\r\n" % (2 + 2 * len(self.views), length)

    def other(self, parts: Sequence[bytes], fields: Sequence[bytes]) -> bytes:
        """The command that asks for other fields of the entity whose question was made of `parts`."""
        _, _, _, length, rest = b"".join(parts).split(b"\r\n", 4)
        return command("HMGET", rest[: int(length[1:])], *fields)

    def question(self, values: Sequence[Any]) -> bytes:
        """The command for one entity, whatever its join keys are.

        Raises:
            Unfit: a value is not of its type.
        """
        for (name, kind), value in zip(self.keys, values, strict=True):
            try:
                entity_value(kind, value)
            except Unfit as failure:
                raise Unfit(f"entity {name}: {failure}") from None
        named = {name: (kind, value) for (name, kind), value in zip(self.keys, values, strict=True)}
        key = entity_key(self.project, named)
        return self._begin(len(key)) + key + self.tail[len(self.project.encode()) :]


class Input(NamedTuple):
    """An input of an on-demand feature: a line of a view's packed copy, or, without a view, what the request brings."""

    name: str
    kind: str
    view: str = ""
    line: int = 0


@dataclass(frozen=True)
class Computed:
    """One on-demand feature.

    Attributes:
        name: as the answer calls it.
        inputs: where the value of each of the function's parameters comes from.
    """

    name: str
    kind: str
    function: Callable[..., Any]
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class Plan:
    """All that one request of a feature service, or of a list of features, takes."""

    groups: tuple[Group, ...]
    computed: tuple[Computed, ...]
    request: tuple[Field, ...]
    order: tuple[ViewPlan, ...]
    """Views in the order of the answer."""


class Planner:
    """Compiles plans and keeps them.

    Args:
        definitions: what there is.
    """

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._services: dict[tuple[str, bool], Plan] = {}
        self._lists: dict[tuple[tuple[str, ...], bool], Plan] = {}
        for service in definitions.services:
            self.of_service(service.name, full=False)

    def of_service(self, name: str, *, full: bool) -> Plan:
        """The plan of a feature service.

        Raises:
            ServiceUnknown: there is none of that name.
        """
        plan = self._services.get((name, full))
        if plan is None:
            try:
                references = self.definitions.features_of(self.definitions.service(name))
            except Undefined as failure:
                raise ServiceUnknown(str(failure), "ask for one of these, or apply its definition") from None
            plan = self._services[name, full] = compiled(self.definitions, references, full=full)
        return plan

    def of_list(self, references: Sequence[str], *, full: bool) -> Plan:
        """The plan of `view:feature` references.

        Raises:
            ViewUnknown, FeatureUnknown: one of them is not defined.
            NameTwice: two of them have the same name.
        """
        key = (tuple(references), full)
        plan = self._lists.get(key)
        if plan is None:
            if len(self._lists) >= PLANS:
                self._lists.clear()
            plan = self._lists[key] = compiled(self.definitions, references, full=full)
        return plan


def compiled(definitions: Definitions, references: Sequence[str], *, full: bool) -> Plan:
    """Compile `view:feature` references."""
    wanted = _by_view(definitions, references, full=full)
    stored: dict[str, list[str]] = {name: [] for name in wanted if isinstance(definitions.view(name), View)}
    on_demand: list[tuple[OnDemand, list[str]]] = []
    for name, features in wanted.items():
        view = definitions.view(name)
        if isinstance(view, OnDemand):
            on_demand.append((view, features))
            for reference in view.inputs:
                stored.setdefault(reference.partition(":")[0], [])
        else:
            stored[name] = features
    plans = {
        name: ViewPlan.of(definitions.stored(name), features, [_name(name, each, full=full) for each in features])
        for name, features in stored.items()
    }
    computed = tuple(each for view, features in on_demand for each in _computed(definitions, view, features, full=full))
    request = {each.name: each for view, _ in on_demand for each in view.request}
    return Plan(_grouped(definitions, plans), computed, tuple(request.values()), tuple(plans.values()))


def _by_view(definitions: Definitions, references: Sequence[str], *, full: bool) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    seen: dict[str, str] = {}
    for reference in references:
        view, _, feature = reference.partition(":")
        _known(definitions, view, reference)
        name = _name(view, feature, full=full)
        if name in seen:
            raise NameTwice(f"features {seen[name]} and {reference} share a name", "ask with full_feature_names: true")
        seen[name] = reference
        wanted.setdefault(view, []).append(feature)
    return wanted


def _known(definitions: Definitions, view: str, reference: str) -> None:
    try:
        definitions.view(view)
    except Undefined as failure:
        raise ViewUnknown(f"feature {reference}: {failure}", "name features as view:feature") from None
    try:
        definitions.feature(reference)
    except Undefined as failure:
        raise FeatureUnknown(f"feature {reference}: {failure}", "ask for one of these") from None


def _name(view: str, feature: str, *, full: bool) -> str:
    return f"{view}__{feature}" if full else feature


def _grouped(definitions: Definitions, plans: Mapping[str, ViewPlan]) -> tuple[Group, ...]:
    by_entity: dict[tuple[str, ...], list[ViewPlan]] = {}
    for plan in plans.values():
        by_entity.setdefault(plan.view.entities, []).append(plan)
    return tuple(
        Group.of(definitions.project, tuple((name, definitions.entity(name).kind) for name in names), views)
        for names, views in by_entity.items()
    )


def _computed(definitions: Definitions, view: OnDemand, wanted: Sequence[str], *, full: bool) -> list[Computed]:
    places = {each.name: Input(each.name, each.kind) for each in view.request}
    for reference in view.inputs:
        source, field = definitions.feature(reference)
        names = [name for name, _ in definitions.stored(source.name).columns]
        places[field.name] = Input(field.name, field.kind, source.name, names.index(field.name) + 1)
    functions = {each.name: (each, function) for each, function in view.features}
    out = []
    for name in wanted:
        each, function = functions[name]
        inputs = tuple(places[parameter] for parameter in inspect.signature(function).parameters)
        out.append(Computed(_name(view.name, name, full=full), each.kind, function, inputs))
    return out
