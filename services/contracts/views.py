"""What a feature is: entities, views, on-demand views and feature services, as plain values.

They are the single source. `feature.registry` turns them into Feast's objects, the feature service compiles its read
plans from them, the writer their fields in Redis, the training sets their columns.

The project's own definitions stand in `contracts.views_flights`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from contracts.layout import KINDS
from contracts.layout_packed import schema_mark

ENTITY_KINDS = ("string", "int32", "int64")
STREAM, BATCH = "stream", "batch"
DAY = 24 * 3600

T = TypeVar("T")


class Undefined(LookupError):
    """A definition names what is not there, or contradicts another."""


@dataclass(frozen=True)
class Entity:
    """What features are about."""

    name: str
    """Also its join key: the column that carries it."""
    kind: str
    """`string`, `int32` or `int64`."""
    description: str


@dataclass(frozen=True)
class Field:
    """One feature of a view, or one input that a request brings."""

    name: str
    kind: str
    """A type of `layout.KINDS`."""
    description: str


@dataclass(frozen=True)
class View:
    """Features of one entity that become known together.

    Attributes:
        name: unique among views of any sort.
        entities: names of its entities.
        features: in the order of the packed copy.
        ttl: seconds of event time after which a value is out of date; 0: never.
        source: `stream` (kept up to date by events) or `batch` (made by the batch layer).
    """

    name: str
    entities: tuple[str, ...]
    features: tuple[Field, ...]
    ttl: int
    source: str
    owner: str
    description: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """(name, type) of each feature, in order."""
        return tuple((each.name, each.kind) for each in self.features)

    @property
    def mark(self) -> bytes:
        """First bytes of its packed copies."""
        return schema_mark(self.columns)

    @property
    def push_source(self) -> str:
        """Name of its source in Feast, under which values are pushed."""
        return f"{self.name}_push"


@dataclass(frozen=True)
class OnDemand:
    """A view that is computed when it is asked for, by the same function in training and in serving.

    Attributes:
        features: each with its function; a function takes its inputs by name, one row at a time, any of them None, and
            returns one value or None. Plain arithmetic on one row: arrays would round differently by their length.
            Their module imports nothing of ours: its text goes into Feast's registry.
        inputs: `view:feature` of stored features that the functions take.
        request: what the request itself must bring.
    """

    name: str
    features: tuple[tuple[Field, Callable[..., Any]], ...]
    inputs: tuple[str, ...]
    request: tuple[Field, ...]
    owner: str
    description: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its features."""
        return tuple(each for each, _ in self.features)


@dataclass(frozen=True)
class Service:
    """What one version of one model reads; published versions never change their features."""

    name: str
    features: tuple[str, ...]
    """`view:feature`, or `view` for all of a view."""
    owner: str
    description: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Definitions:
    """All of a project's definitions, checked against each other.

    Raises:
        Undefined: a name is used twice or not defined, or a type is unknown.
    """

    project: str
    entities: tuple[Entity, ...]
    views: tuple[View, ...]
    on_demand: tuple[OnDemand, ...] = ()
    services: tuple[Service, ...] = ()

    def __post_init__(self) -> None:
        _unique("entity", [each.name for each in self.entities])
        _unique("view", [*(each.name for each in self.views), *(each.name for each in self.on_demand)])
        _unique("feature service", [each.name for each in self.services])
        for entity in self.entities:
            _kind(f"entity {entity.name}", entity.kind, ENTITY_KINDS)
        for view in self.views:
            self._check_view(view)
        for each in self.on_demand:
            self._check_on_demand(each)
        for service in self.services:
            self.features_of(service)

    def entity(self, name: str) -> Entity:
        """The entity of that name."""
        return _named("entity", name, {each.name: each for each in self.entities})

    def view(self, name: str) -> View | OnDemand:
        """The view of that name, of either sort."""
        views: dict[str, View | OnDemand] = {each.name: each for each in self.views}
        views |= {each.name: each for each in self.on_demand}
        return _named("feature view", name, views)

    def stored(self, name: str) -> View:
        """The view of that name that stands in the online store."""
        return _named("feature view", name, {each.name: each for each in self.views})

    def service(self, name: str) -> Service:
        """The feature service of that name."""
        return _named("feature service", name, {each.name: each for each in self.services})

    def feature(self, reference: str) -> tuple[View | OnDemand, Field]:
        """View and feature of `view:feature`."""
        view, _, name = reference.partition(":")
        found = self.view(view)
        fields = found.features if isinstance(found, View) else found.fields
        return found, _named(f"feature of view {view}", name, {each.name: each for each in fields})

    def features_of(self, service: Service) -> tuple[str, ...]:
        """Every `view:feature` of a service, in order."""
        out: list[str] = []
        for reference in service.features:
            if ":" in reference:
                self.feature(reference)
                out.append(reference)
                continue
            view = self.view(reference)
            fields = view.features if isinstance(view, View) else view.fields
            out += [f"{view.name}:{each.name}" for each in fields]
        _unique(f"feature of service {service.name}", [each.partition(":")[2] for each in out])
        return tuple(out)

    def _check_view(self, view: View) -> None:
        for name in view.entities:
            self.entity(name)
        _unique(f"feature of view {view.name}", [each.name for each in view.features])
        for each in view.features:
            _kind(f"feature {view.name}:{each.name}", each.kind, tuple(KINDS))

    def _check_on_demand(self, view: OnDemand) -> None:
        for reference in view.inputs:
            if not isinstance(self.feature(reference)[0], View):
                raise Undefined(f"on-demand view {view.name} takes {reference}, which is itself computed on demand")
        for each in (*view.fields, *view.request):
            _kind(f"{view.name}:{each.name}", each.kind, tuple(KINDS))

    def fingerprint(self) -> str:
        """sha256 of all definitions, functions by name: changes with whatever a reader could notice."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=_function).encode()).hexdigest()


def _function(value: Any) -> str:  # noqa: ANN401  what JSON does not know
    return f"{value.__module__}.{value.__qualname__}"


def _unique(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Undefined(f"{what} {', '.join(twice)} is defined twice")


def _kind(what: str, kind: str, known: tuple[str, ...]) -> None:
    if kind not in known:
        raise Undefined(f"{what} has the unknown type {kind}; known are {', '.join(known)}")


def _named(what: str, name: str, known: Mapping[str, T]) -> T:
    if name not in known:
        raise Undefined(f"no {what} {name}; known are {', '.join(sorted(known))}")
    return known[name]
