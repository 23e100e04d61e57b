"""What Prometheus is told about the workers, beside the figures of their models (`serving.figures`)."""

from collections import Counter as Counted
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.workers.labels import Labels

ANSWERED, REFUSED, DEAD = "answered", "refused", "dead"
"""What can come of a record of `stream`: a prediction, an error with the id, a dead letter."""
_LABELS = ("model", "version", "track")


class StreamFigures(Collector):
    """Figures of `stream`.

    Attributes:
        outcomes: what came of records -> how many.
        lag: requests that wait.
    """

    def __init__(self) -> None:
        self.outcomes: Counted[str] = Counted({ANSWERED: 0, REFUSED: 0, DEAD: 0})
        self.lag = 0

    def collect(self) -> Iterable[Metric]:
        """The numbers as metrics."""
        family = CounterMetricFamily("serving_stream_records", "Requests by what came of them", labels=["outcome"])
        for outcome, count in self.outcomes.items():
            family.add_metric([outcome], count)
        yield family
        yield GaugeMetricFamily("serving_stream_lag_records", "Requests that wait in the topic", value=self.lag)


class FollowFigures:
    """Figures of `follow`.

    Args:
        registry: where they are kept.
        outcomes: what can come of a departure; their series begin at zero.
    """

    def __init__(self, registry: CollectorRegistry, outcomes: Iterable[str]) -> None:
        self.flights = Counter(
            "serving_follow_flights", "Departures by what came of them", ["outcome"], registry=registry
        )
        self.duration = Histogram("serving_follow_duration_seconds", "Seconds to an answer", registry=registry)
        for outcome in outcomes:
            self.flights.labels(outcome)


class LabelFigures(Collector):
    """Figures of `labels`; a release reads them (`labs/04-serving`)."""

    def __init__(self, labels: Labels, registry: CollectorRegistry) -> None:
        self._labels = labels
        self.refused = 0
        """Records that were none."""
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """The numbers as metrics."""
        labels = self._labels
        for name, meaning in (("values", "Predictions whose label came"), ("sum", "Sum of their absolute errors"),
                              ("squares", "Sum of the squares of these")):  # fmt: skip
            family = CounterMetricFamily(f"serving_label_error_{name}", f"{meaning}, minutes", labels=_LABELS)
            for key, errors in list(labels.errors.items()):
                family.add_metric(key, getattr(errors, name))
            yield family
        for name, meaning in (("values", "Flights that canary and stable version both predicted"),
                              ("above", "Absolute error of the canary minus the stable one's: sum of those above 0"),
                              ("below", "The same of those below 0, without their sign"),
                              ("squares", "The same, sum of the squares")):  # fmt: skip
            family = CounterMetricFamily(f"serving_label_difference_{name}", f"{meaning}, minutes", labels=_LABELS)
            for key, differences in list(labels.differences.items()):
                family.add_metric(key, getattr(differences, name))
            yield family
        yield GaugeMetricFamily("serving_labels_waiting", "Predictions that wait for their label", len(labels))
        outcomes = CounterMetricFamily(
            "serving_labels_predictions", "Predictions by what came of them", labels=["outcome"]
        )
        for outcome, count in {**labels.outcomes, "refused": self.refused}.items():
            outcomes.add_metric([outcome], count)
        yield outcomes
