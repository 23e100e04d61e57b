"""Marked events: sent at a steady rate, and waited for in Redis. CLOCK_MONOTONIC is one clock for both processes.

    python -P -m bench.online_marks send SERVERS FILE RATE SECONDS      BENCH_TOPICS says where to
    python -P -m bench.online_marks watch REDIS_PORT MARKS

One event in twenty is a mark: a reading of the weather that bears its number. Marks take the stations in turn, for a
partition follows a bounded number of keys. A mark has arrived as soon as its station's row is of it or of a later one.
"""

import datetime as dt
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import redis

from contracts import WeatherRead, encode
from contracts.layout import decode_value, entity_key, field_of
from contracts.topics import WEATHER as TOPIC
from contracts.views_flights import PROJECT, WEATHER
from ingest import replay
from runtime.broker import Publisher
from runtime.process import Stop

EVERY = 20
STATIONS = 60
BEGIN = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
LOOK = 0.002
"""Seconds between two looks into Redis."""
_PATIENCE = 45.0  # seconds without a new mark after which the watch is given up
_EARLY = 0.002  # seconds that an event may be sent early, so that the process does not wake for each one

Sendable = tuple[str, bytes, bytes]
"""Topic, value and key."""


def station(number: int) -> str:
    """Return the station that a mark is a reading of; no airport of the flights is called so."""
    ten, one = divmod(number % STATIONS, 26)
    return f"Q{chr(ord('A') + ten)}{chr(ord('A') + one)}"


def mark(number: int) -> WeatherRead:
    """Return a mark; a station's marks are an hour apart, as its readings are."""
    time_ = BEGIN + dt.timedelta(minutes=number)
    return WeatherRead(id=f"mark-{number:08}", time=time_, station=station(number), wind_gust=float(number))


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the middle, two high percentiles (nearest rank) and the greatest, in milliseconds."""
    ranked = sorted(seconds)
    shares = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    return {
        name: round(1000 * ranked[max(-int(-share * len(ranked) // 1), 1) - 1], 1) for name, share in shares.items()
    }


def planned(file: Path, names: Mapping[str, str], events: int) -> Iterator[Sendable]:
    """Yield so many events: those of the replay file, and the marks among them."""
    replayed = iter(replay.Replay(file, BEGIN, events, loops=0))
    for number in range(events):
        if number % EVERY:
            each = next(replayed)
            yield names[each.topic], each.value, each.key.encode()
        else:
            made = mark(number // EVERY)
            yield names[TOPIC], encode(made), made.key.encode()


def send(servers: str, file: Path, rate: float, seconds: float) -> dict[str, Any]:
    """Send at a steady rate; when each mark was handed to the client, and how well the rate was held."""
    names = json.loads(os.environ["BENCH_TOPICS"])
    ready = list(planned(file, names, round(rate * seconds)))
    publisher = Publisher(servers, Stop())
    for topic in names.values():
        publisher.partitions(topic)
    sent, late, begun = [], [], time.monotonic()
    for number, (topic, value, key) in enumerate(ready):
        due = begun + number / rate
        while (wait := due - time.monotonic()) > _EARLY:
            time.sleep(wait)
        if not number % EVERY:
            sent.append(time.monotonic())
            late.append(max(sent[-1] - due, 0.0))
        publisher.send(topic, value, key, [])
    took = time.monotonic() - begun
    publisher.flush(60)
    publisher.close(10)
    return {"events": len(ready), "held": round(len(ready) / took, 1), "late": percentiles(late), "sent": sent}


class Watch:
    """Looks for marks in Redis.

    Args:
        port: Redis' port.
        marks: how many there will be.

    """

    def __init__(self, port: int, marks: int) -> None:
        self._client = redis.Redis(port=port)
        self._keys = [entity_key(PROJECT, {"origin": ("string", station(each))}) for each in range(STATIONS)]
        self._field = field_of(WEATHER.name, "weather_wind_gust")
        self._marks = marks
        self._oldest = 0
        self._newest = [-1] * STATIONS
        self._looked = time.monotonic()
        self.seen: list[tuple[int, float]] = []
        """Number of a mark, and when its row was there."""
        self.added: list[float] = []
        """Seconds by which an age may be too great: since the look before, which did not find it."""

    def run(self) -> None:
        """Look until all marks have arrived, or nothing new comes."""
        self._numbers(self._keys)  # connects
        print("watching", flush=True)
        changed = time.monotonic()
        while self._oldest < self._marks and time.monotonic() - changed < _PATIENCE:
            before, self._looked = self._looked, time.monotonic()
            # Marks come in order: while the oldest one is not there, no other has to be looked for.
            if self._numbers([self._keys[self._oldest % STATIONS]])[0] >= self._oldest:
                self._sweep(before)
                changed = time.monotonic()
            time.sleep(LOOK)

    def _sweep(self, before: float) -> None:
        numbers = self._numbers(self._keys)
        now = time.monotonic()
        for place, number in enumerate(numbers):
            if number > self._newest[place]:
                self._newest[place] = number
                self.seen.append((number, now))
        self.added.append(now - before)
        while self._oldest < self._marks and self._newest[self._oldest % STATIONS] >= self._oldest:
            self._oldest += 1

    def _numbers(self, keys: Sequence[bytes]) -> list[int]:
        pipe: Any = self._client.pipeline(transaction=False)  # the client's types know no keys of bytes
        for key in keys:
            pipe.hget(key, self._field)
        return [int(decode_value(found)) if found else -1 for found in pipe.execute()]


def watch(port: int, marks: int) -> dict[str, Any]:
    """Watch for so many marks."""
    made = Watch(port, marks)
    made.run()
    return {"seen": made.seen, "added": percentiles(made.added) if made.added else None}


def ages(sent: Sequence[float], seen: Sequence[tuple[int, float]]) -> tuple[dict[int, float], int]:
    """Return the age of each mark when it had arrived, in seconds, and of how many a later one stood there first."""
    found: dict[int, float] = {}
    for number, now in seen:
        for each in range(number, -1, -STATIONS):
            if each in found:
                break
            found[each] = now - sent[each]
    return found, len(found) - len(seen)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        print(json.dumps(send(sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))))
    else:
        print(json.dumps(watch(int(sys.argv[2]), int(sys.argv[3]))))
