"""What the running broker gives, and what the course's own stream asks of one."""

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from contracts.topics import EVENTS, WEATHER
from pipelines.stage import Stage
from runtime.broker import Log, Place, Publisher
from runtime.errors import Temporary
from runtime.figures import Result, percentile, rounded, row

TOPIC = "lab-02.burst"
_SENDS, _BURST = 200, 20_000
_PATIENCE = 60.0  # seconds
_WINDOW = 144.0
"""Seconds of the log that tell its pace: a day of event time at the usual speed-up, so that no quiet night decides."""
_NEWEST = 2_000
"""Records of a partition that are looked at: more than it gets in that time."""
_DAY = 86_400
_KEPT_DAYS = 7
_MEGA = 1_000_000

Tail = Sequence[Any]
"""The newest records of one partition, in order."""


class StreamEmpty(Temporary):
    """The log holds no event yet: there is nothing to measure with."""


def broker_figures(stage: Stage) -> Result:
    """Send real events one by one and in a burst, and take the pace of the replay from the log.

    Raises:
        StreamEmpty: the replay has sent nothing yet.
        TopicMissing: the topic of the burst is not declared.
        BrokerUnavailable: the broker does not answer in time.
    """
    with closing(Log(stage.settings.kafka, stage.stop)) as log, stage.publisher() as publisher:
        burst = log.places(TOPIC)
        tails = {place: _tail(log, place) for topic in EVENTS for place in log.places(topic)}
        replay = pace(list(tails.values()), time.time())
        sends = _one_by_one(publisher, _usual_reading(tails))
        before = _ends(log, burst)
        seconds, cpu = _in_a_burst(publisher, [record.value for tail in tails.values() for record in tail])
        written = _ends(log, burst) - before
    return {
        "settings": {},
        "sends": len(sends),
        "seconds_p50": rounded(percentile(sends, 0.5), 5),
        "seconds_p95": rounded(percentile(sends, 0.95), 5),
        "records": _BURST,
        "written": written,
        "records_per_second": rounded(_BURST / seconds, 1),
        "partitions": len(burst),
        "replay": replay,
        "need": need(replay, _BURST / seconds / len(burst)),
        "figures": [
            row("kafka, one by one", "weather", seconds=sends, throughput=len(sends) / sum(sends)),
            row("kafka, burst", "punctuality", throughput=_BURST / seconds, cpu_per_1000=1000 * cpu / _BURST),
        ],
    }


def pace(tails: Sequence[Tail], now: float) -> dict[str, Any]:
    """What the replay sends: events and bytes per second, and bytes of an event (key and value, as clouds count them).

    Args:
        tails: the newest records of each partition of the event topics.
        now: seconds since the epoch.
    """
    sizes = [[len(record.key or b"") + len(record.value or b"") for record in tail] for tail in tails]
    rates = [_rate([record.timestamp / 1000 for record in tail], now) for tail in tails]
    volume = sum(rate * sum(size) / len(size) for rate, size in zip(rates, sizes, strict=True) if size)
    events = [each for size in sizes for each in size]
    return {
        "events_per_second": rounded(sum(rates), 2),
        "bytes_per_second": rounded(volume, 1),
        "bytes_per_event": rounded(sum(events) / len(events), 1) if events else None,
    }


def _rate(stamps: Sequence[float], now: float) -> float:
    """Records per second up to `now`: over the window, or over all there are where they do not reach back so far."""
    recent = [stamp for stamp in stamps if stamp >= now - _WINDOW]
    if len(recent) < len(stamps):
        return len(recent) / _WINDOW
    # The first one only marks the beginning.
    return (len(recent) - 1) / (now - recent[0]) if len(recent) > 1 and now > recent[0] else 0.0


def need(replay: Mapping[str, Any], per_partition: float) -> dict[str, Any]:
    """What the replay asks of a broker: partitions for its writes, and room for a week in one copy.

    Args:
        replay: what `pace` found.
        per_partition: records per second that one partition took.
    """
    bytes_per_day = float(replay["bytes_per_second"]) * _DAY
    return {
        "partitions": max(1, math.ceil(replay["events_per_second"] / per_partition)),
        "mb_per_day": rounded(bytes_per_day / _MEGA, 1),
        "retention_bytes": round(bytes_per_day * _KEPT_DAYS),
    }


def _tail(log: Log, place: Place) -> Tail:
    first, next_ = log.bounds([place])[place]
    return list(log.read(place, max(first, next_ - _NEWEST), next_))


def _usual_reading(tails: Mapping[Place, Tail]) -> bytes:
    """A weather reading of the middle size: probes and experiments send smaller ones in between."""
    readings = [bytes(record.value) for place, tail in tails.items() if place.topic == WEATHER for record in tail]
    if not readings:
        raise StreamEmpty(
            f"topic {WEATHER} holds no record",
            "wait until the replay has begun, then measure again; `lab status` shows it",
        )
    return sorted(readings, key=len)[len(readings) // 2]


def _one_by_one(publisher: Publisher, value: bytes) -> list[float]:
    """Seconds of each send until the broker has said that it holds the record."""
    _acknowledged(publisher, value)  # the first one finds the topic and introduces the sender
    return [_acknowledged(publisher, value) for _ in range(_SENDS)]


def _acknowledged(publisher: Publisher, value: bytes) -> float:
    begun = time.perf_counter()
    publisher.send(TOPIC, value, None, [], 0)
    publisher.flush(_PATIENCE)
    return time.perf_counter() - begun


def _in_a_burst(publisher: Publisher, values: Sequence[bytes]) -> tuple[float, float]:
    """Send as fast as the broker takes it; seconds until all is acknowledged, and CPU seconds of this process."""
    partitions = publisher.partitions(TOPIC)
    begun, cpu = time.perf_counter(), time.process_time()
    for number, value in zip(range(_BURST), itertools.cycle(values), strict=False):
        publisher.send(TOPIC, value, None, [], number % partitions)
    publisher.flush(_PATIENCE)
    return time.perf_counter() - begun, time.process_time() - cpu


def _ends(log: Log, places: Sequence[Place]) -> int:
    """How many records were ever written to these partitions, by the broker's own count."""
    return sum(next_ for _, next_ in log.bounds(places).values())
