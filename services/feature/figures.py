"""What Prometheus is told about the feature service.

The hot path counts in plain numbers; they become metrics when somebody scrapes.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.views import Definitions
from runtime import metrics

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Seconds."""


class Tally:
    """What was read of one view."""

    __slots__ = ("buckets", "detours", "missing", "outside", "rows", "seconds")

    def __init__(self) -> None:
        self.rows = self.missing = self.outside = self.detours = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(BOUNDS) + 1)


class Figures(Collector):
    """Figures of `serve`."""

    def __init__(self, definitions: Definitions) -> None:
        self.registry: CollectorRegistry = metrics.registry()
        self._tallies = {view.name: Tally() for view in definitions.views}
        self._clocks: Mapping[str, tuple[float, float]] = {}
        self.requests = Counter(
            "feature_requests_total", "Requests by path and status", ["path", "status"], registry=self.registry
        )
        self.duration = Histogram(
            "feature_request_duration_seconds", "Seconds to answer", ["path"], buckets=BOUNDS, registry=self.registry
        )
        self.written = Counter(
            "feature_rows_written_total", "Rows pushed, by what came of them", ["view", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self.registry.register(self)

    def read(self, view: str, rows: int, seconds: float) -> None:
        """So many rows of a view were read in a round trip that took so long."""
        tally = self._tallies[view]
        tally.rows += rows
        tally.seconds += seconds
        tally.buckets[bisect_left(BOUNDS, seconds)] += 1

    def missed(self, view: str, rows: int) -> None:
        """So many rows were not in the store."""
        self._tallies[view].missing += rows

    def outside(self, view: str, rows: int) -> None:
        """So many rows were older than the view's TTL."""
        self._tallies[view].outside += rows

    def detour(self, view: str, rows: int) -> None:
        """So many rows were read from Feast's fields, because their packed copy did not count."""
        self._tallies[view].detours += rows

    def clocks(self, clocks: Mapping[str, tuple[float, float]]) -> None:
        """View -> newest event time and time of the last write, seconds since the epoch."""
        self._clocks = clocks

    def collect(self) -> Iterable[Metric]:
        """The numbers as metrics."""
        yield self._counter("feature_rows_read", "Rows read", "rows")
        yield self._counter("feature_rows_missing", "Rows asked for that the store does not have", "missing")
        yield self._counter("feature_rows_outside_max_age", "Rows older than their view's TTL", "outside")
        yield self._counter("feature_rows_detoured", "Rows read without their packed copy", "detours")
        yield self._latency()
        yield from self._ages()

    def _counter(self, name: str, meaning: str, what: str) -> Metric:
        family = CounterMetricFamily(name, meaning, labels=["view"])
        for view, tally in self._tallies.items():
            family.add_metric([view], getattr(tally, what))
        return family

    def _latency(self) -> Metric:
        family = HistogramMetricFamily("feature_read_duration_seconds", "Seconds of a view's reads", labels=["view"])
        for view, tally in self._tallies.items():
            total, buckets = 0, []
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), tally.buckets, strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric([view], buckets, tally.seconds)
        return family

    def _ages(self) -> Iterable[Metric]:
        written = GaugeMetricFamily(
            "feature_staleness_seconds", "Seconds since a view was last written", labels=["view"]
        )
        behind = GaugeMetricFamily(
            "feature_behind_seconds", "Seconds of event time between a view and the newest one", labels=["view"]
        )
        now = time.time()
        newest = max((event for event, _ in self._clocks.values()), default=0.0)
        for view, (event, wall) in self._clocks.items():
            written.add_metric([view], max(now - wall, 0.0))
            behind.add_metric([view], newest - event)
        return written, behind
