"""The newest judgements and the age of every table, for Prometheus: read from the lake, never computed here."""

import datetime as dt
import logging
import time
from collections.abc import Mapping

import polars as pl
from prometheus_client import CollectorRegistry, Gauge

from lake.errors import StoreAway, TableBroken, TableMissing
from lake.quality import daily
from lake.steps import steps
from lake.store import Lake
from runtime import metrics
from runtime.health import Health
from runtime.process import Stop

log = logging.getLogger(__name__)

READY = "lake"


class Figures:
    """What `watch` tells."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = metrics.registry()
        monitor = ["table", "monitor", "column"]
        self.value = Gauge(
            "lake_quality_value", "What a monitor measured on the newest day", monitor, registry=self.registry
        )
        self.high = Gauge("lake_quality_limit", "The most that a monitor lets pass", monitor, registry=self.registry)
        self.alarms = Gauge(
            "lake_quality_alarms", "Monitors out of bounds on the newest day", ["table"], registry=self.registry
        )
        self.day = Gauge(
            "lake_quality_day_seconds",
            "The newest day that was judged, seconds since the epoch",
            registry=self.registry,
        )
        self.age = Gauge(
            "lake_table_age_seconds", "Seconds since the newest commit of a table", ["table"], registry=self.registry
        )
        self.version = Gauge("lake_table_version", "Number of the newest commit", ["table"], registry=self.registry)
        self.away = Gauge("lake_away", "1 while the lake cannot be read", registry=self.registry)


class Watch:
    """Looks at the lake from time to time.

    Args:
        lake: which.
        figures: where it is told.
        health: beats and readiness.
    """

    def __init__(self, lake: Lake, figures: Figures, health: Health) -> None:
        self._lake = lake
        self._figures = figures
        self._health = health
        self._judged = -1
        self.alarms: Mapping[dt.date, int] = {}
        """Day -> monitors out of bounds on it, of every day that was judged; replaced as a whole."""
        health.wait_for(READY, "not looked at yet")

    def run(self, stop: Stop, seconds: float) -> None:
        """Look until asked to stop."""
        while not stop:
            self._health.beat("watch")
            self.look()
            stop.wait(seconds)

    def look(self) -> None:
        """One look; a lake that is away or damaged is told as such."""
        try:
            for name in (*dict.fromkeys(name for step in steps() for name in step.inputs), daily.TABLE):
                self._table(name)
        except (StoreAway, TableBroken) as failure:
            log.warning("the lake cannot be read", extra={"cause": str(failure)})
            self._figures.away.set(1)
            return
        self._figures.away.set(0)
        self._health.met(READY)

    def _table(self, name: str) -> None:
        try:
            newest = self._lake.newest(name)
        except TableMissing:
            return  # not made yet
        self._figures.age.labels(name).set(time.time() - newest["timestamp"] / 1000)
        self._figures.version.labels(name).set(newest["version"])
        if name == daily.TABLE and newest["version"] != self._judged:
            self._tell(self._lake.collect(name, self._lake.scan(name)))
            self._judged = newest["version"]

    def _tell(self, rows: pl.DataFrame) -> None:
        self.alarms = dict(rows.group_by("date").agg(pl.col("alarm").sum()).iter_rows())
        newest = rows.filter(pl.col("date") == pl.col("date").max())
        for each in (self._figures.value, self._figures.high, self._figures.alarms):
            each.clear()
        for row in newest.iter_rows(named=True):
            labels = (row["table"], row["monitor"], row["column"])
            self._figures.value.labels(*labels).set(row["value"])
            self._figures.high.labels(*labels).set(row["high"])
            self._figures.alarms.labels(row["table"]).inc(int(row["alarm"]))
        if newest.height:
            day = newest.get_column("date").dt.epoch("s")[0]
            self._figures.day.set(day)
