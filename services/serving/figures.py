"""What Prometheus is told about the serving service: every metric of a server. Its workers' are in `workers.figures`.

The hot path counts in plain numbers; they become metrics when somebody scrapes.
"""

from collections import Counter as Counted
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from runtime import metrics
from serving.tally import BOUNDS, Buckets, Tally

LABELS = ("model", "version")


class Figures(Collector):
    """Figures of `serve`."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = metrics.registry()
        self._tallies: dict[tuple[str, str], Tally] = {}
        self.elsewhere: Counted[int] = Counted()
        """HTTP status -> requests that reached no model."""
        self.members: Counted[tuple[str, str, str, str]] = Counted()
        """Composition, its version, member and the member's version -> rows that it answered."""
        self.loads: Counted[tuple[str, str]] = Counted()
        """Model and outcome (loaded, refused, unavailable, evicted, unloaded) -> how often."""
        self.refused: Collection[tuple[str, str]] = ()
        """Model and version that its default or an alias names and that cannot be served as it is."""
        self.loaded: Mapping[tuple[str, str], int] = {}
        """Model and version that are in memory -> bytes of their files."""
        self.aliases: Mapping[tuple[str, str], str] = {}
        """Model and alias -> version that answers for it, when it is a number."""
        self.registry.register(self)

    def tally(self, model: str, version: str) -> Tally:
        """The tally of a version; it goes on where it was when the version is loaded again."""
        return self._tallies.setdefault((model, version), Tally(model, version))

    def collect(self) -> Iterable[Metric]:
        """The numbers as metrics."""
        yield from self._requests()
        yield self._histogram("serving_request_duration_seconds", "Seconds to answer", "duration")
        yield self._histogram("serving_queue_duration_seconds", "Seconds that requests waited for a model", "queued")
        yield self._histogram("serving_run_duration_seconds", "Seconds of work of a model's runs", "running")
        yield self._histogram("serving_batch_requests", "Requests of a run", "batches")
        yield self._histogram(
            "serving_prediction", "Predictions that were computed, in the label's unit", "predictions"
        )
        yield self._counter("serving_rows", "Rows that models were given", "rows")
        yield self._counter("serving_requests_refused", "Requests for which the queue was too long", "refused")
        yield self._counter("serving_cache_hits", "Requests that the cache answered", "hits")
        yield self._counter("serving_cache_misses", "Requests with a key that the cache did not answer", "misses")
        yield self._members()
        yield from self._models()

    def _requests(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "serving_requests",
            "Requests by status; without a model where they reached none",
            labels=[*LABELS, "status"],
        )
        for (model, version), tally in self._tallies.items():
            for status, count in tally.statuses.items():
                family.add_metric([model, version, str(int(status))], count)
        for status, count in self.elsewhere.items():
            family.add_metric(["", "", str(int(status))], count)
        yield family

    def _members(self) -> Metric:
        family = CounterMetricFamily(
            "serving_member_rows",
            "Rows of a composition that a member answered",
            labels=[*LABELS, "member", "member_version"],
        )
        for labels, rows in self.members.items():
            family.add_metric(labels, rows)
        return family

    def _models(self) -> Iterator[Metric]:
        loads = CounterMetricFamily("serving_loads", "Versions by what came of them", labels=["model", "outcome"])
        for (model, outcome), count in self.loads.items():
            loads.add_metric([model, outcome], count)
        refused = GaugeMetricFamily(
            "serving_version_refused", "1 for a version that an alias or the default names and that cannot be served",
            labels=LABELS,
        )  # fmt: skip
        for each in self.refused:
            refused.add_metric(each, 1)
        sizes = GaugeMetricFamily("serving_model_bytes", "Bytes of a version in memory", labels=LABELS)
        for (model, version), size in self.loaded.items():
            sizes.add_metric([model, version], size)
        aliases = GaugeMetricFamily(
            "serving_alias_version", "Version that answers for an alias", labels=["model", "alias"]
        )
        for (model, alias), version in self.aliases.items():
            if version.isdecimal():
                aliases.add_metric([model, alias], int(version))
        yield from (loads, refused, sizes, aliases)

    def _counter(self, name: str, meaning: str, what: str) -> Metric:
        family = CounterMetricFamily(name, meaning, labels=LABELS)
        for key, tally in self._tallies.items():
            family.add_metric(key, getattr(tally, what))
        return family

    def _histogram(self, name: str, meaning: str, what: str) -> Metric:
        family = HistogramMetricFamily(name, meaning, labels=LABELS)
        for key, tally in self._tallies.items():
            buckets: Buckets | None = getattr(tally, what)
            if buckets:
                family.add_metric(key, buckets.cumulative(), buckets.total)
        return family


class LookupFigures:
    """Figures of looking features of flights up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.duration = Histogram(
            "serving_lookup_duration_seconds", "Seconds to look features up", buckets=BOUNDS, registry=registry
        )
        self.failures = Counter(
            "serving_lookup_failures", "Questions that the feature service did not answer", ["reason"],
            registry=registry,
        )  # fmt: skip
        self.missing = Counter(
            "serving_lookup_missing", "Features that had no value, or one out of date", ["feature"], registry=registry
        )


class Keeps(Protocol):
    """What keeps predictions: `inference.journal.Journal`."""

    sent: int
    """Predictions that were handed over."""
    dropped: int
    """Predictions for which there was no room."""

    @property
    def waiting(self) -> int:
        """Predictions that wait."""


class JournalFigures(Collector):
    """Figures of a journal of predictions."""

    def __init__(self, journal: Keeps, registry: CollectorRegistry) -> None:
        self._journal = journal
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The numbers as metrics."""
        journal = self._journal
        yield CounterMetricFamily("serving_log_sent", "Predictions that were handed to Kafka", journal.sent)
        yield CounterMetricFamily("serving_log_dropped", "Predictions for which there was no room", journal.dropped)
        yield GaugeMetricFamily("serving_log_waiting", "Predictions that wait to be handed over", journal.waiting)
