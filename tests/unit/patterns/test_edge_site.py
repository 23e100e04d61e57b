"""A site: whatever happens to its link, its broker and its process, the centre gets every reading once and in order."""

import gzip
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patterns.centre_ledger import Ledger
from patterns.edge_site import TOPIC, Link, Reading, Sensor, Site
from patterns.lake import Lake, LakeMissing
from patterns.store import DiskStore, MemoryStore
from runtime.patience import BrokerUnavailable


class Broker:
    """The broker at the wire: what reached it, in order; it may fail to say so."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.answers = True
        self.connections = 0

    def connect(self) -> "Broker":
        """A site opens a connection."""
        self.connections += 1
        return self

    def send(self, topic: str, value: bytes, key: bytes | None, *, partition: int) -> None:
        """A record arrives."""
        assert (topic, key, partition) == (TOPIC, b"JFK", 1)
        self.log.append(value)

    def flush(self, seconds: float) -> None:
        """The acknowledgement comes, or does not."""
        assert seconds > 0
        if not self.answers:
            raise BrokerUnavailable("no acknowledgement", "wait")

    def close(self, seconds: float) -> None:
        """The site hangs up at once."""
        assert seconds == 0


def lake(folder: Path, readings: int = 30) -> Lake:
    """A packed file with readings of two stations."""
    file = folder / "flights.jsonl.gz"
    with gzip.open(file, "wt") as lines:
        lines.write('{"format":1,"events":0}\n')
        for hour in range(readings):
            for station in ("JFK", "LGA"):
                event = {"type": "weather.read.v1", "id": f"wx-{station}-{hour:04}", "station": station, "temp": hour}
                lines.write(json.dumps(event, separators=(",", ":")) + "\n")
    return Lake(file)


class Airport:
    """A site with its disk, its broker, and a centre that reads the topic."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lake = lake(folder)
        self.broker = Broker()
        self.store = DiskStore(folder, 10_000)
        self.site = self.start()

    def start(self) -> Site:
        """The site's process begins."""
        sensor = Sensor(self.folder, self.lake, "JFK")
        return Site("JFK", sensor, self.store, Link(self.folder), self.broker.connect)

    def crash(self) -> None:
        """It ends without a farewell, and another begins."""
        self.store.close()
        self.store = DiskStore(self.folder, 10_000)
        self.site = self.start()

    def forward(self, *, acknowledged: bool) -> None:
        """The site sends what waits; the broker may not say that it has it."""
        self.broker.answers = acknowledged
        try:
            self.site.forward_once()
        except BrokerUnavailable:
            assert not acknowledged

    def ledger(self) -> Ledger:
        """What a centre makes of the topic."""
        ledger = Ledger()
        for value in self.broker.log:
            ledger.apply(Reading.decoded(value))
        return ledger


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(1, 20)),
        st.tuples(st.sampled_from(["forward", "unheard", "cut", "join", "crash"]), st.just(0)),
    ),
    max_size=30,
)


@given(steps=STEPS)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_the_centre_applies_every_reading_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    """Cut links, lost acknowledgements and crashes, in any order: in the end all that was taken was applied, once."""
    with tempfile.TemporaryDirectory() as name:
        airport = Airport(Path(name))
        taken = 0
        for step, count in steps:
            if step == "take":
                taken += count
                assert airport.site.take(count) == taken
            elif step == "crash":
                airport.crash()
            elif step in ("cut", "join"):
                airport.site.link.set(up=step == "join")
            else:
                airport.forward(acknowledged=step == "forward")
        airport.site.link.set(up=True)
        while airport.site.held()[0]:
            airport.forward(acknowledged=True)
        ledger = airport.ledger()
        assert ledger.applied("JFK", 0, taken) == list(range(1, taken + 1))
        latest = ledger.latest("JFK")
        assert latest == airport.site.latest()
        assert latest is None or latest.sequence == taken
        airport.store.close()


def test_a_cut_outlives_the_process_and_nothing_leaves_through_it(tmp_path: Path) -> None:
    """A cable does not grow together because the process was started again."""
    airport = Airport(tmp_path)
    airport.site.link.set(up=False)
    airport.site.take(5)
    airport.crash()
    airport.forward(acknowledged=True)
    assert not airport.site.link.up
    assert airport.broker.log == []
    assert airport.broker.connections == 0
    assert airport.site.held() == (5, 0)
    airport.store.close()


def test_an_unheard_acknowledgement_is_waited_for_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    """While the connection stands, the site waits on instead of sending again."""
    airport = Airport(tmp_path)
    airport.site.take(3)
    airport.forward(acknowledged=False)
    airport.forward(acknowledged=False)
    assert airport.site.held() == (3, 0)
    airport.forward(acknowledged=True)
    assert airport.site.held() == (0, 0)
    assert len(airport.broker.log) == 3
    airport.store.close()


def test_a_site_in_memory_loses_what_waits_but_numbers_on(tmp_path: Path) -> None:
    """The instrument numbers its readings, not the process: what a crash loses shows as a gap, never as a repeat."""
    broker, link = Broker(), Link(tmp_path)
    sensor = Sensor(tmp_path, lake(tmp_path), "JFK")
    assert Site("JFK", sensor, MemoryStore(10), link, broker.connect).take(4) == 4
    again = Site("JFK", Sensor(tmp_path, lake(tmp_path), "JFK"), MemoryStore(10), link, broker.connect)
    assert again.latest() is None
    assert again.take(1) == 5
    again.forward_once()
    assert [Reading.decoded(value).sequence for value in broker.log] == [5]


def test_readings_go_on_where_they_were_and_the_year_begins_again(tmp_path: Path) -> None:
    """After a restart the next hour follows; after the last hour comes the first."""
    data = lake(tmp_path, readings=30)
    first = Sensor(tmp_path, data, "JFK")
    first.acknowledge(first.take(28)[-1].sequence)
    hours = [reading.weather["temp"] for reading in Sensor(tmp_path, data, "JFK").take(4)]
    assert hours == [28, 29, 0, 1]
    first.skip_to(91)
    assert first.take(1)[0].weather["temp"] == 1


def test_a_station_without_readings_is_told(tmp_path: Path) -> None:
    """A wrong packed file ends the site with its name in the message, it does not spin."""
    with pytest.raises(LakeMissing, match="EWR"):
        Sensor(tmp_path, lake(tmp_path), "EWR").take(1)
    with pytest.raises(LakeMissing, match=r"none\.gz"):
        Sensor(tmp_path, Lake(tmp_path / "none.gz"), "JFK").take(1)
