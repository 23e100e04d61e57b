"""Requests of the Open Inference Protocol V2, ready to be sent, and what came of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from contracts.inference_binary import HEADER, SIZE
from contracts.models import INPUT

Rows = Sequence[Sequence[float]]
LENGTH = HEADER.decode()


@dataclass(frozen=True)
class Ask:
    """A request.

    Attributes:
        path: where it goes.
        body: what it says.
        headers: besides those that every request has.
        tag: by what an experiment knows it again.
    """

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    tag: str = ""


class Answer(NamedTuple):
    """What came of a request.

    Attributes:
        tag: of the request.
        sent: when it was sent, in seconds of the monotonic clock.
        seconds: from then to its answer.
        status: of HTTP; 0 where no answer came.
        version: of the model that answered.
        values: of the first output.
    """

    tag: str
    sent: float
    seconds: float
    status: int
    version: str = ""
    values: tuple[float, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it holds a prediction."""
        return self.status == 200  # noqa: PLR2004  HTTP's own

    @property
    def ended(self) -> float:
        """When the answer was there."""
        return self.sent + self.seconds


def path(model: str, version: str = "") -> str:
    """Where requests for a model go; a version by its number or an alias, empty: what answers by default."""
    return f"/v2/models/{model}/{f'versions/{version}/' if version else ''}infer"


def ask(model: str, rows: Rows, version: str = "", tag: str = "", **parameters: object) -> Ask:
    """A request with its rows as JSON.

    Args:
        model: name of the model.
        rows: N rows of K values.
        version: its number or an alias.
        tag: by what it is known again.
        parameters: of the protocol, such as cache_key.
    """
    flat = [float(value) for row in rows for value in row]
    tensor = {"name": INPUT, "shape": [len(rows), len(rows[0])], "datatype": "FP32", "data": flat}
    body = {"inputs": [tensor], **({"parameters": parameters} if parameters else {})}
    return Ask(path(model, version), json.dumps(body).encode(), {"content-type": "application/json"}, tag)


def binary(model: str, rows: "np.ndarray[Any, np.dtype[np.float32]]", tag: str = "") -> Ask:
    """The same with its rows as bytes, little-endian, after the JSON; what is predicted is answered as JSON."""
    content = np.ascontiguousarray(rows, "<f4").tobytes()
    tensor = {"name": INPUT, "shape": list(rows.shape), "datatype": "FP32", "parameters": {SIZE: len(content)}}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"content-type": "application/octet-stream", LENGTH: str(len(head))}
    return Ask(path(model), head + content, headers, tag)


def answered(tag: str, sent: float, seconds: float, status: int, content: bytes) -> Answer:
    """What an answer in JSON says."""
    try:
        told: Any = json.loads(content)
        values = tuple(told["outputs"][0]["data"])
    except (ValueError, KeyError, TypeError, IndexError):
        return Answer(tag, sent, seconds, status)
    return Answer(tag, sent, seconds, status, str(told.get("model_version", "")), values)
