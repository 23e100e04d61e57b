"""What Prometheus knows of both versions between two instants; no data is told apart from zero.

Counters are read at both instants and subtracted here, series by series. PromQL's `increase` would lose what a series
had when it was first scraped (the first errors of a bad canary are just that) and extrapolate the rest, and counts are
what the statistics need. Both instants are part of the question, so that a controller that has started anew asks about
the same interval as the one before it would have.
"""

import itertools
import math
import re
from collections.abc import Mapping
from typing import Any

import httpx

from releases.errors import NoMetrics
from releases.plan import Plan, Side
from releases.samples import Histogram, Moments, Observation, Sample, Share
from releases.settings import ReleaseSettings
from runtime.errors import BadSetting

_SECONDS = 5.0  # time limit of one question
_INFINITE = "+Inf"
_STATUS = re.compile("[1-5]([0-9][0-9]|xx)")
Series = Mapping[frozenset[tuple[str, str]], float]
"""Labels of a series, its name among them, and its value."""


class Prometheus:
    """The HTTP API of Prometheus.

    Args:
        settings: where it is, and what things are called there.
    """

    def __init__(self, settings: ReleaseSettings) -> None:
        self._names = settings
        self._failed = failing(settings.failed)
        self._client = httpx.Client(base_url=settings.prometheus, timeout=_SECONDS, trust_env=False)

    def observe(self, plan: Plan, since: float, until: float) -> Observation:
        """What both versions did between two instants.

        Args:
            plan: says which series are whose.
            since: seconds since 1970.
            until: the same.

        Raises:
            NoMetrics: Prometheus does not answer, or not in a way that can be used.
        """
        stable, _ = self._sample("the stable version", plan.stable, since, until, must_be_old=True)
        canary, pairs = self._sample("the canary", plan.canary, since, until, must_be_old=False)
        names = [name for name, side in (("the stable version", stable), ("the canary", canary)) if side is None]
        missing = f"Prometheus has no {self._names.requests_metric} of {' and '.join(names)}" if names else ""
        return Observation(canary, stable, pairs, missing)

    def close(self) -> None:
        """Leave the connections."""
        self._client.close()

    def _sample(
        self, who: str, side: Side, since: float, until: float, *, must_be_old: bool
    ) -> tuple[Sample | None, Moments]:
        """One version's interval.

        `must_be_old`: a version that has been there before must have been seen at `since`; otherwise everything that
        it has ever done would count as done in this interval.
        """
        now = self._series(who, side, until)
        before = self._series(who, side, since)
        if not _of(now, self._names.requests_metric) or (must_be_old and not _of(before, self._names.requests_metric)):
            return None, Moments()
        return self._read(_grown(before, now))

    def _read(self, grown: Series) -> tuple[Sample, Moments]:
        names = self._names
        sample = Sample(
            answers=self._answers(_of(grown, names.requests_metric)),
            latency=_histogram(_of(grown, f"{names.latency_metric}_bucket")),
            outputs=_histogram(_of(grown, f"{names.outputs_metric}_bucket")),
            labels=Moments(
                round(_sum(grown, f"{names.labels_metric}_values_total")),
                _sum(grown, f"{names.labels_metric}_sum_total"),
                _sum(grown, f"{names.labels_metric}_squares_total"),
            ),
        )
        pairs = Moments(
            round(_sum(grown, f"{names.pairs_metric}_values_total")),
            _sum(grown, f"{names.pairs_metric}_above_total") - _sum(grown, f"{names.pairs_metric}_below_total"),
            _sum(grown, f"{names.pairs_metric}_squares_total"),
        )
        return sample, pairs

    def _answers(self, series: Series) -> Share:
        counts = [(dict(labels).get(self._names.status_label, ""), value) for labels, value in series.items()]
        failed = sum(value for status, value in counts if status.startswith(self._failed))
        return Share(round(failed), round(sum(value for _, value in counts)))

    def _series(self, who: str, side: Side, at: float) -> Series:
        names = self._names
        wanted = "|".join(
            (
                names.requests_metric,
                f"{names.latency_metric}_bucket",
                f"{names.outputs_metric}_bucket",
                f"{names.labels_metric}_(values|sum|squares)_total",
                f"{names.pairs_metric}_(values|above|below|squares)_total",
            )
        )
        result = self._asked(who, f'{{__name__=~"{wanted}",{side.selector}}}', at)
        try:
            return {frozenset(each["metric"].items()): float(each["value"][1]) for each in result}
        except (KeyError, TypeError, ValueError, IndexError) as failure:
            raise NoMetrics(f"metrics of {who}: not a vector: {failure!r}", "is that address Prometheus?") from failure

    def _asked(self, who: str, query: str, at: float) -> Any:  # noqa: ANN401  any JSON
        try:
            answer = self._client.get("/api/v1/query", params={"query": query, "time": f"{at:.3f}"})
            told = answer.json()
        except (httpx.HTTPError, ValueError) as failure:
            raise NoMetrics(
                f"metrics of {who}: {failure!r}", "`lab status` shows whether Prometheus stands"
            ) from failure
        if not isinstance(told, dict) or told.get("status") != "success":
            words = told.get("error", answer.status_code) if isinstance(told, dict) else answer.status_code
            raise NoMetrics(f"metrics of {who}: Prometheus refused: {words}", "look at the selector in the plan")
        return told["data"]["result"]


def _grown(before: Series, now: Series) -> Series:
    """By how much each series has grown; one that is new, or began again at 0, by all that it has."""
    grown: dict[frozenset[tuple[str, str]], float] = {}
    for labels, value in now.items():
        old = before.get(labels, 0.0)
        grown[labels] = value - old if value >= old else value
    return grown


def _of(series: Series, name: str) -> Series:
    return {labels: value for labels, value in series.items() if ("__name__", name) in labels}


def _sum(series: Series, name: str) -> float:
    return math.fsum(_of(series, name).values())


def failing(text: str) -> tuple[str, ...]:
    """Beginnings of the statuses that count as errors.

    Args:
        text: `5xx,422`: statuses, or hundreds of them.

    Raises:
        BadSetting: it is something else.
    """
    found = [each.strip() for each in text.split(",")]
    odd = [each for each in found if not _STATUS.fullmatch(each)]
    if odd:
        told = f"environment variable TARMAC_FAILED={text!r}: {odd[0]!r} is no status"
        raise BadSetting(told, "give it statuses such as 422 and hundreds such as 5xx, separated by commas")
    return tuple(each.removesuffix("xx") for each in found)


def _histogram(series: Series) -> Histogram | None:
    """From cumulative buckets of several pods; None where there are none."""
    upto: dict[float, float] = {}
    for labels, value in series.items():
        bound = dict(labels).get("le", _INFINITE)
        upto[float(bound)] = upto.get(float(bound), 0.0) + value
    if math.inf not in upto:
        return None
    bounds = sorted(upto)
    cumulative = [0, *(round(upto[bound]) for bound in bounds)]
    counts = tuple(max(high - low, 0) for low, high in itertools.pairwise(cumulative))
    return Histogram(tuple(bounds[:-1]), counts)
