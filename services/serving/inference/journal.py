"""The journal: every prediction that was answered, on its way to the topic `prediction.made.v1`.

A request only leaves what it has in hand in a queue, and never waits. A thread makes records of it and hands them to
Kafka; while Kafka is away the queue fills, and what finds it full is dropped and counted.
"""

import datetime as dt
import logging
import random
import re
import threading
import time
import uuid
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from opentelemetry import trace

from contracts.inference import Request
from contracts.predictions import ONLINE, SHADOW, Mode, PredictionMade, encode
from contracts.topics import PREDICTED
from runtime.errors import Temporary
from runtime.process import Stop
from runtime.tracing import headers as trace_headers
from runtime.tracing import recording
from serving.inference.callers import FLIGHT, REQUEST, VARIANT
from serving.model.batch import Work
from serving.model.session import Array
from serving.model.version import Served

log = logging.getLogger(__name__)

_SHADOW = b"-shadow"
"""What Envoy appends to the host of a request that it mirrors, unless it is told not to."""
_COPIED = b"x-tarmac-copied-to"
"""Header that says which Service gets a copy of a request; the request has it as well as the copy. Envoy Gateway leaves
the host of a copy as it is, so that a release that mirrors says it with this."""
_TURN_SECONDS = 0.1
_AGAIN_SECONDS = 1.0
_TRACE = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")
"""A W3C `traceparent`, with the id of its trace."""
_ID = range(8, 65)
"""Lengths that an id of a flight may have."""
_LONGEST = 64
"""Characters of the name of a side; what a caller writes beyond would be more than a record may have."""

Headers = Mapping[bytes, bytes]
RecordHeaders = list[tuple[str, bytes]]


class Named(NamedTuple):
    """What a caller says of its rows in the request itself; headers say the rest.

    Attributes:
        flights: id of the flight; of several rows, a list or a text with commas.
        variant: side of an A/B test.
        request: id of the request.
    """

    flights: object = None
    variant: object = None
    request: str = ""


NOBODY = Named()
"""Nothing is said in the request itself."""


def named(request: Request) -> Named:
    """What a V2 request says of its rows, by its parameters `flight` and `variant`, and its id."""
    told = request.parameters or {}
    return Named(told.get("flight"), told.get("variant"), request.id)


class Sends(Protocol):
    """What records are handed to: `runtime.broker.Publisher`."""

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has; waits for one that is not declared yet."""

    def send(self, topic: str, value: bytes, key: bytes, headers: RecordHeaders) -> Any:  # noqa: ANN401  the client's future
        """Hand over one record; waits while there is no room."""

    def check(self) -> None:
        """Raise what went wrong with any record so far."""

    def close(self, seconds: float) -> None:
        """Send what waits, for so long at most."""


class _Entry(NamedTuple):
    """What a request leaves."""

    at: float
    served: Served
    rows: Array
    found: Array
    headers: Headers
    named: Named
    parent: RecordHeaders


class Journal:
    """Keeps predictions.

    Args:
        connect: makes what records are handed to, once Kafka is there; ends early when asked to stop.
        track: of this server.
        ratio: share of the predictions that are kept; of one flight, all or none, on every track.
        room: rows that may wait.
        mode: how predictions are asked for; of those that callers ask, the gateway's copies are told apart.
    """

    def __init__(
        self, connect: Callable[[Stop], Sends], track: str, ratio: float, room: int, mode: Mode = ONLINE
    ) -> None:
        self._connect = connect
        self._track = track
        self._ratio = ratio
        self._room = room
        self._mode = mode
        self._queue: deque[_Entry] = deque()
        self._offered = self._taken = 0
        self.dropped = self.sent = 0
        self._stop, self._closing = Stop(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def offer(
        self, served: Served, work: Work, found: Sequence[Array], headers: Headers, named: Named = NOBODY
    ) -> None:
        """Keep what a version answered, where its input is rows of numbers and its output one of each; never waits.

        Args:
            served: the version.
            work: what it computed.
            found: its outputs.
            headers: of the request, by their names in small letters.
            named: what the request says of its rows.
        """
        column = served.tally.column
        if not (column and served.even and column in work.names) or not self._drawn(named, headers):
            return
        if self._offered - self._taken + work.rows > self._room:
            self.dropped += work.rows
            return
        self._offered += work.rows
        parent = trace_headers(trace.get_current_span()) if recording() else []
        (rows,) = work.feed.values()
        self._queue.append(_Entry(time.time(), served, rows, found[work.names.index(column)], headers, named, parent))

    @property
    def waiting(self) -> int:
        """Rows that wait."""
        return self._offered - self._taken

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Send what waits, for so long at most."""
        self._closing.set()
        self._thread.join(seconds)
        self._stop.set()

    def _drawn(self, named: Named, headers: Headers) -> bool:
        """Whether a prediction is kept; tracks that were asked about one flight decide alike."""
        if self._ratio >= 1:
            return True
        key = str(named.flights or headers.get(FLIGHT) or "")
        return (zlib.crc32(key.encode()) / 2**32 if key else random.random()) < self._ratio  # noqa: S311  a sample

    def _run(self) -> None:
        while not self._stop:
            try:
                self._keep(self._connect(self._stop))
            except Temporary as failure:
                log.warning(failure.what, extra={"remedy": failure.remedy})
            except Exception:  # predictions go on without their journal
                log.exception("the journal failed; it begins anew")
            if self._closing.is_set():
                return
            self._stop.wait(_AGAIN_SECONDS)

    def _keep(self, publisher: Sends) -> None:
        try:
            publisher.partitions(PREDICTED)
            while not self._stop:
                last = self._closing.is_set()
                self._send_all(publisher)
                if last:
                    return
                self._closing.wait(_TURN_SECONDS)
        finally:
            publisher.close(_AGAIN_SECONDS)

    def _send_all(self, publisher: Sends) -> None:
        publisher.check()
        while self._queue:
            entry = self._queue.popleft()
            self._taken += len(entry.rows)
            left = len(entry.rows)
            try:
                for record in records(entry, self._track, self._mode):
                    key = (record.flight or record.id).encode()
                    publisher.send(PREDICTED, encode(record), key, _carried(entry))
                    left -= 1
                    self.sent += 1
            finally:
                self.dropped += left


