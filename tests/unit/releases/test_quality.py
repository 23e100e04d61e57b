"""Latency by buckets, late labels, drift of outputs, and who gets B."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.errors import NoMetrics
from releases.samples import Histogram, Moments, Share
from releases.statistics.drift import drift, enough, spent
from releases.statistics.experiment import assigned, dealt
from releases.statistics.labels import FEWEST, paired, split
from releases.statistics.latency import slow_bound

TENTH = Histogram((0.1, 0.2, 0.4), (80, 11, 6, 3))


class TestLatency:
    """Shares above a bucket bound."""

    @pytest.mark.parametrize(("bound", "slow"), [(0.1, 20), (0.15, 9), (0.2, 9), (0.4, 3), (9.0, 0)])
    def test_requests_above_a_bound_are_counted_by_bucket(self, bound: float, slow: int) -> None:
        """A bound inside a bucket counts that bucket as not above: nobody is called slow without having been."""
        assert TENTH.above(bound) == Share(slow, 100)

    def test_the_bound_leaves_a_tenth_above(self) -> None:
        """The least bound that at most a tenth exceed; where even the last one is exceeded, that one."""
        assert slow_bound(TENTH) == 0.2
        assert slow_bound(Histogram((0.1, 0.2), (0, 0, 50))) == 0.2

    def test_other_buckets_cannot_be_added(self) -> None:
        """Two histograms with different buckets are refused, and the message names them."""
        with pytest.raises(NoMetrics, match="same bucket bounds"):
            TENTH.plus(Histogram((0.1, 0.3, 0.4), (1, 1, 1, 1)))


class TestLabels:
    """Differences of mean absolute errors."""

    def test_few_values_say_nothing(self) -> None:
        """Below a hundred values there are no bounds, however far apart the means are."""
        found = split(Moments.of([50.0] * (FEWEST - 1)), Moments.of([1.0] * 5000), 0.05)
        assert (found.low, found.high) == (-math.inf, math.inf)

    def test_equal_versions_stay_within_their_bounds(self) -> None:
        """With 5 % allowed, at most 5 % of 200 pairs of equal versions ever leave 0, with errors of heavy tails."""
        draw = np.random.default_rng(4)
        left = 0
        for _ in range(200):
            canary = stable = Moments()
            out = False
            for _ in range(30):
                canary = canary.plus(Moments.of(draw.exponential(15, 20).tolist()))
                stable = stable.plus(Moments.of(draw.exponential(15, 180).tolist()))
                found = split(canary, stable, 0.05)
                out = out or not found.low <= 0 <= found.high
            left += out
        assert left / 200 <= 0.05

    def test_pairs_see_what_split_traffic_does_not(self) -> None:
        """One minute more on the same 300 flights is shown by pairs, and not by 300 flights of each."""
        draw = np.random.default_rng(5)
        stable = draw.exponential(15, 300)
        canary = stable + 1 + draw.normal(0, 2, 300)
        assert paired(Moments.of((canary - stable).tolist()), 0.01).low > 0
        assert split(Moments.of(canary.tolist()), Moments.of(stable.tolist()), 0.01).low < 0

    @given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=50), st.integers(1, 49))
    def test_moments_can_be_added(self, values: list[float], at: int) -> None:
        """Two parts together have the mean and variance of the whole."""
        whole = Moments.of(values[:at]).plus(Moments.of(values[at:]))
        assert whole.mean == pytest.approx(np.mean(values), abs=1e-6)
        assert whole.variance == pytest.approx(np.var(values, ddof=1), abs=1e-3)


class TestDrift:
    """The population stability index."""

    def test_small_samples_of_one_distribution_do_not_drift(self) -> None:
        """The plain index of 60 values is often above 0.1; what is left without noise is hardly ever above 0.25."""
        draw = np.random.default_rng(6)
        plain = left = 0
        for _ in range(300):
            ours, theirs = (
                Histogram((1.0,) * 9, tuple(int(it) for it in draw.multinomial(count, [0.1] * 10)))
                for count in (60, 540)
            )
            found = drift(ours, theirs)
            assert found
            plain += found.index > 0.1
            left += found.excess > 0.25 and found.chance < 0.001
        assert plain > 100
        assert left == 0

    def test_a_shift_shows_at_once(self) -> None:
        """Sixty values that lie two buckets higher are beyond chance."""
        ours, theirs = Histogram((1.0, 2.0, 3.0), (2, 3, 25, 30)), Histogram((1.0, 2.0, 3.0), (150, 150, 150, 90))
        found = drift(ours, theirs)
        assert found
        assert found.excess > 0.25
        assert found.chance < 1e-6

    def test_many_values_show_that_nothing_drifts(self) -> None:
        """A thousand values of the same shape are enough to say that the index is below the limit."""
        found = drift(Histogram((1.0, 2.0), (300, 400, 300)), Histogram((1.0, 2.0), (900, 1200, 900)))
        assert found
        assert found.most < 0.05
        assert enough(found, 0.25)

    def test_one_bucket_is_nothing_to_compare(self) -> None:
        """Where merging leaves a single bucket there is no index."""
        assert drift(Histogram((1.0,), (3, 2)), Histogram((1.0,), (30, 20))) is None

    def test_looks_spend_no_more_than_there_is(self) -> None:
        """All looks together spend at most alpha."""
        assert sum(spent(0.01, look) for look in range(1, 10000)) < 0.01


class TestAssignment:
    """Who gets B."""

    @given(st.text(max_size=20), st.floats(0, 1), st.floats(0, 1))
    def test_who_has_b_keeps_it(self, unit: str, one: float, other: float) -> None:
        """A unit that gets B at a share gets it at every larger one."""
        small, large = sorted((one, other))
        assert assigned(unit, "delays", large) or not assigned(unit, "delays", small)

    def test_the_share_is_kept(self) -> None:
        """Of 20,000 units about the wanted share gets B, and another test deals them anew."""
        units = [f"flight-{number}" for number in range(20000)]
        ours = {unit for unit in units if assigned(unit, "delays", 0.3)}
        others = {unit for unit in units if assigned(unit, "prices", 0.3)}
        assert len(ours) / len(units) == pytest.approx(0.3, abs=0.015)
        assert len(ours & others) / len(ours) == pytest.approx(0.3, abs=0.03)

    def test_the_dealing_never_changes(self) -> None:
        """The dealing is the same in every process and release of this program."""
        assert [number for number in range(10) if assigned(str(number), "delays", 0.5)] == [1, 2, 4, 7, 8, 9]

    @pytest.mark.parametrize("share", [1e-9, 1 / 4096, 0.1, 0.5, 0.999, 1 - 1e-9])
    def test_a_pattern_is_one_that_envoy_takes(self, share: float) -> None:
        """Nothing but digits, classes, counts and alternatives, which RE2 knows; short; never nobody, never all."""
        pattern = dealt("delays", share)
        assert re.fullmatch(r"[-0-9a-f\[\](){}?:|*]+", pattern)
        assert len(pattern) < 200
        drawn = pattern[pattern.index("(") : pattern.rindex(")") + 1]
        hits = sum(re.fullmatch(drawn, f"{number:03x}") is not None for number in range(4096))
        assert hits == min(max(round(share * 4096), 1), 4095)
