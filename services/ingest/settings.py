"""Settings of the entry points; the README lists the same variables for those who start them."""

import datetime as dt
from dataclasses import dataclass

from runtime.online import OnlineSettings
from runtime.settings import ServiceSettings, between
from runtime.store import StoreSettings


@dataclass(frozen=True, kw_only=True)
class ProducerSettings(ServiceSettings):
    """What `produce` can be told."""

    data: str = "/opt/tarmac/data/flights.jsonl.gz"
    """Replay file made by `pack`."""

    speedup: float = between(600, 0)
    """Seconds of event time per second; 0: as fast as possible."""

    start: dt.datetime = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
    """Event time at which the replay begins."""

    limit: int = between(0, 0)
    """Events to replay in all; 0: all."""

    loops: int = between(1, 0)
    """Times the year is replayed, each 365 days later; 0: for ever."""

    exit_when_done: bool = False
    """End when all was sent (a Job) instead of staying to say so."""


@dataclass(frozen=True, kw_only=True)
class ConsumerSettings(OnlineSettings):
    """What `consume` can be told."""

    group: str = "ingest"
    """Consumer group."""

    commit_seconds: float = between(1, 0.05, 60)
    """Seconds between two commits at most."""

    commit_events: int = between(50_000, 1)
    """Events between two commits at most."""

    redis: str = ""
    """Online store that features are written to, host:port; empty: none."""

    online_seconds: float = between(0.1, 0, 10)
    """Seconds from the beginning of a write to the online store to that of the next, at least."""


@dataclass(frozen=True, kw_only=True)
class RepairSettings(ServiceSettings):
    """What `replay-dead-letters` can be told."""

    repairs: str = ""
    """JSON object merged into each dead letter before it is put back; empty: they are put back as they are."""

    only: str = ""
    """Put back only dead letters whose reason contains this text; empty: all."""

    repair_group: str = "ingest-repair"
    """Consumer group that remembers which dead letters were put back."""


@dataclass(frozen=True, kw_only=True)
class BronzeSettings(StoreSettings):
    """What `bronze` can be told."""

    lake_batch_events: int = between(50_000, 1)
    """Events of a topic between two commits at most."""

    lake_batch_seconds: float = between(5, 0.05, 300)
    """Seconds that an event waits for its commit at most."""

    compact_files: int = between(128, 0)
    """New files of a table that lead to a compaction; 0: never."""


@dataclass(frozen=True, kw_only=True)
class BackfillSettings(StoreSettings):
    """What `backfill` can be told."""

    data: str = "/opt/tarmac/data/flights.jsonl.gz"
    """Replay file made by `pack`."""

    until: dt.datetime = dt.datetime(2013, 4, 1, tzinfo=dt.UTC)
    """Event time before which everything is written."""

    backfill_events: int = between(50_000, 1)
    """Events of a topic in one commit at most."""


FAMILY = (ProducerSettings, ConsumerSettings, RepairSettings, BronzeSettings, BackfillSettings)
"""All of them: entry points may share one ConfigMap."""
