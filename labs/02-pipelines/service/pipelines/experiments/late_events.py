"""Which of two rows stands in the online store, when the older one is written last."""

import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from contracts.layout import NANOS, decode_time, encode_time, encode_value, entity_key, field_of, time_field
from contracts.online import Row, Writer
from contracts.views_flights import DEFINITIONS, PROJECT
from contracts.views_flights import PUNCTUALITY as VIEWS
from pipelines.settings import EVENT_TIME, LAST_WRITE
from pipelines.stage import SCRATCH, Stage
from runtime.figures import Result, row

VIEW = VIEWS[0]
_KEYS, _VERSIONS, _BATCH = 300, 12, 200
_BEGIN = 1_357_000_000

Write = Callable[[Sequence[Row]], object]


def late_events(stage: Stage) -> Result:
    """Write the same rows, out of order and partly twice, in both ways, and count the keys that are out of date."""
    rows = _rows()
    outcomes = {name: _outcome(stage, name, rows) for name in (LAST_WRITE, EVENT_TIME)}
    return {
        "settings": {"writes": stage.settings.writes},
        "keys": _KEYS,
        "rows": len(rows),
        "outdated": {name: outcome["outdated"] for name, outcome in outcomes.items()},
        "figures": [
            row(name, "recommendation", seconds=outcome["seconds"], throughput=len(rows) / sum(outcome["seconds"]))
            for name, outcome in outcomes.items()
        ],
    }


def _rows() -> list[Row]:
    """Several versions of each key, as two sources and a restart give them: shuffled, and some of them again."""
    draw = Random(13)  # noqa: S311  the same rows at every run
    versions = [(key, version) for key in range(_KEYS) for version in range(_VERSIONS)]
    late = versions + draw.sample(versions, len(versions) // 4)
    late.sort(key=lambda each: each[1] + draw.uniform(0, 3))
    return [
        Row(VIEW.name, {"route": f"JFK-{key:03}"}, (_BEGIN + version * 3600) * NANOS, (version, 0.5, float(version)))
        for key, version in late
    ]


def _outcome(stage: Stage, name: str, rows: Sequence[Row]) -> dict[str, Any]:
    where = stage.settings.online
    with stage.online(SCRATCH) as online:
        online.flushdb()
        writer = Writer(DEFINITIONS, where.host, where.port, password=stage.settings.redis_password, database=SCRATCH)
        write: Write = writer.write if name == EVENT_TIME else lambda some: _plainly(online, some)
        try:
            seconds = [_timed(write, rows[begin : begin + _BATCH]) for begin in range(0, len(rows), _BATCH)]
        finally:
            writer.close()
        held = [online.hget(_key(f"JFK-{key:03}"), time_field(VIEW.name)) for key in range(_KEYS)]
        online.flushdb()
    newest = (_BEGIN + (_VERSIONS - 1) * 3600) * NANOS
    return {"seconds": seconds, "outdated": sum(each is None or decode_time(each) < newest for each in held)}


def _timed(write: Write, rows: Sequence[Row]) -> float:
    begun = time.perf_counter()
    write(rows)
    return time.perf_counter() - begun


def _plainly(online: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401  Redis' client
    """Write each row over what stands there."""
    with online.pipeline(transaction=False) as pipe:
        for each in rows:
            values = {
                field_of(VIEW.name, field.name): encode_value(field.kind, value)
                for field, value in zip(VIEW.features, each.values, strict=True)
            }
            pipe.hset(_key(str(each.keys["route"])), mapping={**values, time_field(VIEW.name): encode_time(each.nanos)})
        pipe.execute()


def _key(route: str) -> bytes:
    return entity_key(PROJECT, {"route": ("string", route)})
