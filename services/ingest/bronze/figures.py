"""What Prometheus is told about the way into the lake. Counters move when the commit that they tell of is durable."""

from collections import Counter as Counted

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contracts.topics import EVENTS
from ingest.figures import KINDS
from runtime import metrics

_COMMIT_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class BronzeFigures:
    """Figures of `bronze`."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = metrics.registry()
        topic, registry = ["topic"], self.registry
        self.rows = Counter("lake_rows_total", "Events committed to bronze", topic, registry=registry)
        self.refused = Counter(
            "lake_refused_total", "Records that break their contract", ["topic", "reason"], registry=self.registry
        )
        self.expired = Counter("lake_expired_total", "Events that the log dropped unread", topic, registry=registry)
        self.commits = Counter("lake_commits_total", "Commits to bronze", topic, registry=registry)
        self.compacted = Counter(
            "lake_compacted_files_total", "Small files replaced by larger ones", topic, registry=registry
        )
        self.vacuumed = Counter(
            "lake_vacuumed_files_total", "Files removed that no version needs", topic, registry=registry
        )
        self.files = Gauge("lake_files", "Files that make up the table", topic, registry=registry)
        self.lag = Gauge(
            "lake_lag_events", "Events written to the log and not committed to bronze", topic, registry=registry
        )
        self.staleness = Gauge(
            "lake_staleness_seconds",
            "Age of the oldest event that waits for its commit, 0 when none does",
            topic,
            registry=registry,
        )
        self.commit = Histogram(
            "lake_commit_duration_seconds",
            "Seconds that a commit takes",
            buckets=_COMMIT_SECONDS,
            registry=self.registry,
        )
        for name in EVENTS:
            self._begin(name)

    def _begin(self, topic: str) -> None:
        for each in (self.rows, self.expired, self.commits, self.compacted, self.vacuumed, self.files, self.lag):
            each.labels(topic)
        for kind in KINDS:
            self.refused.labels(topic, kind)

    def committed(self, topic: str, rows: int, dead: Counted[str], seconds: float) -> None:
        """Count what became durable."""
        self.rows.labels(topic).inc(rows)
        self.commits.labels(topic).inc()
        self.commit.observe(seconds)
        for kind, number in dead.items():
            self.refused.labels(topic, kind).inc(number)
