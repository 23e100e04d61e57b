"""The definitions as Feast's objects, and a Feast store over a registry: the one place where Feast enters.

Every object carries two tags: who manages it, and the fingerprint of its definition, by which a later run sees what
changed without trusting that Feast writes the same bytes twice.
"""

import datetime as dt
import hashlib
import inspect
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import typeguard

from contracts.views import Definitions, Entity, Field, OnDemand, Service, View


@contextmanager
def _as_written() -> Iterator[None]:
    """Leave classes as they are written, which Feast has typeguard parse and rewrite: most of the time of its import.

    What the rewritten ones check are calls' types, and ours are checked before they run.
    """
    rewriting = typeguard.typechecked
    typeguard.typechecked = lambda target: target  # type: ignore[assignment]
    try:
        yield
    finally:
        typeguard.typechecked = rewriting


with warnings.catch_warnings(), _as_written():
    warnings.simplefilter("ignore")  # what Feast's own dependencies deprecate is not ours to mend
    import feast
    from feast.data_format import ParquetFormat
    from feast.infra.offline_stores.file_source import FileSource
    from feast.repo_config import RepoConfig
    from feast.types import Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp
    from feast.value_type import ValueType

MANAGED = {"managed-by": "contracts"}
MARK = "definition"
"""Tag that holds the fingerprint."""
TYPES = {
    "string": String, "bytes": Bytes, "bool": Bool, "int32": Int32, "int64": Int64, "float32": Float32,
    "float64": Float64, "unix_timestamp": UnixTimestamp,
}  # fmt: skip
_ENTITY_TYPES = {"string": ValueType.STRING, "int32": ValueType.INT32, "int64": ValueType.INT64}


def made(definitions: Definitions, offline: str) -> dict[tuple[str, str], Any]:
    """(sort, name) -> Feast's object, for everything that is defined.

    Args:
        definitions: what is defined.
        offline: folder or address under which the batch layer keeps a table per view.
    """
    entities = {each.name: _entity(each) for each in definitions.entities}
    views: dict[str, Any] = {each.name: _view(each, definitions, entities, offline) for each in definitions.views}
    for each in definitions.on_demand:
        views[each.name] = _on_demand(each, definitions, views)
    out: dict[tuple[str, str], Any] = {("entity", name): each for name, each in entities.items()}
    out |= {("feature view", name): each for name, each in views.items()}
    out |= {("feature service", each.name): _service(each, definitions, views) for each in definitions.services}
    return out


def _tags(definition: Any, tags: Mapping[str, str] | None = None, more: str = "") -> dict[str, str]:  # noqa: ANN401
    text = json.dumps(asdict(definition), sort_keys=True, default=_named) + more
    return {**(tags or {}), **MANAGED, MARK: hashlib.sha256(text.encode()).hexdigest()[:16]}


def _named(value: Any) -> str:  # noqa: ANN401  what JSON does not know
    return f"{value.__module__}.{value.__qualname__}"


def _field(each: Field) -> Any:  # noqa: ANN401  Feast's own are untyped here
    return feast.Field(name=each.name, dtype=TYPES[each.kind], description=each.description)


def _entity(each: Entity) -> Any:  # noqa: ANN401
    return feast.Entity(
        name=each.name,
        join_keys=[each.name],
        value_type=_ENTITY_TYPES[each.kind],
        description=each.description,
        tags=_tags(each),
    )


def _view(view: View, definitions: Definitions, entities: Mapping[str, Any], offline: str) -> Any:  # noqa: ANN401
    path = f"{offline.rstrip('/')}/{view.name}"
    table = FileSource(
        name=f"{view.name}_table", path=path, timestamp_field="event_timestamp", file_format=ParquetFormat()
    )
    keys = [feast.Field(name=name, dtype=TYPES[definitions.entity(name).kind]) for name in view.entities]
    return feast.FeatureView(
        name=view.name,
        entities=[entities[name] for name in view.entities],
        ttl=dt.timedelta(seconds=view.ttl),
        # Keys as well: Feast would look for them in the table otherwise, which may not be there yet.
        schema=[*keys, *(_field(each) for each in view.features)],
        source=feast.PushSource(name=view.push_source, batch_source=table, owner=view.owner),
        online=True,
        owner=view.owner,
        description=view.description,
        tags=_tags(view, {**view.tags, "source": view.source}, path),
    )


def _on_demand(view: OnDemand, definitions: Definitions, views: Mapping[str, Any]) -> Any:  # noqa: ANN401
    request = feast.RequestSource(name=f"{view.name}_request", schema=[_field(each) for each in view.request])
    wanted: dict[str, list[str]] = {}
    for reference in view.inputs:
        source, field = definitions.feature(reference)
        wanted.setdefault(source.name, []).append(field.name)
    sources = [views[name][fields] for name, fields in wanted.items()]
    text = _source(view)
    return feast.OnDemandFeatureView(
        name=view.name,
        sources=[*sources, *([request] if view.request else [])],
        # Without their words: Feast calls the function once and wants to find these very fields among what comes out.
        schema=[feast.Field(name=each.name, dtype=TYPES[each.kind]) for each in view.fields],
        udf=_function(view.name, text),
        udf_string=text,
        mode="python",
        owner=view.owner,
        description=view.description,
        tags=_tags(view, view.tags, text),
    )


def _source(view: OnDemand) -> str:
    """Python text of one function over columns, as Feast calls it: the modules of the row functions, and a loop.

    Feast keeps the text in its registry and runs it wherever features are read, so it brings all that it needs.
    """
    modules = dict.fromkeys(inspect.getmodule(function) for _, function in view.features)
    lines = [inspect.getsource(module) for module in modules if module]
    lines += [f"def {view.name}(inputs):", "    return {"]
    for each, function in view.features:
        columns = ", ".join(f"inputs[{name!r}]" for name in inspect.signature(function).parameters)
        lines.append(f"        {each.name!r}: [{function.__name__}(*row) for row in zip({columns})],")
    return "\n".join([*lines, "    }", ""])


def _function(name: str, source: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function that the text defines, made as Feast makes it."""
    space: dict[str, Any] = {"__name__": "contracts.on_demand"}
    exec(source, space)  # noqa: S102  our own text
    made: Callable[[dict[str, Any]], dict[str, Any]] = space[name]
    return made


def _service(service: Service, definitions: Definitions, views: Mapping[str, Any]) -> Any:  # noqa: ANN401
    wanted: dict[str, list[str]] = {}
    for reference in definitions.features_of(service):
        view, _, feature = reference.partition(":")
        wanted.setdefault(view, []).append(feature)
    return feast.FeatureService(
        name=service.name,
        features=[views[name][fields] for name, fields in wanted.items()],
        owner=service.owner,
        description=service.description,
        tags=_tags(service, service.tags),
    )


@contextmanager
def store(project: str, registry: str) -> Iterator[Any]:
    """A Feast store over a registry, without an online store: applying definitions touches no values.

    Args:
        project: Feast's project.
        registry: an SQLAlchemy address, or the path of a file.
    """
    kind = "sql" if "://" in registry else "file"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = feast.FeatureStore(
            config=RepoConfig(
                project=project,
                provider="local",
                registry={"registry_type": kind, "path": registry, "cache_ttl_seconds": 0},
                online_store=None,
                entity_key_serialization_version=3,
            )
        )
        try:
            yield made
        finally:
            for name in ("write_engine", "read_engine"):  # Feast leaves its connections open
                engine = getattr(made.registry, name, None)
                if engine is not None:
                    engine.dispose()
