"""A site's process: its settings, its readings, and what can be asked and ordered of it.

GET  /site       state: link, store, sequence
GET  /weather    the station's newest reading, from the site or through the centre
POST /link       {"up": false}    cut the link, or join it again
POST /readings   {"count": 60}    take so many readings at once
POST /train      {"weights": [...], "steps": 4, "rate": 0.1}    learn from the site's own flights
POST /crash      end the process without a farewell
"""

import logging
import os
import platform
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import Gauge

from patterns import lake
from patterns.broker import Sender
from patterns.edge_site import STATIONS, Link, Sensor, Site
from patterns.store import DiskStore, MemoryStore, Store
from runtime.errors import BadSetting
from runtime.peer import Peer, PeerFailure, Refused
from runtime.role import Role
from runtime.settings import ServiceSettings, between, choice
from runtime.web import Answer

if TYPE_CHECKING:
    from patterns.federated import Flights

log = logging.getLogger(__name__)

_EVERY = 1.0  # seconds between two readings
_MOST = 1000  # readings of one order
_FAREWELL = 0.2  # seconds in which the answer to /crash leaves


@dataclass(frozen=True, kw_only=True)
class EdgeSettings(ServiceSettings):
    """What a site can be told."""

    data: str = lake.DATA
    """The packed file: it plays the station's instruments and holds the site's own flights."""

    store: str = choice("disk", "memory", "disk")
    """Where readings wait for the link."""

    store_readings: int = between(5000, 1, 100_000)
    """Readings that may wait at most; then the oldest is given up."""

    store_folder: str = "/var/lib/edge"
    """Folder on the site's own disk."""

    answer_from: str = choice("site", "centre", "site")
    """Who answers for the site's weather."""

    centre: str = "http://centre:8080"
    """Base address of the centre."""

    site: str = ""
    """Name that ends in the site's number, such as edge-1; empty: the host's name."""


