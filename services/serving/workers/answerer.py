"""Answers requests that came in a topic, by the very code that answers them over HTTP."""

import asyncio
import logging
import time
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from opentelemetry.trace import SpanKind

from contracts.asynchronous import Asked, Unanswered, asked
from contracts.inference import Output, Response
from contracts.validation import Invalid
from runtime import tracing
from runtime.broker import Headers
from runtime.errors import ServiceError
from runtime.tracing import HEADER, Tracing
from serving import errors
from serving.inference import asking
from serving.inference.journal import Journal, named
from serving.model.version import Served
from serving.naming import aim
from serving.repository.repository import Repository

log = logging.getLogger(__name__)

_ENCODE = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """What is sent.

    Attributes:
        value: JSON.
        headers: that carry the request's trace on.
        status: as HTTP would have it.
    """

    value: bytes
    headers: Headers
    status: int


class Answerer:
    """Answers records.

    Args:
        models: that are asked.
        tracing: makes a span of each request whose caller traces.
        seconds: that a request may take.
        journal: keeps predictions; None: nobody does.
    """

    def __init__(self, models: Repository, tracing: Tracing, seconds: float, journal: Journal | None = None) -> None:
        self._models = models
        self._tracing = tracing
        self._seconds = seconds
        self._journal = journal

    async def answer(self, record: Any) -> Answer | Invalid:  # noqa: ANN401  the client's record
        """The answer to a record; why there can be none where it is no request."""
        try:
            request = asked(record.value)
        except Invalid as refusal:
            return refusal
        parent = tracing.traceparent(record.headers)
        told = {"messaging.destination.name": record.topic, "messaging.kafka.offset": record.offset}
        with self._tracing.continued(f"answer {record.topic}", parent, SpanKind.CONSUMER, **told) as span:
            value, status = await self._answered(request, parent)
        own = tracing.headers(span)
        return Answer(value, own or ([(HEADER, parent)] if parent else []), status)

    async def _answered(self, request: Asked, parent: bytes | None) -> tuple[bytes, int]:
        begun, served = time.perf_counter(), None
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            at = aim(request.model_name, request.model_version)
            served = self._models.find(at) or await self._models.want(at, deadline)
            served.used = begun
            value, status = await self._predicted(request, served, deadline, parent), int(HTTPStatus.OK)
        except ServiceError as failure:
            status = int(errors.status(failure))
            value = _failed(request, status, f"{failure.what} - {failure.remedy}")
        except Exception:  # one bad request must not end the worker
            log.exception("request failed", extra={"id": request.id, "model": request.model_name})
            status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
            value = _failed(request, status, "the service failed for a reason nobody named - see its log")
        if served:
            served.tally.answered(status, time.perf_counter() - begun)
        return value, status

    async def _predicted(self, request: Asked, served: Served, deadline: float, parent: bytes | None) -> bytes:
        work = asking.understood(request, {}, served)
        found = await served.batcher.run(work, deadline)
        if self._journal:
            self._journal.offer(served, work, found, {HEADER.encode(): parent} if parent else {}, named(request))
        outputs = [
            Output(name, served.datatypes[name], tensor.shape, None, tensor.ravel().tolist())
            for name, tensor in zip(work.names, found, strict=True)
        ]
        return _ENCODE(Response(served.name, served.version, outputs, request.id))


def _failed(request: Asked, status: int, error: str) -> bytes:
    return _ENCODE(Unanswered(error, id=request.id, model_name=request.model_name, status=status))