def records(entry: _Entry, track: str, mode: Mode) -> Iterator[PredictionMade]:
    """The records of what a request left, one for each row."""
    headers, named, rows = entry.headers, entry.named, entry.rows.tolist()
    flights = _flights(named.flights if named.flights is not None else headers.get(FLIGHT), len(rows))
    request = named.request or _text(headers.get(REQUEST)) or uuid.uuid4().hex
    side = _text(named.variant if named.variant is not None else headers.get(VARIANT))
    variant = side if 0 < len(side) <= _LONGEST else None
    found = _TRACE.match(next((value for _, value in _carried(entry)), b""))
    for number, (features, flight) in enumerate(zip(rows, flights, strict=True)):
        yield PredictionMade(
            id=f"{request[:180]}.{number}" if len(rows) > 1 else request[:180],
            made_at=dt.datetime.fromtimestamp(entry.at, dt.UTC),
            model=entry.served.name,
            version=entry.served.version,
            track=track,
            mode=_mode(headers, track) if mode == ONLINE else mode,
            flight=flight,
            features=features,
            prediction=float(entry.found.flat[number]),
            variant=variant,
            trace=found[1].decode() if found else None,
        )


def _carried(entry: _Entry) -> RecordHeaders:
    """W3C context that goes with the records: this server's span, or what the caller sent."""
    parent = entry.headers.get(b"traceparent")
    return entry.parent or ([("traceparent", parent)] if parent else [])


def _flights(given: object, rows: int) -> list[str | None]:
    """The flight of each row; None where its id cannot be one."""
    # Whatever a caller put into a list: what is no text is no id.
    names: Iterable[str] = map(_text, given) if isinstance(given, list) else _text(given).split(",")
    found = [each if len(each) in _ID else None for each in map(str.strip, names)]
    return found if len(found) == rows else [None] * rows


def _mode(headers: Headers, track: str) -> Mode:
    host = headers.get(b"host", b"").rpartition(b":")
    copied = bool(track) and headers.get(_COPIED, b"").endswith(f"-{track}".encode())
    return SHADOW if copied or (host[0] or host[2]).endswith(_SHADOW) else ONLINE


def _text(given: object) -> str:
    if isinstance(given, bytes):
        return given.decode("latin-1")
    return given if isinstance(given, str) else ""