class Edge:
    """What can be asked and ordered of one site."""

    def __init__(self, settings: EdgeSettings, site: Site, data: lake.Lake) -> None:
        self._settings = settings
        self._site = site
        self._lake = data
        self._centre = Peer(settings.centre)
        self._process = uuid.uuid4().hex
        self._learning = threading.Lock()
        self._flights: Flights | None = None

    def state(self, _path: tuple[str, ...]) -> Answer:
        """GET /site."""
        held, dropped = self._site.held()
        return HTTPStatus.OK, {
            "site": self._site.station,
            "link": self._site.link.up,
            "store": self._settings.store,
            "store_readings": self._settings.store_readings,
            "answer_from": self._settings.answer_from,
            "held": held,
            "dropped": dropped,
            "sequence": self._site.sequence,
            "process": self._process,
        }

    def weather(self, _path: tuple[str, ...]) -> Answer:
        """GET /weather."""
        return self._through_the_centre() if self._settings.answer_from == "centre" else self._by_itself()

    def _by_itself(self) -> Answer:
        latest = self._site.latest()
        if latest is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"site {self._site.station} has no reading yet"}
        return HTTPStatus.OK, {
            "station": latest.site,
            "from": "site",
            "sequence": latest.sequence,
            "age_s": round(time.time() - latest.taken, 3),
            "reading": latest.weather,
        }

    def _through_the_centre(self) -> Answer:
        if not self._site.link.up:
            cause = f"the link of {self._site.station} is cut, and its weather is asked of the centre"
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": cause}
        try:
            return HTTPStatus.OK, self._centre.get(f"/weather/{self._site.station}", 2)
        except Refused as failure:
            return failure.status, failure.body
        except PeerFailure as failure:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(failure)}

    def set_link(self, path: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        """POST /link."""
        up = body.get("up") if isinstance(body, dict) else None
        if not isinstance(up, bool):
            return HTTPStatus.BAD_REQUEST, {"error": 'say {"up": true} or {"up": false}'}
        self._site.link.set(up=up)
        log.info("link", extra={"up": up})
        return self.state(path)

    def take(self, _path: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        """POST /readings."""
        count = body.get("count") if isinstance(body, dict) else None
        if type(count) is not int or not 1 <= count <= _MOST:  # `true` is no number here
            return HTTPStatus.BAD_REQUEST, {"error": f'say {{"count": n}} with n from 1 to {_MOST}'}
        return HTTPStatus.OK, {"site": self._site.station, "sequence": self._site.take(count)}

    def crash(self, _path: tuple[str, ...], _body: Any) -> Answer:  # noqa: ANN401  any JSON
        """POST /crash: nothing is flushed, closed or said goodbye to but a line in the log."""
        log.warning("told to end", extra={"site": self._site.station})
        threading.Timer(_FAREWELL, os._exit, [1]).start()
        return HTTPStatus.ACCEPTED, {"site": self._site.station, "process": self._process}

    def train(self, _path: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        """POST /train: the flights stay here; weights and their number go back."""
        if not self._site.link.up:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"the link of {self._site.station} is cut"}
        # Imported here: numpy takes 25 MiB that a site without training need not hold.
        from patterns import federated, training  # noqa: PLC0415

        try:
            weights = federated.vector(body["weights"])
            steps, rate = int(body["steps"]), float(body["rate"])
        except (KeyError, TypeError, ValueError) as failure:
            wanted = '{"weights": [...], "steps": n, "rate": r}'
            return HTTPStatus.BAD_REQUEST, {"error": f"say {wanted}: {failure!r}"}
        with self._learning:
            if self._flights is None:
                self._flights = training.history(self._lake, self._site.station)
            weights = federated.trained(weights, self._flights, steps, rate)
        return HTTPStatus.OK, {
            "site": self._site.station,
            "weights": weights.tolist(),
            "samples": len(self._flights.delays),
        }


def run(env: Mapping[str, str]) -> None:
    """Run the site until it is asked to end."""
    with Role("lab-01-edge", EdgeSettings, env) as role:
        given = role.settings
        folder, data = Path(given.store_folder), lake.Lake(Path(given.data))
        station = station_of(given.site or platform.node())
        store = opened(given)
        site = Site(station, Sensor(folder, data, station), store, Link(folder), lambda: Sender(given.kafka, role.stop))
        edge = Edge(given, site, data)
        _measure(role, site)
        role.serve(
            questions={"site": edge.state, "weather": edge.weather},
            orders={"link": edge.set_link, "readings": edge.take, "crash": edge.crash, "train": edge.train},
        )
        forwarding = threading.Thread(target=site.forward, args=[role.stop], name="forward", daemon=True)
        forwarding.start()
        while not role.stop.wait(_EVERY):
            role.health.beat("sensor")
            site.take(1)
        forwarding.join(given.drain_seconds / 2)
        store.close()


def station_of(name: str) -> str:
    """The airport of the site with this name: edge-0 EWR, edge-1 JFK, edge-2 LGA.

    Raises:
        BadSetting: the name ends in no site's number.
    """
    number = name.rpartition("-")[2]
    if not number.isdecimal() or int(number) >= len(STATIONS):
        raise BadSetting(
            f"site name {name!r} has no station", f"end it in 0 to {len(STATIONS) - 1}, or set TARMAC_SITE"
        )
    return STATIONS[int(number)]


def opened(settings: EdgeSettings) -> Store:
    """The store that the settings name."""
    if settings.store == "memory":
        return MemoryStore(settings.store_readings)
    return DiskStore(Path(settings.store_folder), settings.store_readings)


def _measure(role: Role[EdgeSettings], site: Site) -> None:
    gauges = {
        "lab_edge_held_readings": ("Readings that wait for the link.", lambda: site.held()[0]),
        "lab_edge_dropped_readings": ("Readings given up since the start, for want of room.", lambda: site.held()[1]),
        "lab_edge_sequence": ("Number of the last reading taken.", lambda: site.sequence),
        "lab_edge_link_up": ("1 while the link is whole.", lambda: int(site.link.up)),
    }
    for name, (what, measure) in gauges.items():
        Gauge(name, what, registry=role.registry).set_function(measure)
