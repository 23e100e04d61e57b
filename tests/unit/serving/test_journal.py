"""Every prediction is told to the topic, and no request ever waits for it."""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from onnx import TensorProto
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from contracts.predictions import PredictionMade
from contracts.topics import PREDICTED
from runtime.errors import Temporary
from runtime.process import Stop
from runtime.tracing import Tracing
from serving.figures import JournalFigures
from serving.flights.people import People
from serving.inference.journal import Journal, RecordHeaders
from unit.serving.asking import Site, binary, tensor
from unit.serving.features import FLIGHT, FeatureService, put_known
from unit.serving.graphs import identity, linear, point, put
from unit.serving.schedules import timetable

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-00"
INFER = "/v2/models/m/infer"


class Topic:
    """Kafka at the wire: what was written, or, while it is shut, nobody who takes anything."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, PredictionMade, dict[str, bytes]]] = []
        self.open = threading.Event()
        self.open.set()
        self.refuse = 0

    def connect(self, stop: Stop) -> "Topic":
        """Wait for it, as the client does."""
        while not self.open.wait(0.01):
            if stop:
                raise Temporary("Kafka is away", "wait")
        return self

    def partitions(self, topic: str) -> int:
        """Return how many there are."""
        assert topic == PREDICTED
        return 3

    def send(self, topic: str, value: bytes, key: bytes, headers: RecordHeaders) -> None:
        """Take a record."""
        assert topic == PREDICTED
        if self.refuse:
            self.refuse -= 1
            raise Temporary("refused", "again")
        self.records.append((key, msgspec.json.decode(value, type=PredictionMade), dict(headers)))

    def check(self) -> None:
        """Nothing goes wrong afterwards."""

    def close(self, seconds: float) -> None:
        """Be left."""


def kept(topic: Topic, *, ratio: float = 1.0, room: int = 100, track: str = "canary") -> Journal:
    """Return a journal that writes there."""
    return Journal(topic.connect, track, ratio, room)


def written(topic: Topic, made: Journal) -> list[PredictionMade]:
    """Return all records, once the journal has been closed."""
    made.start()
    made.close(10)
    return [record for _, record, _ in topic.records]


@pytest.fixture
def topic() -> Topic:
    """Return a topic that takes records."""
    return Topic()


def asked(rows: list[list[float | None]], **parameters: object) -> dict[str, object]:
    """Return a V2 request."""
    told: dict[str, object] = {"inputs": [tensor("features", [len(rows), len(rows[0])], data=rows)]}
    return {**told, "parameters": parameters} if parameters else told


def test_a_record_says_who_said_what_to_whom(tmp_path: Path, topic: Topic) -> None:
    """Model, version, track, features as the model got them, prediction, flight, variant and trace; keyed by flight."""
    put(tmp_path, "m", "7", linear(), card=True)
    made = kept(topic)
    site = Site(tmp_path, journal=made)
    request = {"id": "q", **asked([[1, None, 2]], flight="arr-2013-01-01-UA-1-JFK", variant="b")}
    before = dt.datetime.now(dt.UTC)
    assert site.post(INFER, request, traceparent=PARENT, host="serving:8080").status == 200
    (found,) = written(topic, made)
    assert before <= found.made_at <= dt.datetime.now(dt.UTC)
    assert found == PredictionMade(
        id="q", made_at=found.made_at, model="m", version="7", track="canary", mode="online",
        flight="arr-2013-01-01-UA-1-JFK", features=[1.0, None, 2.0], prediction=None, variant="b", trace=TRACE,
    )  # fmt: skip
    key, _, headers = topic.records[0]
    assert (key, headers) == (b"arr-2013-01-01-UA-1-JFK", {"traceparent": PARENT.encode()})


def test_every_way_to_ask_is_kept(tmp_path: Path, topic: Topic) -> None:
    """V2 in JSON and in binary, MLflow's way, from the cache as well, and flights."""
    put_known(tmp_path / "models", "m", "1")
    made = kept(topic)
    service = FeatureService()
    service.rows["departure_delay_by_origin", "JFK"] = {"origin_departure_count_1h": 4}
    service.rows |= {("turn_by_tailnum", tail): {"tail_last_arrival_delay": 7} for tail in ("N100", "N200")}
    site = Site(tmp_path / "models", people=People(service.lookup(), timetable(tmp_path), made), journal=made)
    site.post(INFER, asked([[1, 2, 3]]))
    cached = asked([[2, 2, 3]], cache_key="k", cache_seconds=60)
    site.post(INFER, cached)
    site.post(INFER, cached)
    size = {"binary_data_size": 12}
    body, header = binary(
        {"inputs": [tensor("features", [1, 3], parameters=size)]}, np.array([3, 2, 3], np.float32).tobytes()
    )
    site.post(INFER, body, **header)
    site.post("/v2/models/m/invocations", {"inputs": [[4, 2, 3]]})
    site.post("/flights/predict", FLIGHT | {"alternatives": 1})
    found = written(topic, made)
    assert [each.features[0] for each in found] == [1, 2, 2, 3, 4, 7, 7]
    assert [each.flight for each in found[-2:]] == ["arr-2013-01-01-UA-1-JFK", "arr-2013-01-01-B6-2-JFK"]


