"""Lambda and Kappa over the same arrivals.

Lambda   a batch layer over the older 80 % (from the lake) and a speed layer over the rest (from Kafka), merged for
         readers: two code paths, and so two places for the business rule
Kappa    one code path that replays everything from Kafka
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from contracts import FlightArrived
from contracts import Reader as Decoder
from contracts.topics import ARRIVED
from patterns.broker import Admin, Reader, Sender
from patterns.modes import RUN, TOPIC
from patterns.modes_experiment import evenly
from patterns.punctuality import Key, Table, differences, digest
from patterns.stopwatch import Spent, Stopwatch
from runtime.process import Stop

_EVENTS = 3000
_BATCH_SHARE = 0.8
_QUIET = 5.0  # seconds without a record after which the log has no more to give


class Layers:
    """Both architectures over one run's events.

    Args:
        batch_minutes, speed_minutes: each layer's rule: greatest delay that still counts as on time.
    """

    def __init__(self, servers: str, stop: Stop, batch_minutes: int, speed_minutes: int) -> None:
        self._servers = servers
        self._stop = stop
        self._batch_minutes = batch_minutes
        self._speed_minutes = speed_minutes
        self._decode = Decoder(ARRIVED).decode
        self._run = uuid.uuid4().hex.encode()

    def experiment(self, sample: Sequence[bytes]) -> dict[str, Any]:
        """Publish the sample, compute both, compare; the result.

        Raises:
            BrokerUnavailable: the broker is away.
        """
        begun = time.monotonic()
        events = evenly(sample, _EVENTS)
        first = self._publish(events)
        older = events[: int(len(events) * _BATCH_SHARE)]
        lambda_, merged = _timed(lambda: self._lambda(older, first, len(events)))
        kappa, replayed = _timed(lambda: self._from_log(first, len(events)))
        one, other = shown(merged), shown(replayed)
        counted = flights(replayed)
        found = {
            "events": len(events),
            "lambda": {
                "digest": digest(one),
                "batch_events": len(older),
                "speed_events": flights(merged) - len(older),
                "seconds": round(lambda_.seconds, 3),
            },
            "kappa": {"digest": digest(other), "replayed": counted, "seconds": round(kappa.seconds, 3)},
            "differences": differences(one, other),
            "agree": one == other and counted == len(events),
            "figures": [_figures("lambda", lambda_, flights(merged)), _figures("kappa", kappa, counted)],
        }
        rules = {"batch_on_time_minutes": self._batch_minutes, "speed_on_time_minutes": self._speed_minutes}
        seconds = round(time.monotonic() - begun, 2)
        return {"name": "lambda-kappa", "settings": rules, "seconds": seconds, **found}

    def _publish(self, events: Sequence[bytes]) -> int:
        """Write the run's events; the offset of the first."""
        admin = Admin(self._servers, self._stop)
        try:
            first = admin.ends(TOPIC)[0]
        finally:
            admin.close()
        sender = Sender(self._servers, self._stop)
        try:
            for line in events:
                sender.send(TOPIC, line, headers=[(RUN, self._run)], partition=0)
            sender.flush(15)
        finally:
            sender.close()
        return first

    def _lambda(self, older: Sequence[bytes], first: int, count: int) -> Table:
        batch = Table(self._batch_minutes)
        for line in older:
            batch.add(self._read(line))
        return batch.merge(self._from_log(first + len(older), count - len(older)))

    def _from_log(self, first: int, count: int) -> Table:
        """`count` of the run's events from Kafka, with the speed layer's rule."""
        table = Table(self._speed_minutes)
        for line in self._log(first, count):
            table.add(self._read(line))
        return table

    def _log(self, first: int, count: int) -> Iterator[bytes]:
        reader = Reader(self._servers, [TOPIC], self._stop)
        try:
            reader.seek(TOPIC, 0, first)
            last = time.monotonic()
            while count and time.monotonic() - last < _QUIET:
                for record in reader.poll(0.2):
                    if (RUN, self._run) in record.headers:
                        count -= 1
                        last = time.monotonic()
                        yield record.value
        finally:
            reader.close()

    def _read(self, line: bytes) -> FlightArrived:
        event = self._decode(line)
        assert isinstance(event, FlightArrived)  # noqa: S101  the decoder reads nothing else
        return event


def flights(table: Table) -> int:
    """Flights counted in all cells together."""
    return sum(cell.flights for cell in table.cells.values())


def shown(table: Table) -> dict[Key, bytes]:
    """The whole table as readers get it."""
    return table.published(table.cells)


def _timed(compute: Callable[[], Table]) -> tuple[Spent, Table]:
    watch = Stopwatch()
    table = compute()
    return watch.read(), table


def _figures(pattern: str, spent: Spent, events: int) -> dict[str, Any]:
    """Both are built anew from where the events are kept: that is their recovery too."""
    return {
        "pattern": pattern,
        "use_case": "punctuality",
        "latency_ms": None,
        "latency_p95_ms": None,
        "staleness_s": None,
        "throughput_per_s": round(events / spent.seconds, 1),
        "cpu_s_per_1000": round(1000 * spent.cpu / max(events, 1), 4),
        "recovery_s": round(spent.seconds, 3),
    }
