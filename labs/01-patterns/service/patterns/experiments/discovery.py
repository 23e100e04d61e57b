"""Experiment `service-discovery`: calls by a name; whether the name leads to pods, and what a passenger gets."""

import time

from patterns.experiments.stage import ROUTE, Stage
from patterns.usage import cpu_seconds
from runtime.figures import Result, row, timed, wait_for
from runtime.peer import Peer, PeerFailure, addresses

_CALLS = 100
_GIVEN_UP = 3  # failures in a row after which more calls would tell nothing new


def service_discovery(stage: Stage) -> Result:
    """Call `delays` by its name, then ask for a recommendation as a passenger would.

    Raises:
        PeerFailure: no pod of `delays` answers at all, by whatever name.
    """
    before = cpu_seconds(stage.delays_direct)
    taken, calls = _calls(stage)
    used = cpu_seconds(stage.delays_direct) - before
    newest = stage.delays_direct.get("/freshness", stage.timeout_seconds)["newest"]
    return {
        "settings": {},
        "name": stage.delays.host,
        "resolved": addresses(stage.delays.host),
        "calls": calls,
        "answered": len(taken),
        "source": _source(stage),
        "figures": [
            row(
                "discovery",
                "recommendation",
                seconds=taken,
                staleness=time.time() - newest if taken and newest else None,
                throughput=len(taken) / sum(taken) if taken else None,
                cpu_per_1000=used / len(taken) * 1000 if taken else None,
            )
        ],
    }


def _calls(stage: Stage) -> tuple[list[float], int]:
    """How many seconds each answered call took, and the number of calls made."""
    taken: list[float] = []
    failed = 0
    for number in range(1, _CALLS + 1):
        try:
            seconds, _ = timed(lambda: _ask(stage.delays, stage.timeout_seconds))
        except PeerFailure:
            failed += 1
        else:
            taken.append(seconds)
            failed = 0
        if failed == _GIVEN_UP or stage.stop:
            return taken, number
    return taken, _CALLS


def _ask(delays: Peer, seconds: float) -> object:
    return delays.get(f"/alternatives/{'/'.join(ROUTE)}", seconds)


def _source(stage: Stage) -> str:
    """Where a recommendation comes from, once a breaker that was still open has had the time to try again."""

    def live() -> str | None:
        return "live" if stage.cases.recommend(*ROUTE)["source"] == "live" else None

    return wait_for(live, min(stage.pause_seconds + 1, 10), stage.stop) or "fallback"
