"""Twenty kills during a replay of 200,000 events: nothing lost, doubled or moved back, and online equals offline."""

from __future__ import annotations

import base64
import itertools
import json
import math
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx
import polars as pl
import pytest

from driver import Driver, until
from replays import TOPICS, Replay

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.stands("02"),
    pytest.mark.turn(0),
    pytest.mark.timeout(1800),
    # The Kafka client leaves connections that the kills break to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_EVENTS = 200_000
_SPEEDUP = 30_000
"""All of them in about five minutes, were it not for the kills: each takes time, and the replay goes on meanwhile."""
_KILLS = 20
_VICTIMS = (
    ("chain", "app.kubernetes.io/component=consumer", "consumer"),
    ("chain", "app.kubernetes.io/name=feature", "server"),
    ("data", "app.kubernetes.io/name=redis", "redis"),
    ("platform", "app.kubernetes.io/name=kafka", "kafka"),
)
"""Namespace, label and container of what is killed, in turn."""
_KINDS = ("origin", "carrier", "route")
_STREAMED = (*(f"{side}_delay_by_{kind}" for side in ("departure", "arrival") for kind in _KINDS), "weather_by_origin")
_BATCHED = ("punctuality_30d_by_route", "punctuality_30d_by_carrier", "turn_by_tailnum")
_STAMP = "event_timestamp"
_CHUNK = 500
"""Entities in one question to the feature server."""


@pytest.fixture
def replay(lab: Driver) -> Replay:
    """Return a replay of exactly 200,000 events into new topics, on the stack of lab 02."""
    lab.run("reset", "02")
    return Replay.begun(lab, _EVENTS, _SPEEDUP)


def test_twenty_kills_lose_double_and_move_back_nothing(replay: Replay) -> None:
    """In the end log, lake and online store tell the same; and no reader ever saw a value go back in time."""
    lab = replay.lab
    with Watcher(lab) as watcher:
        for number, victim in enumerate(itertools.islice(itertools.cycle(_VICTIMS), _KILLS), 1):
            goal = number * _EVENTS // (_KILLS + 2)
            until(lambda: replay.sent() >= goal, f"{goal} events are sent", 240)  # noqa: B023  asked at once
            _kill(lab, *victim)
        assert replay.sent() < _EVENTS, "the replay was over before the last kill"
        until(lambda: replay.sent() >= _EVENTS, "all events are sent", 400)
        until(lambda: sum(replay.outcomes().values()) >= _EVENTS + replay.probes, "all events are applied", 240)
    ids = replay.ids()
    assert [name for name, count in ids.items() if count > 1] == []
    assert len(ids) == _EVENTS
    assert replay.outcomes()["duplicate"] == replay.outcomes()["dead"] == 0, replay.outcomes()

    lake = Lake.of(lab)
    until(lambda: lake.events() >= _EVENTS + replay.probes, "all events are in the lake", 240, step=3)
    assert lake.doubled() == []
    _build(lab)
    for view in (*_STREAMED, *_BATCHED):
        _same(lab, view, lake.newest(view, known_only=view in _BATCHED))
    assert watcher.regressions == []
    assert watcher.answers > _KILLS


def _kill(lab: Driver, namespace: str, label: str, container: str) -> None:
    """End a container's first process at once, as a crash would; it starts again in its pod.

    The pod is not deleted by force: an old Redis could live on beside the new one, and take rows that nobody reads.
    """
    lab.in_node("kill", "-9", str(lab.first_process(namespace, label, container)))


def _build(lab: Driver) -> None:
    """Bring the batch layer and its rows online up to date."""
    lab.kubectl("create", "job", "after-the-kills", "--from=cronjob/lake-build", "-n", "chain")
    try:
        lab.kubectl("wait", "job/after-the-kills", "-n", "chain", "--for=condition=complete", "--timeout=300s")
    finally:
        lab.kubectl("delete", "job", "after-the-kills", "-n", "chain", "--ignore-not-found")


@dataclass
class Watcher:
    """A reader of features that asks all the time; refusals while something is away are what it expects.

    Attributes:
        lab: whose feature server is asked.
        answers: how many it had.
        regressions: entity, event time that was seen, and the earlier one that was seen after it.

    """

    lab: Driver
    answers: int = 0
    regressions: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._seen: dict[str, datetime] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        entities = {"origin": ["EWR", "JFK", "LGA"]}
        while not self._over.wait(0.2):
            try:
                times = asked(self.lab, ["departure_delay_by_origin:origin_departure_count_1h"], entities)[1]
            except httpx.HTTPError:
                continue
            self.answers += 1
            for name, (time,) in zip(entities["origin"], times, strict=True):
                before = self._seen.setdefault(name, time)
                if time < before:
                    self.regressions.append((name, before, time))
                self._seen[name] = max(before, time)


