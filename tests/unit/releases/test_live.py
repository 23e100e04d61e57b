"""An A/B test on live traffic, without a word to the caller: from flights that leave to the verdict.

Real: who follows, the servers of both tracks with their journals, what joins labels, and the controller. At the wire:
Kafka, Kubernetes, Prometheus, MLflow, the feature service, and a gateway that does what the route says.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from contracts import encode
from contracts.predictions import PredictionMade
from contracts.units import unit
from releases.desk import Desk as Questions
from releases.state import Phase
from runtime.broker import Place
from runtime.tracing import Tracing
from serving.flights.people import People
from serving.inference.journal import Journal
from serving.worker_settings import FollowSettings
from serving.workers import labels
from serving.workers.figures import FollowFigures, LabelFigures
from serving.workers.follow import OUTCOMES, Desk, Follower
from unit.patterns.servers import serving
from unit.releases.cluster import Cluster, address
from unit.releases.gateways import passed
from unit.releases.worlds import World, plan
from unit.serving.asking import Site
from unit.serving.features import FeatureService, put_known
from unit.serving.schedules import timetable
from unit.serving.test_follow import PLACE, Record, departed
from unit.serving.test_journal import Topic

MODEL = "delay-boosting"
OFF = {"need": "off"}
TEST = plan(
    strategy="ab", seconds=10, share=0.5,
    criteria={"interval": 5, "requests": 20, "errors": OFF, "latency": OFF, "outputs": OFF},
)  # fmt: skip
PLANES, FLIGHTS = 40, 60
"""Planes that fly, and flights that leave in five seconds."""


class Track:
    """A server with one version of the model, which doubles what it adds up as often as it is told to."""

    def __init__(self, folder: Path, name: str, version: str, factor: float, service: FeatureService) -> None:
        folder.mkdir()
        put_known(folder / "models", MODEL, version, factor)
        self.topic = Topic()
        self.journal = Journal(self.topic.connect, name, 1.0, 10_000)
        people = People(service.lookup(5.0), timetable(folder), self.journal)
        self.site = Site(folder / "models", default=MODEL, people=people, journal=self.journal)
        self.journal.start()

    def told(self) -> list[PredictionMade]:
        """Return what the journal has told since it was last asked, once nothing of it waits."""
        deadline = time.monotonic() + 10
        while self.journal.sent + self.journal.dropped < self.journal._offered:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        found, self.topic.records = [record for _, record, _ in self.topic.records], []
        return found


class Live(Cluster):
    """A cluster whose figures are those of real servers that live traffic asks.

    Args:
        folder: of its files.
        truth: minutes late that a flight arrives, times what the stable version predicts.
    """

    def __init__(self, folder: Path, truth: float) -> None:
        super().__init__(World(1), folder)
        self.truth = truth
        self.records: list[PredictionMade] = []
        self._flight = 0
        service = FeatureService()
        service.rows["departure_delay_by_origin", "JFK"] = {"origin_departure_count_1h": 4}
        for plane in range(PLANES):
            service.rows["turn_by_tailnum", f"N{plane + 100}"] = {"tail_last_arrival_delay": plane % 7}
        self.tracks = {
            "stable": Track(folder / "stable", "stable", "6", 1.0, service),
            "canary": Track(folder / "canary", "canary", "7", 2.0, service),
        }
        self.labels = labels.Labels(48, 10_000)
        self.labelled = CollectorRegistry()
        LabelFigures(self.labels, self.labelled)
        self._left: list[Record] = []
        told = FollowSettings(gateway="http://gateway.test:8080", follow_rate=1000)
        desk = Desk(told, httpx.MockTransport(self._asked))
        self.follower = Follower(told, self, desk, FollowFigures(CollectorRegistry(), OUTCOMES), Tracing.off())
        self._new = True
        self.follower.turn(lambda: False)

    def wait(self, seconds: float) -> None:
        """Let flights leave and arrive, and Prometheus read what that made of every figure."""
        for _ in range(FLIGHTS):
            self._flight += 1
            event = departed(self._flight, f"N{self._flight % PLANES + 100}")
            self._left.append(Record(int(self.clock * 1000), encode(event), []))
        self.follower.turn(lambda: False, lambda: self.clock)
        for track in self.tracks.values():
            for record in track.told():
                self.records.append(record)
                self.labels.predicted(record, lambda: None)
                assert record.flight
                known = sum(each or 0.0 for each in record.features)
                self.labels.arrived(record.flight, self.clock, self.truth * known)
        self.clock += seconds
        self._history.append((self.clock, dict(self._figures())))

    def end(self) -> None:
        """Let the journals go."""
        for track in self.tracks.values():
            track.journal.close(10)

    def poll(self, seconds: float) -> Mapping[Place, list[Any]]:
        """Return the departures that were not followed yet."""
        assert seconds > 0
        found, self._left = self._left, []
        return {PLACE: found} if found else {}

    def changed(self) -> bool:
        """Return whether the member is new."""
        new, self._new = self._new, False
        return new

    def assigned(self) -> set[Place]:
        """Return the only partition."""
        return {PLACE}

    def bounds(self, places: set[Place]) -> dict[Place, tuple[int, int]]:
        """Return first and next offset."""
        return dict.fromkeys(places, (0, 0))

    def seek(self, place: Place, offset: int) -> None:
        """Read on from there."""
        assert (place, offset) == (PLACE, 0)

    def _asked(self, request: httpx.Request) -> httpx.Response:
        sent = passed(self.rules, "/v2", dict(request.headers))
        site = self.tracks[sent.service.removeprefix("serving-")].site
        answer = site.ask("POST", request.url.path, request.content, _own(sent.headers))
        return httpx.Response(answer.status, content=answer.body)

    def _figures(self) -> Iterator[tuple[tuple[tuple[str, str], ...], float]]:
        registries = [(name, track.site.models._figures.registry) for name, track in self.tracks.items()]
        for track, registry in [*registries, ("", self.labelled)]:
            for sample in (sample for metric in registry.collect() for sample in metric.samples):
                named = {"__name__": sample.name, "app": "serving", **({"track": track} if track else {})}
                yield tuple(sorted({**named, **sample.labels}.items())), sample.value


def _own(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers but those that the connection makes anew."""
    return {name: value for name, value in headers.items() if name not in ("content-length", "host")}


