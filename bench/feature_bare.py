"""The peer that does as little as can be done: an ASGI function that reads Feast's fields with HMGET and decodes them.

No validation, no statuses beyond PRESENT, no figures. python -m uvicorn bench.feature_bare:app
"""

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio
from bench.feature_views import DEFINITIONS
from feast.infra.online_stores.helpers import _mmh3, _redis_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]

CLIENT = redis.asyncio.Redis(port=int(os.environ["BENCH_REDIS"]))
PLAN = [
    (view.name, [each.name for each in view.features], [_mmh3(f"{view.name}:{each.name}") for each in view.features])
    for view in DEFINITIONS.views
]


async def app(
    _scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Answer any request as one for all features."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    planes = json.loads(body)["entities"]["plane"]
    keys = [
        _redis_key("bench", EntityKey(join_keys=["plane"], entity_values=[Value(string_val=plane)])) for plane in planes
    ]
    async with CLIENT.pipeline(transaction=False) as pipe:
        for name, _, fields in PLAN:
            for key in keys:
                pipe.hmget(key, [*fields, f"_ts:{name}"])
        found = await pipe.execute()
    data = json.dumps(_answer(planes, found)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def _answer(planes: list[str], found: list[list[bytes]]) -> dict[str, Any]:
    present = ["PRESENT"] * len(planes)
    names, results = ["plane"], [{"values": planes, "statuses": present, "event_timestamps": [""] * len(planes)}]
    for number, (_, features, _fields) in enumerate(PLAN):
        rows = found[number * len(planes) : (number + 1) * len(planes)]
        times = [Timestamp.FromString(row[-1]).ToJsonString() for row in rows]
        for place, name in enumerate(features):
            names.append(name)
            results.append(
                {"values": [_value(row[place]) for row in rows], "statuses": present, "event_timestamps": times}
            )
    return {"metadata": {"feature_names": names}, "results": results}


def _value(data: bytes) -> Any:  # noqa: ANN401  as the callee has it
    value = Value.FromString(data)
    which = value.WhichOneof("val")
    return getattr(value, which) if which else None
