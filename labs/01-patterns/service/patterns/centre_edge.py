"""Experiment `edge-offline`: cut a site's link, end its process, join the link again, and count what arrived.

Orders reach the site as a technician's would who stands in front of it: they do not take the link.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from patterns.centre_ledger import Ledger
from patterns.edge_site import STATIONS
from patterns.stopwatch import p95
from runtime.errors import Temporary
from runtime.peer import Peer, PeerFailure
from runtime.process import Stop
from runtime.seeds import order

EXERCISE = "edge-offline"
_SETTINGS = ("store", "store_readings", "answer_from")
_BURST = 60
_QUESTIONS = 20
_CALL = 3.0  # seconds that a site may take to answer
_CALM = 5.0  # seconds in which what waited before the cut must have left
_BACK = 10.0  # seconds after which a site that ended is given up
_ARRIVAL = 8.0  # seconds that readings may take to arrive once the link is back
_LOOK = 0.1


def cut_off(seed: str) -> str:
    """The airport whose link the experiment cuts: the seed decides; without one it is JFK."""
    return order(seed, EXERCISE, STATIONS)[0] if seed else "JFK"


class SiteLost(Temporary):
    """The site did not come back."""


class EdgeOffline:
    """One run against one site.

    Args:
        site: the site's own address.
        ledger: what has arrived from it.
        stop: ends waiting early.
        seed: the trainee's, by which the site was chosen. The result does not name the site: who looks, finds it.
    """

    def __init__(self, site: Peer, ledger: Ledger, stop: Stop, seed: str) -> None:
        self._site = site
        self._ledger = ledger
        self._stop = stop
        self._seed = seed

    def experiment(self) -> dict[str, Any]:
        """Cut, burst, ask, crash, burst, join, count; the result. The link is whole afterwards, whatever happens.

        Raises:
            PeerFailure: the site does not answer.
            SiteLost: its process did not come back.
        """
        begun = time.monotonic()
        state = self._link(up=True)
        station = state["site"]
        self._wait(_CALM, lambda: self._state()["held"] == 0)
        try:
            offline = self._offline()
            joined = time.monotonic()
            last = self._link(up=True)["sequence"]
        except BaseException:
            self._join_at_any_rate()
            raise
        self._wait(_ARRIVAL, lambda: self._highest(station) >= last)
        forward_s = time.monotonic() - joined
        return {
            "name": EXERCISE,
            "settings": {name: state[name] for name in _SETTINGS} | {"seed": self._seed},
            "seconds": round(time.monotonic() - begun, 2),
            **self._counted(station, offline, last),
            "forward_s": round(forward_s, 3),
        }

    def _offline(self) -> dict[str, Any]:
        """What happens while the link is cut."""
        cut = time.monotonic()
        state = self._link(up=False)
        repeats = self._repeats(state["site"])
        self._burst()
        latencies, ages = self._ask()
        recovery = self._crash(state["process"])
        self._burst()
        return {
            "before": state["sequence"],
            "repeats": repeats,
            "latencies": latencies,
            "ages": ages,
            "recovery_s": recovery,
            "cut_s": time.monotonic() - cut,
        }

    def _burst(self) -> None:
        self._site.post("/readings", {"count": _BURST}, _CALL)

    def _ask(self) -> tuple[list[float], list[float]]:
        """Questions about the weather: milliseconds of those that were answered, and how old the answers were."""
        latencies, ages = [], []
        for _ in range(_QUESTIONS):
            begun = time.monotonic()
            try:
                answer = self._site.get("/weather", _CALL)
            except PeerFailure:
                continue
            latencies.append(1000 * (time.monotonic() - begun))
            ages.append(float(answer["age_s"]))
        return latencies, ages

    def _crash(self, process: str) -> float:
        """End the site's process; seconds until another one answers in its place, its link still cut.

        Raises:
            SiteLost: none does.
        """
        begun = time.monotonic()
        self._site.post("/crash", None, _CALL)
        self._wait(_BACK, lambda: self._state()["process"] != process)
        try:
            state = self._state()
        except PeerFailure as failure:
            raise SiteLost(f"{self._site.base} ended and did not come back: {failure.what}", "see its log") from failure
        if state["process"] == process:
            raise SiteLost(f"{self._site.base} was told to end and did not", "see its log")
        if state["link"]:
            raise SiteLost(f"{self._site.base} forgot that its link is cut", "see that it can write to its folder")
        return time.monotonic() - begun

    def _counted(self, station: str, offline: dict[str, Any], last: int) -> dict[str, Any]:
        applied = self._ledger.applied(station, offline["before"], last)
        latencies, ages = offline["latencies"], offline["ages"]
        return {
            "cut_s": round(offline["cut_s"], 2),
            "asked_offline": _QUESTIONS,
            "answered_offline": len(latencies),
            "offline_p95_ms": round(p95(latencies), 1) if latencies else None,
            "crashed": True,  # `_crash` saw another process answer, or this is not reached
            "taken": last - offline["before"],
            "arrived": len(set(applied)),
            "in_order": applied == sorted(applied),
            "duplicates_sent": self._repeats(station) - offline["repeats"],
            "applied_twice": len(applied) - len(set(applied)),
            "figures": [
                {
                    "pattern": "edge",
                    "use_case": "weather",
                    "latency_ms": round(statistics.median(latencies), 1) if latencies else None,
                    "latency_p95_ms": round(p95(latencies), 1) if latencies else None,
                    "staleness_s": round(p95(ages), 3) if ages else None,
                    "throughput_per_s": None,
                    "cpu_s_per_1000": None,
                    "recovery_s": round(offline["recovery_s"], 3),
                }
            ],
        }

    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = self._site.get("/site", _CALL)
        return found

    def _link(self, *, up: bool) -> dict[str, Any]:
        found: dict[str, Any] = self._site.post("/link", {"up": up}, _CALL)
        return found

    def _join_at_any_rate(self) -> None:
        """A failed run leaves no cut link behind; a site that is just coming back is waited for."""

        def joined() -> bool:
            return bool(self._link(up=True)["link"])

        self._wait(_BACK, joined)

    def _highest(self, station: str) -> int:
        account = self._ledger.received(station)
        return account["highest"] if account else 0

    def _repeats(self, station: str) -> int:
        account = self._ledger.received(station)
        return account["repeats"] if account else 0

    def _wait(self, seconds: float, holds: Callable[[], bool]) -> None:
        """Wait until it holds, for so long at most; a site that does not answer just now is asked again."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stop:
            try:
                if holds():
                    return
            except PeerFailure:
                pass
            self._stop.wait(_LOOK)
