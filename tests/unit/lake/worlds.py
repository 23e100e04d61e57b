"""Small lakes: bronze tables in a folder, as the bronze writer leaves them, without a broker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

from contracts import Event, FlightArrived, FlightDeparted, WeatherRead, encode
from contracts.topics import ARRIVED, DEPARTED, EVENTS, WEATHER
from ingest.bronze.batch import Batch, columns
from ingest.bronze.table import Table
from lake.store import Lake
from runtime.broker import Place
from runtime.store import Store
from unit.ingest.worlds import Record

BEGIN = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)


def topic_of(event: Event) -> str:
    """The topic that carries an event."""
    return next(topic for topic, kind in EVENTS.items() if isinstance(event, kind))


class World:
    """A lake in a folder (or a store that is given), and a log whose offsets are counted here."""

    def __init__(self, folder: Path, store: Store | None = None) -> None:
        store = store or Store(str(folder / "lake"))
        self.root = store.root
        self.lake = Lake(store)
        self.tables = {topic: Table(store, topic, columns(topic)) for topic in EVENTS}
        self._next = dict.fromkeys(EVENTS, 0)

    def add(self, events: Iterable[Event]) -> None:
        """Commit events to bronze, in this order."""
        batches = {topic: Batch(topic) for topic in EVENTS}
        for event in events:
            topic = topic_of(event)
            offset = self._next[topic]
            self._next[topic] += 1
            record = Record(offset, encode(event), [], timestamp=offset, topic=topic)
            batches[topic].take(Place(topic, 0), [record])
        for topic, batch in batches.items():
            if len(batch):
                self.tables[topic].append(batch.values(), {f"{topic}-0@test": self._next[topic]})


def departed(  # noqa: PLR0913  what a test may want to choose
    minute: float, *, origin: str = "JFK", dest: str = "LAX", carrier: str = "UA", delay: int = 0, name: str = "",
    flight: int = 1, tailnum: str | None = "N12345",
) -> FlightDeparted:  # fmt: skip
    """A departure so many minutes after the beginning of 2013."""
    time = BEGIN + dt.timedelta(minutes=minute)
    return FlightDeparted(
        id=name or f"dep-{origin}-{dest}-{carrier}-{flight}-{minute:09.2f}",
        time=time, scheduled=time - dt.timedelta(minutes=delay), delay=delay, carrier=carrier, flight=flight,
        origin=origin, dest=dest, distance=1000, tailnum=tailnum,
    )  # fmt: skip


def arrived(  # noqa: PLR0913  what a test may want to choose
    minute: float, *, origin: str = "JFK", dest: str = "LAX", carrier: str = "UA", delay: int = 0, name: str = "",
    flight: int = 1, tailnum: str | None = "N12345",
) -> FlightArrived:  # fmt: skip
    """An arrival so many minutes after the beginning of 2013."""
    time = BEGIN + dt.timedelta(minutes=minute)
    return FlightArrived(
        id=name or f"arr-{origin}-{dest}-{carrier}-{flight}-{minute:09.2f}",
        time=time, scheduled=time - dt.timedelta(minutes=delay), delay=delay, carrier=carrier, flight=flight,
        origin=origin, dest=dest, distance=1000, tailnum=tailnum, air_time=300,
    )  # fmt: skip


def reading(minute: float, station: str = "JFK", temp: float | None = 30.0) -> WeatherRead:
    """A reading so many minutes after the beginning of 2013."""
    return WeatherRead(
        id=f"wx-{station}-{minute:09.2f}", time=BEGIN + dt.timedelta(minutes=minute), station=station, temp=temp,
        dewp=20.0, humid=50.0,
    )  # fmt: skip


def days_of_flights(days: int, first: int = 0, per_day: int = 24) -> Sequence[Event]:
    """So many days of flights and weather, one of each an hour, all the same every day."""
    out: list[Event] = []
    for day in range(first, first + days):
        for hour in range(per_day):
            minute = day * 1440 + hour * (1440 / per_day)
            number = 1 + hour
            out += [
                reading(minute),
                departed(minute + 5, delay=hour % 7, flight=number, tailnum=f"N{number:05}"),
                arrived(minute + 305, delay=hour % 11, flight=number, tailnum=f"N{number:05}"),
            ]
    return out


__all__ = ["ARRIVED", "BEGIN", "DEPARTED", "WEATHER", "World", "arrived", "days_of_flights", "departed", "reading"]
