"""Settings of the workers beside the server; the README lists the same variables for those who start them."""

from dataclasses import dataclass

from runtime.settings import ServiceSettings, between


@dataclass(frozen=True, kw_only=True)
class LabelsSettings(ServiceSettings):
    """What `labels` can be told."""

    label_group: str = "serving-labels"
    """Consumer group."""

    label_hours: float = between(48, 0.1)
    """Hours of event time that a prediction waits for its label; a flight that never arrives has none."""

    label_room: int = between(50_000, 100)
    """Predictions that may wait; the oldest make room."""

    label_settle_seconds: float = between(2, 0, 600)
    """Seconds before a label is taken: predictions that were made before it may still be on their way."""

    commit_seconds: float = between(1, 0.05, 60)
    """Seconds between two commits at most."""


@dataclass(frozen=True, kw_only=True)
class FollowSettings(ServiceSettings):
    """What `follow` can be told."""

    gateway: str = "http://gateway.platform.svc:8080"
    """Address at which predictions are asked for."""

    follow_group: str = "serving-follow"
    """Consumer group."""

    follow_model: str = ""
    """Model that is asked; empty: the server's default."""

    follow_rate: float = between(10, 0.01, 1000)
    """Flights asked about per second at most; those beyond are left out."""

    follow_seconds: float = between(2, 0.05, 60)
    """Seconds to wait for an answer."""

    follow_age_seconds: float = between(3, 0.1, 600)
    """Seconds since the departure was told, after which it is left out: later than that, what came of the flight could
    be known already."""
