"""The floor: an ASGI function that decodes a V2 request, runs the model and encodes the answer.

No validation beyond JSON, one model, no versions, no figures. python -m uvicorn bench.serving_floor:app
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import numpy as np
from bench import serving_peer as peer

SESSION = peer.session()


class Tensor(msgspec.Struct):
    """An input or output."""

    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class Request(msgspec.Struct):
    """What is asked."""

    inputs: list[Tensor]


class Response(msgspec.Struct):
    """What is answered."""

    model_name: str
    model_version: str
    outputs: list[Tensor]


_DECODE, _ENCODE = msgspec.json.Decoder(Request).decode, msgspec.json.Encoder().encode


async def app(
    _scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Answer any request as one for the small model."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    data = _raw(body) if peer.RAW else _json(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data})


def _json(body: bytes) -> bytes:
    given = _DECODE(body).inputs[0]
    (found,) = SESSION.run(None, {given.name: np.array(given.data, np.float32).reshape(given.shape)})
    output = Tensor("y", list(found.shape), "FP32", found.ravel().tolist())
    return _ENCODE(Response(peer.MODEL, "1", [output]))


def _raw(body: bytes) -> bytes:
    found: np.ndarray[Any, Any] = SESSION.run(None, {"x": peer.rows(body)})[0]
    return found.tobytes()
