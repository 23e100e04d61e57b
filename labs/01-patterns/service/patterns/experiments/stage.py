"""What the experiments work with: the gateway's own parts and settings, and the other roles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from patterns.broker import Sender
from patterns.usecases import UseCases
from runtime.peer import Peer
from runtime.process import Stop

ROUTE = ("JFK", "LAX")
"""The route that recommendations are asked for: the busiest one."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything an experiment may touch; the numbers are the settings that the gateway runs with."""

    cases: UseCases
    failures: int
    pause_seconds: float
    timeout_seconds: float
    pool_threads: int
    delays_threads: int
    delays: Peer
    delays_direct: Peer
    """The pods of `delays`, whatever its Service selects."""
    analyst: Peer
    centre: Peer
    scaler: Peer
    worker: str
    """Address of the workers; each address of the name is one of them."""
    sites: Mapping[str, Peer]
    sender: Callable[[], Sender]
    stop: Stop
