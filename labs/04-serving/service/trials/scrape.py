"""What a server says of itself at /metrics."""

from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from runtime.peer import Peer


class Series(NamedTuple):
    """A series and its value."""

    name: str
    labels: Mapping[str, str]
    value: float


class Page:
    """The figures of a server at one instant.

    Args:
        series: all of them.
    """

    def __init__(self, series: list[Series]) -> None:
        self._series = series

    def total(self, name: str, **labels: str) -> float:
        """The sum of the series of that name with these labels; 0 where there is none."""
        return sum(
            each.value for each in self._series if each.name == name and labels.items() <= dict(each.labels).items()
        )


def scraped(address: str) -> Page:
    """The page of a server.

    Raises:
        PeerFailure: it does not answer.
    """
    text = Peer(address).text("/metrics", 10)
    samples = (each for family in text_string_to_metric_families(text) for each in family.samples)
    return Page([Series(each.name, each.labels, each.value) for each in samples])


def mean(before: Page, after: Page, name: str, **labels: str) -> float | None:
    """The mean of what a histogram was given between two pages; None where that was nothing."""
    count = after.total(f"{name}_count", **labels) - before.total(f"{name}_count", **labels)
    total = after.total(f"{name}_sum", **labels) - before.total(f"{name}_sum", **labels)
    return total / count if count else None