def test_rows_have_their_own_records(tmp_path: Path, topic: Topic) -> None:
    """Flights by commas, as many as rows; with another number of them nobody's flight is guessed."""
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic)
    site = Site(tmp_path, journal=made)
    rows: list[list[float | None]] = [[1, 0, 0], [2, 0, 0]]
    site.post(INFER, {"id": "q", **asked(rows, flight="arr-0000001, arr-0000002")})
    site.post(INFER, {"id": "r", **asked(rows, flight="arr-0000001")})
    found = written(topic, made)
    assert [(each.id, each.flight, each.prediction) for each in found] == [
        ("q.0", "arr-0000001", 1), ("q.1", "arr-0000002", 2), ("r.0", None, 1), ("r.1", None, 2),
    ]  # fmt: skip
    assert [key for key, _, _ in topic.records] == [b"arr-0000001", b"arr-0000002", b"r.0", b"r.1"]


def test_headers_say_what_the_body_does_not(tmp_path: Path, topic: Topic) -> None:
    """Flight, side of a test, and the gateway's id of the request; one that is no id of a flight is none."""
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic)
    site = Site(tmp_path, journal=made)
    told = {"x_tarmac_flight": "arr-0000001", "x_tarmac_variant": "a", "x_request_id": "gateway-1"}
    site.post("/invocations", {"inputs": [[1, 2, 3]]}, **told)
    site.post("/invocations", {"inputs": [[1, 2, 3]]}, x_tarmac_flight="short", traceparent="nonsense")
    first, second = written(topic, made)
    assert (first.flight, first.variant, first.id) == ("arr-0000001", "a", "gateway-1")
    assert (second.flight, second.variant, second.trace) == (None, None, None)
    assert len(second.id) == 32


@pytest.mark.parametrize(
    ("host", "mode"),
    [("serving", "online"), ("serving-shadow", "shadow"), ("serving-shadow:8080", "shadow"), ("a:1", "online")],
)
def test_a_mirrored_request_is_a_shadow(tmp_path: Path, topic: Topic, host: str, mode: str) -> None:
    """By what Envoy appends to the host."""
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic)
    Site(tmp_path, journal=made).post(INFER, asked([[1, 2, 3]]), host=host)
    assert [each.mode for each in written(topic, made)] == [mode]


@pytest.mark.parametrize(("track", "mode"), [("canary", "shadow"), ("stable", "online"), ("", "online")])
def test_the_track_that_gets_the_copies_knows_it(tmp_path: Path, topic: Topic, track: str, mode: str) -> None:
    """Behind Envoy Gateway the request and its copy carry the same header, which names who gets the copy."""
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic, track=track)
    Site(tmp_path, journal=made).post(INFER, asked([[1, 2, 3]]), x_tarmac_copied_to="serving-canary")
    assert [each.mode for each in written(topic, made)] == [mode]


def test_what_the_server_records_is_what_the_record_carries(tmp_path: Path, topic: Topic) -> None:
    """Where the request is traced, the record continues the server's span."""
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic)
    exporter = InMemorySpanExporter()
    tracing = Tracing("serving", exporter, 0.0)
    Site(tmp_path, journal=made, tracing=tracing).post(INFER, asked([[1, 2, 3]]), traceparent=PARENT[:-1] + "1")
    tracing.close()
    (record,) = written(topic, made)
    server = next(each.context for each in exporter.get_finished_spans() if each.name.startswith("POST"))
    assert server is not None
    assert record.trace == TRACE
    assert topic.records[0][2]["traceparent"].decode().split("-")[2] == f"{server.span_id:016x}"


