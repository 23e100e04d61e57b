"""Asynchronous inference: what stands in `prediction.asked.v1`, and what comes of it in `prediction.answered.v1`.

A request is one of the Open Inference Protocol V2 in JSON that names its model and has an id. Its answer has the same
id and the same record key: V2's own, or V2's error with a status as HTTP has it. The same request may be answered
twice, and whoever reads the answers drops the second by its id.

    {"id": "7", "model_name": "delay-boosting", "inputs": [{"name": "features", "shape": [1, 35], ...}]}
    {"id": "7", "model_name": "delay-boosting", "model_version": "3", "outputs": [...]}
    {"id": "7", "model_name": "delay-boosting", "error": "input features: ... - ...", "status": 400}
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.inference import Failure, Request
from contracts.validation import Invalid, why


class Asked(Request, kw_only=True):
    """A request."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    model_name: Annotated[str, Meta(min_length=1)]
    model_version: str = ""
    """A version or an alias; empty: the default."""


class Unanswered(Failure, kw_only=True):
    """What is answered where there is no prediction."""

    id: str
    model_name: str
    status: int


_decode = msgspec.json.Decoder(Asked).decode


def asked(value: bytes | None) -> Asked:
    """The request in a record.

    Raises:
        Invalid: it is none, with field and reason.
    """
    try:
        return _decode(value or b"")
    except msgspec.DecodeError as failure:
        raise why(failure) from None
    except (UnicodeDecodeError, RecursionError) as failure:
        raise Invalid("malformed", "$", f"not JSON: {failure!s:.100}") from None