def asked(
    lab: Driver, features: list[str], entities: dict[str, list[str]]
) -> tuple[list[tuple[Any, ...]], list[tuple[datetime, ...]]]:
    """Return the values and event times of the entities, a row for each, as the feature server has them."""
    answer = httpx.post(
        f"http://127.0.0.1:{lab.port(6566)}/get-online-features",
        json={"features": features, "entities": entities},
        timeout=10,
    ).raise_for_status()
    told = dict(zip(answer.json()["metadata"]["feature_names"], answer.json()["results"], strict=True))
    columns = [told[each.partition(":")[2]] for each in features]
    values = list(zip(*(column["values"] for column in columns), strict=True))
    times = [[datetime.fromisoformat(each) for each in column["event_timestamps"]] for column in columns]
    return values, list(zip(*times, strict=True))


@dataclass(frozen=True)
class Lake:
    """The tables of the lake, read from outside the cluster.

    Attributes:
        options: where the object store is, and the keys to it.

    """

    options: dict[str, str]

    @classmethod
    def of(cls, lab: Driver) -> Self:
        """Return the lake of a cluster."""
        secret = json.loads(lab.kubectl("get", "secret", "objectstore", "-n", "data", "-o", "json"))["data"]
        access, key = (base64.b64decode(secret[name]).decode() for name in ("access-key", "secret-key"))
        return cls({
            "aws_endpoint": f"http://127.0.0.1:{lab.port(19000)}", "aws_region": "us-east-1", "allow_http": "true",
            "aws_access_key_id": access, "aws_secret_access_key": key, "aws_virtual_hosted_style_request": "false",
        })  # fmt: skip

    def scan(self, table: str) -> pl.LazyFrame:
        """Return a table's rows."""
        return pl.scan_delta(f"s3://lake/{table}", storage_options=self.options)

    def events(self) -> int:
        """Return how many events there are."""
        return sum(int(self.scan(f"bronze/{topic}").select(pl.len()).collect().item()) for topic in TOPICS)

    def doubled(self) -> list[str]:
        """Return the ids of events that stand there more than once."""
        ids = pl.concat([self.scan(f"bronze/{topic}").select("id") for topic in TOPICS])
        return ids.group_by("id").len().filter(pl.col("len") > 1).collect().get_column("id").to_list()

    def newest(self, view: str, *, known_only: bool) -> pl.DataFrame:
        """Return the newest row of each entity of a view; `known_only`: as far as the newest arrival."""
        rows = self.scan(f"gold/features/{view}").drop("date")
        if known_only:
            until_then = self.scan("silver/arrivals").select(pl.col("time").max()).collect().item()
            rows = rows.filter(pl.col(_STAMP) <= until_then)
        entity = rows.collect_schema().names()[0]
        return rows.group_by(entity).agg(pl.all().sort_by(_STAMP).last()).sort(entity).collect()


def _same(lab: Driver, view: str, offline: pl.DataFrame) -> None:
    """Hold the online rows of a view to its offline rows: all entities, all features, and their event times."""
    entity, _, *features = offline.columns
    assert offline.height, f"{view} has no row"
    names = [f"{view}:{name}" for name in features]
    for chunk in offline.iter_slices(_CHUNK):
        keys = chunk.get_column(entity).to_list()
        values, times = asked(lab, names, {entity: keys})
        stamps = chunk.get_column(_STAMP).dt.replace_time_zone("UTC").to_list()
        for key, stamp, wanted, found, at in zip(
            keys, stamps, chunk.select(features).iter_rows(), values, times, strict=True
        ):
            assert set(at) == {stamp.astimezone(UTC)}, f"{view} {key}: online {at[0]}, offline {stamp}"
            assert _equal(found, wanted), f"{view} {key} at {stamp}: online {found}, offline {wanted}"


def _equal(found: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    """Say whether two rows hold the same; means were summed up in another order, and may differ in the last digits."""
    return all(
        one == other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9))
        for one, other in zip(found, wanted, strict=True)
    )
