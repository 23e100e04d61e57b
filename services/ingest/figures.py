"""What Prometheus is told about ingest.

Counters move when their effect is durable (acknowledged or committed): a crash stops them short, it never counts twice.
"""

from collections import Counter as Counted

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contracts.topics import EVENTS
from ingest.stream import OUTCOMES
from runtime import metrics

KINDS = ("malformed", "contract")
"""Kinds of refusal of which a consumer knows; their series begin at zero so that a first one is an increase."""

_BATCH_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class ProducerFigures:
    """Figures of `produce`."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = metrics.registry()
        self._produced = Counter(
            "ingest_produced_total", "Events that the broker acknowledged", ["topic"], registry=self.registry
        )
        self.behind = Gauge(
            "ingest_replay_behind_seconds", "Seconds that the replay is behind its timetable", registry=self.registry
        )
        for topic in EVENTS:
            self._produced.labels(topic)

    def acknowledged(self, totals: Counted[str], told: Counted[str]) -> None:
        """Count what was acknowledged since `told`, which is brought up to `totals`."""
        for topic, total in (totals - told).items():
            self._produced.labels(topic).inc(total)
        told.update(totals - told)


class ConsumerFigures:
    """Figures of `consume`."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = metrics.registry()
        self.lag = Gauge("ingest_lag_events", "Events written and not applied yet", ["topic"], registry=self.registry)
        self.position = Gauge(
            "ingest_position_offset", "Next offset to be applied", ["topic", "partition"], registry=self.registry
        )
        self.events = Counter(
            "ingest_events_total", "Events by what came of them", ["topic", "outcome"], registry=self.registry
        )
        self.dead_letters = Counter(
            "ingest_dead_letters_total",
            "Events refused, by kind of reason",
            ["topic", "reason"],
            registry=self.registry,
        )
        self.staleness = Gauge(
            "ingest_staleness_seconds",
            "Age of the newest applied event while others wait, 0 when none does",
            ["topic"],
            registry=self.registry,
        )
        self.batch = Histogram(
            "ingest_batch_duration_seconds",
            "Seconds to apply one batch",
            buckets=_BATCH_SECONDS,
            registry=self.registry,
        )
        for topic in EVENTS:
            self._begin(topic)

    def _begin(self, topic: str) -> None:
        self.lag.labels(topic)
        self.staleness.labels(topic)
        for outcome in OUTCOMES:
            self.events.labels(topic, outcome)
        for kind in KINDS:
            self.dead_letters.labels(topic, kind)


class OnlineFigures:
    """Figures of the way into the online store.

    Args:
        registry: the consumer's.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rows = Counter(
            "ingest_online_rows_total", "Rows offered to the online store", ["outcome"], registry=registry
        )
        self._seconds = Histogram(
            "ingest_online_write_duration_seconds",
            "Seconds to make and write the rows that changed",
            buckets=_BATCH_SECONDS,
            registry=registry,
        )

    def wrote(self, written: int, stale: int, seconds: float) -> None:
        """Count a write."""
        self._rows.labels("written").inc(written)
        self._rows.labels("stale").inc(stale)
        self._seconds.observe(seconds)
