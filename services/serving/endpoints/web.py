"""The HTTP side: inference, and around it administration, as one plain ASGI application.

A request for inference is a path that was seen before, a body and a look into a table; no framework stands between.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from opentelemetry.trace import SpanKind

from runtime import asgi
from runtime.asgi import JSON, Receive, Scope, Send
from runtime.errors import Permanent, ServiceError
from runtime.tracing import Tracing, sampled
from serving import errors
from serving.endpoints.administration import Administration
from serving.endpoints.bodies import Bodies
from serving.errors import Crowded, Encoded, MethodWrong, PathUnknown, Refused, TooLarge
from serving.figures import Figures
from serving.flights.people import People
from serving.inference import answering, asking, invocations
from serving.inference.answering import Reply
from serving.inference.journal import Journal, named
from serving.inference.running import run
from serving.model import cache
from serving.model.batch import Work
from serving.model.session import Array
from serving.model.version import Served
from serving.naming import Aim, aim
from serving.repository.repository import Repository
from serving.tally import Tally

log = logging.getLogger(__name__)

Headers = Mapping[bytes, bytes]
Infer = Callable[[Served, bytes, Headers, float], Awaitable[Reply]]
_PATHS, _LONGEST = 4096, 256
"""Paths that are remembered, and characters of one: a caller can make them up without end."""
_MICROSECONDS = 1e-6
_MOST_MICROSECONDS = 2**63
_UNNAMED = errors.body(Permanent("the service failed for a reason nobody named", "see its log"))


class Way(NamedTuple):
    """Where a path for inference leads."""

    aim: Aim
    infer: Infer


class Web:
    """The application.

    Args:
        repository: of the models.
        administration: answers everything else.
        figures: counts.
        tracing: makes a span of each request whose caller traces.
        bodies: reads those of requests.
        seconds: that a request may take, unless it says less.
        default: model of `/invocations` and `/flights/predict`; empty: the only one there is.
        people: answers about flights; None: this server does not offer it.
        journal: of predictions; None: none is kept.
    """

    def __init__(  # noqa: PLR0913  the parts of the service meet here
        self,
        repository: Repository,
        administration: Administration,
        figures: Figures,
        tracing: Tracing,
        *,
        bodies: Bodies,
        seconds: float,
        default: str,
        people: People | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._repository = repository
        self._administration = administration
        self._figures = figures
        self._tracing = tracing
        self._bodies = bodies
        self._seconds = seconds
        self._default = default
        self._ways: dict[str, Way] = {}
        self._people = people or People()
        self._verbs: Mapping[str, Infer] = {
            "infer": partial(_infer, journal),
            "invocations": partial(_invoke, journal),
            "flights": self._people.answer,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        parent = headers.get(b"traceparent")
        if not sampled(parent):
            await self._answer(headers, scope, receive, send)
            return
        with self._tracing.continued(f"{scope['method']} {scope['path']}", parent, SpanKind.SERVER):
            await self._answer(headers, scope, receive, send)

    async def _answer(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        tally: Tally | None = None
        body, unread = b"", False
        try:
            way = None
            if scope["method"] == "POST":
                way = self._ways.get(scope["path"]) or self._way(scope["path"])
                tensors = way is not None and way.infer is self._verbs["infer"]
                body = await self._bodies.read(scope, receive, headers, tensors=tensors)
            if way:
                deadline = asyncio.get_running_loop().time() + self._seconds
                served = self._repository.find(way.aim) or await self._repository.want(way.aim, deadline)
                served.used, tally = begun, served.tally
                status, (kind, answer, more) = 200, await way.infer(served, body, headers, deadline)
            else:
                status, kind, answer = await self._administered(scope["method"], scope["path"], body)
                more = ()
        except ServiceError as failure:
            status, kind, answer, more = errors.status(failure), JSON, errors.body(failure), errors.headers(failure)
            unread = isinstance(failure, TooLarge | Crowded)
        except Exception:  # one bad request must not end the server
            log.exception("request failed", extra={"path": scope["path"]})
            status, kind, answer, more = HTTPStatus.INTERNAL_SERVER_ERROR, JSON, _UNNAMED, ()
        finally:
            self._bodies.give(body)
        if unread:
            await asgi.linger(receive, send, answer, status, more)
        else:
            await asgi.answer(send, status, kind, answer, more)
        if tally:
            tally.answered(status, time.perf_counter() - begun)
        else:
            self._figures.elsewhere[status] += 1

    def _way(self, path: str) -> Way | None:
        """Where a path leads, None where it is not for inference."""
        match [each for each in path.split("/") if each]:
            case ["v2", "models", model, ("infer" | "invocations" | "flights") as verb]:
                way = Way(aim(model, ""), self._verbs[verb])
            case ["v2", "models", model, "versions", version, ("infer" | "invocations" | "flights") as verb]:
                way = Way(aim(model, version), self._verbs[verb])
            case ["invocations"]:
                return Way(aim(self._default or self._only(path), ""), self._verbs["invocations"])
            case ["flights", "predict"]:
                self._people.offered()
                return Way(aim(self._default or self._only(path), ""), self._verbs["flights"])
            case _:
                return None
        if len(path) <= _LONGEST:
            if len(self._ways) >= _PATHS:
                self._ways.clear()
            self._ways[path] = way
        return way

    def _only(self, path: str) -> str:
        names = self._repository.names()
        if len(names) != 1:
            told = f"{path}: {len(names)} models are here, and none is the default"
            remedy = "POST /v2/models/{model}/invocations or …/flights, or set TARMAC_DEFAULT_MODEL"
            raise PathUnknown(told, remedy)
        return names[0]

    async def _administered(self, method: str, path: str, body: bytes) -> asgi.Answer:
        if method in ("GET", "HEAD"):
            return await self._administration.asked(path)
        if method == "POST":
            return await self._administration.ordered(path, body)
        raise MethodWrong(f"{method:.20} {path:.100} is not possible", self._administration.method(path))


async def _infer(journal: Journal | None, served: Served, body: bytes, headers: Headers, deadline: float) -> Reply:
    question = asking.asked(body, headers, served)
    parameters = question.request.parameters
    if parameters:
        deadline = min(deadline, _allowed(parameters.get("timeout"), deadline))
        found = await _kept(served, question.work, deadline, cache.wish(parameters))
    else:
        found = await run(served, question.work, deadline)
    if journal:
        journal.offer(served, question.work, found, headers, named(question.request))
    return answering.answered(question, found, served)


async def _kept(served: Served, work: Work, deadline: float, wish: cache.Wish | None) -> list[Array]:
    """The outputs, from the version's cache where the request names a key under which they are."""
    if wish is None:
        return await run(served, work, deadline)
    key = wish.key, tuple(work.names), served.batcher.members
    found = served.cache.get(key, time.monotonic())
    if found is not None:
        served.tally.hits += 1
        return found
    served.tally.misses += 1
    found = await run(served, work, deadline)
    served.cache.put(key, found, time.monotonic() + wish.seconds)
    return found


async def _invoke(journal: Journal | None, served: Served, body: bytes, headers: Headers, deadline: float) -> Reply:
    kind = headers.get(b"content-type", JSON)
    if not kind.startswith(JSON):
        raise Encoded(f"Content-Type {kind[:60].decode('latin-1')} is not taken", "send application/json")
    work, table = invocations.asked(body, served)
    found = await run(served, work, deadline)
    if journal:
        journal.offer(served, work, found, headers)
    return JSON, invocations.answered(work.names, found, table=table), ()


def _allowed(timeout: object, deadline: float) -> float:
    """The time of the loop until which a request with `timeout`, microseconds, may take."""
    if timeout is None:
        return deadline
    if not isinstance(timeout, int) or isinstance(timeout, bool) or not 0 <= timeout < _MOST_MICROSECONDS:
        raise Refused(f"parameter timeout: {timeout!r:.40} is none", "give whole microseconds, 0 for no wish")
    return asyncio.get_running_loop().time() + timeout * _MICROSECONDS if timeout else deadline
