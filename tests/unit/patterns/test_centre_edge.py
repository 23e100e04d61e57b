"""The experiment `edge-offline` against a site that is a fake at the wire: what it does to it, and what it tells."""

from __future__ import annotations

from typing import Any

from patterns.centre_edge import EdgeOffline, cut_off
from patterns.centre_ledger import Ledger
from patterns.edge_site import STATIONS, Reading
from runtime.peer import Peer
from runtime.process import Stop
from unit.patterns.servers import Reply, serving


class Site:
    """A site that does as it should: it holds readings while its link is cut, also when its process ends."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.up, self.process, self.sequence = True, 0, 0
        self.held: list[int] = []
        self.links: list[bool] = []

    def __call__(self, _: str, path: str, body: Any) -> Reply:  # noqa: ANN401  any JSON
        """Answer as a site does."""
        if path == "/weather":
            return 200, {"age_s": 0.1}
        if path == "/crash":
            self.process += 1
        if path == "/readings":
            self.held += range(self.sequence + 1, self.sequence + body["count"] + 1)
            self.sequence += body["count"]
        if path == "/link":
            self.up = body["up"]
            self.links.append(self.up)
        while self.up and self.held:
            self.ledger.apply(Reading("LGA", 1.0, self.held.pop(0), 0.0, {}))
        return 200, {
            "site": "LGA", "link": self.up, "held": len(self.held), "sequence": self.sequence,
            "process": str(self.process), "store": "disk", "store_readings": 5000, "answer_from": "site",
        }  # fmt: skip


def test_a_site_is_cut_off_ended_and_joined_again_and_not_named() -> None:
    """All readings of both bursts arrive; the result tells by which seed it was, and not which site it was."""
    site = Site(ledger := Ledger())
    with serving(site) as server:
        told = EdgeOffline(Peer(server.address), ledger, Stop(), "1234").experiment()
    assert (told["crashed"], site.process, site.links) == (True, 1, [True, False, True])
    assert (told["asked_offline"], told["answered_offline"]) == (20, 20)
    assert (told["taken"], told["arrived"], told["in_order"], told["applied_twice"]) == (120, 120, True, 0)
    assert told["settings"] == {"store": "disk", "store_readings": 5000, "answer_from": "site", "seed": "1234"}
    assert "LGA" not in str(told)


def test_each_airport_is_somebodys() -> None:
    """The seed decides which one is cut off; without one it is JFK, as it was before there were seeds."""
    found = [cut_off(str(seed)) for seed in range(300)]
    assert all(found.count(station) > 70 for station in STATIONS)
    assert cut_off("") == "JFK"
    assert cut_off("1234") == "EWR"
