"""What a release is judged by: when it goes on, and when it goes back."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Need = Literal["required", "watched", "off"]
"""Whether a criterion must be shown good for a promotion, may only stop it, or is not looked at."""

_Positive = Annotated[float, Meta(gt=0)]
_Chance = Annotated[float, Meta(gt=0, lt=0.5)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Many = Annotated[int, Meta(ge=1, le=1_000_000_000)]
"""Beyond, what is computed of it would be no number any more."""


class Errors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Failed requests, compared.

    Attributes:
        need: whether it must be shown good.
        tolerated: odds of an error, times the stable's, up to which the canary counts as not worse.
        margin: share of requests by which it may be worse at most, to be promoted.
    """

    need: Need = "required"
    tolerated: Annotated[float, Meta(ge=1, le=10)] = 1.25
    margin: _Share = 0.02


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Slow requests, compared, and against a bound of their own.

    Attributes:
        need: whether it must be shown good.
        tolerated: odds of a slow request, times the stable's, up to which the canary counts as not worse. Requests to
            one pod are slow together, and a canary has few pods: with 1 (every difference counts) 13 of 100 good
            canaries were rolled back where each version's latency swung by 20 % of its own; with 2 none was.
        margin: share of requests by which more may be slow at most, to be promoted.
        seconds: from where on a request is slow; None: what at most a tenth of the stable version's exceeded an
            interval ago.
        limit_seconds: what a request may take, whatever the stable version takes; None: no such bound.
        limit_share: share of the canary's requests that may exceed `limit_seconds`.
    """

    need: Need = "required"
    tolerated: Annotated[float, Meta(ge=1, le=10)] = 2.0
    margin: _Share = 0.1
    seconds: _Positive | None = None
    limit_seconds: _Positive | None = None
    limit_share: _Share = 0.05


class Outputs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Drift of the predictions.

    Attributes:
        need: whether it must be shown good.
        limit: population stability index, without the noise of small samples, above which the outputs have drifted.
    """

    need: Need = "required"
    limit: _Positive = 0.25


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Errors of predictions whose labels have come.

    Attributes:
        need: whether it must be shown good; labels come late, so that a release waits for them where it is required.
        margin: by which the canary's mean absolute error may be larger, as a share of the stable's.
    """

    need: Need = "watched"
    margin: _Share = 0.05


class Criteria(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a release goes on, and when it goes back.

    Attributes:
        interval: seconds between two looks.
        threshold: looks in a row without metrics after which it is rolled back.
        patience: looks within one stage after which it is rolled back because nothing could be shown.
        requests: of each side within a stage, before the next one.
        alarm: chance that a canary that is no worse than tolerated is rolled back, over all looks and criteria.
        doubt: chance, for each criterion, that a canary beyond the margin is promoted.
    """

    interval: Annotated[float, Meta(ge=1)] = 15.0
    threshold: _Many = 3
    patience: _Many = 40
    requests: _Many = 50
    alarm: _Chance = 0.001
    doubt: _Chance = 0.05
    errors: Errors = Errors()
    latency: Latency = Latency()
    outputs: Outputs = Outputs()
    labels: Labels = Labels()
