"""What was counted of each side in one interval; all of it can be added up, and written as JSON."""

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from releases.errors import NoMetrics


class Share(msgspec.Struct, frozen=True):
    """So many of so many: `hits` of `total` requests."""

    hits: int = 0
    total: int = 0

    @property
    def rate(self) -> float:
        """From 0 to 1; 0 where nothing was counted."""
        return self.hits / self.total if self.total else 0.0

    def plus(self, other: "Share") -> "Share":
        """Both together."""
        return Share(self.hits + other.hits, self.total + other.total)


class Histogram(msgspec.Struct, frozen=True):
    """Counts by bucket.

    Attributes:
        bounds: upper bound of each bucket but the last, rising; the last has none.
        counts: in each bucket alone (not cumulative), one more than bounds.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All that was counted."""
        return sum(self.counts)

    def above(self, bound: float) -> Share:
        """How many lie above the least bucket bound that is not below `bound`; none where there is no such bound."""
        return Share(sum(self.counts[bisect_left(self.bounds, bound) + 1 :]), self.total)

    def plus(self, other: "Histogram") -> "Histogram":
        """Both together.

        Raises:
            NoMetrics: their buckets differ.
        """
        same_buckets(self, other)
        return Histogram(self.bounds, tuple(map(sum, zip(self.counts, other.counts, strict=True))))


class Moments(msgspec.Struct, frozen=True):
    """Count, sum and sum of squares of a quantity: enough for its mean and variance."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> "Moments":
        """The moments of some values."""
        return cls(len(values), float(sum(values)), float(sum(value * value for value in values)))

    @property
    def mean(self) -> float:
        """Its mean; 0 where nothing was counted."""
        return self.total / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        """Its variance, of a sample; 0 with fewer than two values."""
        if self.count < 2:  # noqa: PLR2004  one value has no spread
            return 0.0
        return max(self.squares - self.count * self.mean**2, 0.0) / (self.count - 1)

    def plus(self, other: "Moments") -> "Moments":
        """Both together."""
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)


class Sample(msgspec.Struct, frozen=True):
    """What one side did in one interval.

    Attributes:
        answers: requests that failed, of all.
        latency: seconds to the answer; None: not measured.
        outputs: predictions, in the label's unit; None: not measured.
        labels: absolute errors of the predictions whose label came, in the label's unit.
    """

    answers: Share = Share()
    latency: Histogram | None = None
    outputs: Histogram | None = None
    labels: Moments = Moments()


class Observation(msgspec.Struct, frozen=True):
    """What was seen of both sides between two looks.

    Attributes:
        canary: the new version; None: there are no metrics of it, which is not the same as no requests.
        stable: the version in use; None as above.
        pairs: absolute error of the canary minus that of the stable version, on predictions that both made.
        missing: what is missing and why, empty where nothing is.
    """

    canary: Sample | None = None
    stable: Sample | None = None
    pairs: Moments = Moments()
    missing: str = ""


def same_buckets(one: Histogram, other: Histogram) -> None:
    """Make sure that two histograms can be compared.

    Raises:
        NoMetrics: their buckets differ.
    """
    if one.bounds != other.bounds:
        raise NoMetrics(
            f"histograms with different buckets: {len(one.bounds)} and {len(other.bounds)}, "
            f"first bounds {one.bounds[:3]} and {other.bounds[:3]}",
            "give both versions the same bucket bounds",
        )
