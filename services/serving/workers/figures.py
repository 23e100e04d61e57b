"""What Prometheus is told about asynchronous inference, beside the figures of the models."""

from collections import Counter as Counted
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

ANSWERED, REFUSED, DEAD = "answered", "refused", "dead"
"""What can come of a record: a prediction, an error with the id, a dead letter."""


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
