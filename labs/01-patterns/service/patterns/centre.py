"""The centre: receives the sites' readings, answers for the weather, coordinates federated learning.

GET  /weather/JFK                      the newest reading that has arrived from a site
GET  /received/JFK                     highest number, gaps, repeats, order
POST /experiments/edge-offline         } run the experiment; the answer is its result
POST /experiments/federated-learning   }
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patterns import lake
from patterns.centre_edge import EdgeOffline, cut_off
from patterns.centre_ledger import Ledger
from patterns.centre_readings import Readings
from patterns.desk import Desk
from patterns.edge_site import STATIONS
from runtime.peer import Peer
from runtime.role import Role
from runtime.settings import ServiceSettings, between, choice
from runtime.web import Answer

if TYPE_CHECKING:
    from patterns.federated import Flights

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CentreSettings(ServiceSettings):
    """What the centre can be told."""

    seed: str = ""
    """The trainee's seed, which decides facts of exercises; empty: none."""

    data: str = lake.DATA
    """The packed file with the year's events: only to judge what the sites learned."""

    sites: str = "http://edge-0.edge:8080,http://edge-1.edge:8080,http://edge-2.edge:8080"
    """Base addresses of EWR, JFK and LGA, in this order."""

    weights: str = choice("samples", "equal", "samples")
    """How much each site counts in the average."""

    rounds: int = between(20, 1, 200)
    """Times that the average is handed out, improved and averaged again."""


class Centre:
    """Answers the centre's questions and runs its experiments."""

    def __init__(self, role: Role[CentreSettings], ledger: Ledger) -> None:
        self._settings = role.settings
        self._stop = role.stop
        self._ledger = ledger
        self._sites = [Peer(address) for address in role.settings.sites.split(",")]
        self._flights: Flights | None = None
        self.desk = Desk("centre", {"edge-offline": self._edge_offline, "federated-learning": self._federated})

    def weather(self, path: tuple[str, ...]) -> Answer:
        """GET /weather/STATION."""
        station = "/".join(path).upper()
        reading = self._ledger.latest(station)
        if reading is None:
            return HTTPStatus.NOT_FOUND, {"error": f"no reading of station {station or '(none named)'} has arrived"}
        return HTTPStatus.OK, {
            "station": station,
            "from": "centre",
            "sequence": reading.sequence,
            "age_s": round(time.time() - reading.taken, 3),
            "reading": reading.weather,
        }

    def received(self, path: tuple[str, ...]) -> Answer:
        """GET /received/STATION."""
        station = "/".join(path).upper()
        account = self._ledger.received(station)
        if account is None:
            return HTTPStatus.NOT_FOUND, {"error": f"nothing of station {station or '(none named)'} has arrived"}
        return HTTPStatus.OK, account

    def _edge_offline(self) -> dict[str, Any]:
        seed = self._settings.seed
        site = self._sites[STATIONS.index(cut_off(seed))]
        return EdgeOffline(site, self._ledger, self._stop, seed).experiment()

    def _federated(self) -> dict[str, Any]:
        # Imported here: numpy takes 25 MiB that an idle centre need not hold.
        from patterns.federated_experiment import FederatedLearning  # noqa: PLC0415

        given = self._settings
        return FederatedLearning(self._sites, self._all_flights, given.weights, given.rounds).experiment()

    def _all_flights(self) -> "Flights":
        """All sites' flights in one place, read when first asked for; one experiment at a time asks."""
        from patterns import federated, training  # noqa: PLC0415  see above

        if self._flights is None:
            data = lake.Lake(Path(self._settings.data))
            self._flights = federated.pooled([training.history(data, station) for station in STATIONS])
        return self._flights


def main(env: Mapping[str, str]) -> None:
    """Run the centre until it is asked to end."""
    with Role("lab-01-centre", CentreSettings, env) as role:
        ledger = Ledger()
        centre = Centre(role, ledger)
        role.health.wait_for("readings", "the readings that topic lab-01.edge holds have not been read yet")
        role.serve(
            questions={"weather": centre.weather, "received": centre.received},
            orders={"experiments": centre.desk.answer},
        )
        Readings(role.settings.kafka, role.stop, ledger, role.health, role.registry).run()
