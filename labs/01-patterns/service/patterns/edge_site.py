"""One site: takes readings of its station, keeps them, and hands them on to the centre while the link is up.

A reading's number comes from the sensor, which hands a reading over until the store has it. Nothing leaves the store
before the broker has acknowledged it: what was sent but not acknowledged is sent again after a crash, and the centre
knows it by its number.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from patterns.broker import GivenUp
from patterns.lake import Lake, LakeMissing
from patterns.store import Held, Store
from runtime.patience import BrokerUnavailable
from runtime.process import Stop

log = logging.getLogger(__name__)

TOPIC = "lab-01.edge"
STATIONS = ("EWR", "JFK", "LGA")
"""Station of site 0, 1, 2; the number is the topic's partition too."""

_BATCH = 200  # readings on their way at once
_ACKNOWLEDGED = 5.0  # seconds to wait for the broker before looking at the link again
_IDLE = 0.1  # seconds between two looks at an empty store


class Reading(NamedTuple):
    """A reading as it is stored and travels."""

    site: str
    sensor: float
    """When the instrument that numbers the readings was put up: another one begins with 1 again."""
    sequence: int
    taken: float
    """Seconds since the epoch."""
    weather: dict[str, Any]

    def encoded(self) -> bytes:
        """As JSON."""
        return json.dumps(self._asdict()).encode()

    @classmethod
    def decoded(cls, value: bytes) -> "Reading":
        """From JSON."""
        return cls(**json.loads(value))


class Outbox(Protocol):
    """The way to the broker, as `broker.Sender` is one."""

    def send(self, topic: str, value: bytes, key: bytes | None, *, partition: int) -> None:
        """Hand over one record."""

    def flush(self, seconds: float) -> None:
        """Wait until all is acknowledged."""

    def close(self, seconds: float) -> None:
        """Give up what is not acknowledged within so many seconds."""


class Sensor:
    """A station's instrument: it numbers its readings itself and hands one over until it is acknowledged.

    What it remembers stands in a file, for the instrument does not end with the site's process.
    """

    def __init__(self, folder: Path, lake: Lake, station: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "sensor"
        self._lake = lake
        self._station = station
        if self._file.exists():
            put_up, acknowledged = json.loads(self._file.read_text())
            self._put_up, self.acknowledged = float(put_up), int(acknowledged)
        else:
            self._put_up, self.acknowledged = time.time(), 0
        self._year = self._readings(self.acknowledged)

    def skip_to(self, sequence: int) -> None:
        """Number on after `sequence`, where that is further: the store knew more than the instrument's file."""
        if sequence > self.acknowledged:
            self.acknowledged = sequence
            self._year = self._readings(sequence)

    def take(self, count: int) -> list[Reading]:
        """The next readings; they count as taken once they are acknowledged."""
        numbers = range(self.acknowledged + 1, self.acknowledged + 1 + count)
        return [Reading(self._station, self._put_up, number, time.time(), next(self._year)) for number in numbers]

    def acknowledge(self, sequence: int) -> None:
        """The site has all readings up to this one."""
        self.acknowledged = sequence
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps([self._put_up, sequence]))
        fresh.replace(self._file)

    def _readings(self, after: int) -> Iterator[dict[str, Any]]:
        """The station's year, over and over; the first `after` readings are behind it."""
        while True:
            total = 0
            for line in self._lake.weather(self._station):
                total += 1
                if total > after:
                    yield json.loads(line)
            if not total:
                raise LakeMissing(f"the packed file has no reading of {self._station}", "see how it was packed")
            after = after % total if after >= total else 0


class Link:
    """Whether the site may talk to the centre; a cut outlives the process, as a cut cable does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "link-cut"

    @property
    def up(self) -> bool:
        """Whether it is whole."""
        return not self._file.exists()

    def set(self, *, up: bool) -> None:
        """Cut it, or join it again."""
        if up:
            self._file.unlink(missing_ok=True)
        else:
            self._file.touch()


class Site:
    """Takes, keeps and forwards; safe to use from several threads, save `forward_once`, which is one thread's.

    Args:
        station: airport of the site.
        sensor: where its readings come from.
        store: where they wait.
        link: whether they may leave.
        connect: opens a way to the broker.
    """

    def __init__(self, station: str, sensor: Sensor, store: Store, link: Link, connect: Callable[[], Outbox]) -> None:
        self.station = station
        self.link = link
        self._sensor = sensor
        self._store = store
        self._connect = connect
        self._outbox: Outbox | None = None
        self._sent = 0
        self._lock = threading.Lock()
        latest = store.latest()
        if latest:
            sensor.skip_to(latest.sequence)

    @property
    def sequence(self) -> int:
        """Number of the last reading taken."""
        return self._sensor.acknowledged

    def held(self) -> tuple[int, int]:
        """Readings that wait, and readings given up because there was no room."""
        with self._lock:
            return len(self._store), self._store.dropped

    def take(self, count: int) -> int:
        """Take so many readings now and keep them; the number of the last."""
        with self._lock:
            readings = self._sensor.take(count)
            self._store.put([Held(reading.sequence, reading.encoded()) for reading in readings])
            self._sensor.acknowledge(readings[-1].sequence)
            return readings[-1].sequence

    def latest(self) -> Reading | None:
        """The newest reading, from the site's own store."""
        with self._lock:
            held = self._store.latest()
        return Reading.decoded(held.value) if held else None

    def forward_once(self) -> bool:
        """Send what waits, in order, and forget what was acknowledged; whether there was anything to do.

        Raises:
            BrokerUnavailable: not acknowledged yet; the next call goes on waiting for it.
        """
        if not self.link.up:
            self.disconnect()
            return False
        with self._lock:
            if not len(self._store):
                return False
            batch = self._store.first(_BATCH, after=self._sent)
        outbox = self._outbox = self._outbox or self._connect()
        try:
            for held in batch:
                outbox.send(TOPIC, held.value, self.station.encode(), partition=STATIONS.index(self.station))
                self._sent = held.sequence
            outbox.flush(_ACKNOWLEDGED)
        except GivenUp:
            self.disconnect()
            raise
        with self._lock:
            self._store.forget(self._sent)
        return True

    def disconnect(self) -> None:
        """Close the way to the broker; what was not acknowledged will be sent again."""
        if self._outbox:
            self._outbox.close(0)
        self._outbox, self._sent = None, 0

    def forward(self, stop: Stop) -> None:
        """Forward until asked to stop."""
        while not stop:
            try:
                idle = not self.forward_once()
            except BrokerUnavailable as failure:
                log.warning("readings wait", extra={"cause": failure.what, "held": self.held()[0]})
                idle = True
            if idle:
                stop.wait(_IDLE)
        self.disconnect()