@pytest.mark.parametrize(
    "parameters",
    [
        {"flight": [1]}, {"flight": [None, {}]}, {"flight": {"a": 1}}, {"flight": 10**30},
        {"flight": [["arr-0000001"]]}, {"flight": "\0" * 20}, {"flight": "a" * 2_000_000}, {"variant": 1},
        {"variant": "b" * 2_000_000}, {"variant": []},
    ],
)  # fmt: skip
def test_names_that_are_none_cost_nobody_a_record(tmp_path: Path, topic: Topic, parameters: dict[str, object]) -> None:
    """What a caller says of its rows may be anything: its own record goes without it, and the others go on."""
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic)
    site = Site(tmp_path, journal=made)
    assert site.post(INFER, asked([[1, 0, 0]], **parameters)).status == 200
    assert site.post(INFER, asked([[2, 0, 0]])).status == 200
    found = written(topic, made)
    assert [each.prediction for each in found] == [1, 2]
    assert made.dropped == 0
    assert all(len(msgspec.json.encode(each)) < 1000 for each in found)


def test_models_that_predict_no_number_for_each_row_are_left_out(tmp_path: Path, topic: Topic) -> None:
    """There is nothing that a label could be compared with."""
    put(tmp_path, "m", "1", identity(TensorProto.FLOAT))
    put(tmp_path, "n", "1", identity(TensorProto.INT64, ("N", 1)))
    made = kept(topic)
    site = Site(tmp_path, journal=made)
    assert site.post(INFER, {"inputs": [tensor("x", [1, 2], data=[1, 2])]}).status == 200
    assert site.post("/v2/models/n/infer", {"inputs": [tensor("x", [1, 1], "INT64", data=[1])]}).status == 200
    assert written(topic, made) == []


def test_refused_requests_are_no_predictions(tmp_path: Path, topic: Topic) -> None:
    """Only answers are kept."""
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic)
    assert Site(tmp_path, journal=made).post(INFER, asked([[1, 2]])).status == 400
    assert written(topic, made) == []


def test_while_kafka_is_away_requests_are_answered_and_drops_counted(tmp_path: Path, topic: Topic) -> None:
    """As many wait as there is room for; when Kafka is back they are written, and what comes then as well."""
    topic.open.clear()
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic, room=5)
    registry = CollectorRegistry()
    JournalFigures(made, registry)
    site = Site(tmp_path, journal=made)
    made.start()
    for number in range(4):
        assert site.post(INFER, asked([[number, 0, 0], [number, 1, 0]])).status == 200
    assert registry.get_sample_value("serving_log_dropped_total") == 4
    assert registry.get_sample_value("serving_log_waiting") == 4
    topic.open.set()
    _until(lambda: made.waiting == 0)
    site.post(INFER, asked([[9, 0, 0]]))
    made.close(10)
    assert [record.prediction for _, record, _ in topic.records] == [0, 1, 1, 2, 9]
    assert registry.get_sample_value("serving_log_sent_total") == 5


def test_a_record_that_is_refused_is_counted_and_the_journal_goes_on(tmp_path: Path, topic: Topic) -> None:
    """With a connection of its own; the rows of that request are dropped."""
    topic.refuse = 1
    put(tmp_path, "m", "1", linear(), card=True)
    made = kept(topic)
    site = Site(tmp_path, journal=made)
    made.start()
    site.post(INFER, asked([[1, 0, 0], [2, 0, 0]]))
    _until(lambda: made.dropped == 2)
    site.post(INFER, asked([[3, 0, 0]]))
    _until(lambda: bool(topic.records))
    made.close(10)
    assert [record.prediction for _, record, _ in topic.records] == [3]


def test_a_journal_that_cannot_write_ends_in_time(topic: Topic) -> None:
    """Without Kafka it is given up rather than waited for."""
    topic.open.clear()
    made = kept(topic)
    made.start()
    made.close(0.05)
    made._thread.join(10)
    assert not made._thread.is_alive()


def test_a_sample_keeps_the_same_flights_on_every_track(tmp_path: Path) -> None:
    """So that both tracks' predictions of a flight are there to be compared, and about as many as were asked for."""
    put(tmp_path, "m", "1", linear(), card=True)
    point(tmp_path, "m", champion="1")
    flights = []
    for track in ("stable", "canary"):
        topic = Topic()
        made = kept(topic, ratio=0.25, room=10_000, track=track)
        site = Site(tmp_path, journal=made)

        async def ask(site: Site = site) -> None:
            for number in range(400):
                body = msgspec.json.encode(asked([[1, 2, 3]], flight=f"arr-{number:07}"))
                await site.call("POST", INFER, body, {})

        asyncio.run(ask())
        flights.append({each.flight for each in written(topic, made)})
    assert flights[0] == flights[1]
    assert 60 < len(flights[0]) < 140


def _until(condition: Callable[[], Any]) -> None:
    """Wait until something holds, for ten seconds at most."""
    waited = threading.Event()
    for _ in range(1000):
        if condition():
            return
        waited.wait(0.01)
    raise AssertionError("it never came about")