@contextmanager
def living(folder: Path, truth: float) -> Iterator[Live]:
    """A cluster with live traffic, for the time of a test."""
    (folder / "token").write_text("secret\n")
    live = Live(folder, truth)
    with serving(live.answer) as server:
        live.address = address(server)
        try:
            yield live
        finally:
            live.end()


@pytest.mark.parametrize(("truth", "phase"), [(2.0, Phase.PROMOTED), (1.0, Phase.ROLLED_BACK)])
def test_live_traffic_decides_a_test(tmp_path: Path, truth: float, phase: Phase) -> None:
    """The better version is found by flights that arrived; each plane was answered by one version alone, all along."""
    with living(tmp_path, truth) as live:
        live.wait(5)
        controller = live.controller()
        controller.start(TEST)
        for _ in range(60):
            controller.glance()
            if live.state().over:
                break
            live.wait(5)
        state = live.state()
        assert state.phase is phase, state.decisions[-1]
        (goal,) = [each for each in state.findings if each.criterion == "goal"]
        # The difference is that of labels, of either side a hundred at least.
        assert goal.figures["values"] >= 100
        assert (goal.figures["difference"] < 0) is (phase is Phase.PROMOTED)
        split = [each for each in live.records if each.variant]
        told = {(each.track, each.version, each.variant) for each in split}
        assert told == {("stable", "6", "a"), ("canary", "7", "b")}
        sides: dict[str, set[str]] = {}
        for each in split:
            sides.setdefault(_plane(each), set()).add(each.track)
        assert len(sides) == PLANES
        assert all(len(tracks) == 1 for tracks in sides.values())
        live.wait(5)
        assert {each.variant for each in live.records[-FLIGHTS:]} == {None}


def test_the_controller_names_the_side_that_the_route_deals(tmp_path: Path) -> None:
    """What it says of a plane is what the gateway makes of the plane's requests; outside a test it says nothing."""
    with living(tmp_path, 2.0) as live:
        live.wait(5)
        controller = live.controller()
        desk = Questions(controller)
        assert desk.assignment(("N100",))[1]["variant"] is None
        controller.start(TEST)
        while not live.state().test:
            controller.glance()
            live.wait(5)
        planes = [f"N{number + 100}" for number in range(PLANES)]
        said = {plane: desk.assignment((plane,))[1]["variant"] for plane in planes}
        assert set(said.values()) == {"a", "b"}
        sent = {plane: passed(live.rules, "/v2", {"x-tarmac-unit": unit(plane)}).headers for plane in planes}
        assert said == {plane: headers["x-tarmac-variant"] for plane, headers in sent.items()}


def _plane(record: PredictionMade) -> str:
    assert record.flight
    return f"N{int(record.flight.split('-')[5]) % PLANES + 100}"
