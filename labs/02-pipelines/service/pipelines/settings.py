"""What the conductor can be told: one setting or two for each exercise."""

from dataclasses import dataclass, field

from runtime.settings import choice
from runtime.store import StoreSettings

LAST_WRITE, EVENT_TIME = "last-write", "event-time"


@dataclass(frozen=True, kw_only=True)
class PipelinesSettings(StoreSettings):
    """What the conductor can be told."""

    redis: str = "redis.data.svc:6379"
    """The online store, host:port."""

    redis_password: str = field(default="", repr=False)
    """Its password."""

    data: str = "/opt/tarmac/data/flights.jsonl.gz"
    """Replay file that the experiments' own lake is made of."""

    feature: str = "http://feature.chain.svc:6566"
    """The feature service."""

    speed: str = "http://speed:8080"
    """The lab's own speed layer."""

    writes: str = choice(LAST_WRITE, LAST_WRITE, EVENT_TIME)
    """Which of two rows of one key stands: the one that was written last, or the one that happened last."""
