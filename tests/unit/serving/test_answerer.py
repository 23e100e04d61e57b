"""What becomes of a request that came in a topic."""

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts.predictions import STREAM
from contracts.topics import ASKED
from contracts.validation import Invalid
from runtime.tracing import Tracing, traceparent
from serving.inference.journal import Journal
from serving.model.batch import Limits
from serving.workers.answerer import Answer, Answerer
from unit.serving.asking import tensor
from unit.serving.graphs import gathering, linear, point, put, put_composition, repository
from unit.serving.test_journal import Topic, written

ROW = [1.0, 2.0, 4.0]
SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = SAMPLED[:-1] + b"0"


class Record(NamedTuple):
    """A record, as far as the worker looks at it."""

    value: bytes | None
    headers: list[tuple[str, bytes]] = []  # noqa: RUF012  never changed
    offset: int = 0
    topic: str = ASKED
    partition: int = 0
    key: bytes | None = b"k"


def request(model: str = "m", *, data: object = ROW, **more: object) -> bytes:
    """A request of one row."""
    body = {"id": "7", "model_name": model, "inputs": [tensor("features", [1, 3], data=data)], **more}
    return msgspec.json.encode(body)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of models."""
    put(tmp_path, "m", "1", linear(), card=True)
    put(tmp_path, "m", "2", linear(factor=10), card=True)
    point(tmp_path, "m", champion="1", challenger="2")
    put(tmp_path, "table", "1", gathering())
    put(tmp_path, "broken", "1", b"no model")
    parts = {"kind": "by_parameter", "parameter": "depth", "ways": {"deep": "m@challenger"}, "otherwise": "m"}
    put_composition(tmp_path, "whole", "1", parts)
    return tmp_path


def answered(
    root: Path, *records: Record, tracing: Tracing | None = None, journal: Journal | None = None
) -> list[Answer | Invalid]:
    """What comes of records that came together."""

    async def scene() -> list[Answer | Invalid]:
        models = repository(root, limits=Limits(inline_seconds=0, queue=100, queue_seconds=30))
        await models.refresh()
        answerer = Answerer(models, tracing or Tracing.off(), 20, journal)
        return list(await asyncio.gather(*map(answerer.answer, records)))

    return asyncio.run(asyncio.wait_for(scene(), 60))


def told(outcome: Answer | Invalid) -> Any:  # noqa: ANN401  any JSON
    """The answer, as JSON."""
    assert isinstance(outcome, Answer)
    return json.loads(outcome.value)


@pytest.mark.parametrize(
    ("body", "version", "prediction"),
    [
        (request(), "1", 7.0),
        (request(model_version="2"), "2", 70.0),
        (request("m@challenger"), "2", 70.0),
        (request("whole"), "1", 7.0),
        (request("whole", parameters={"depth": "deep"}), "1", 70.0),
    ],
)
def test_a_request_is_answered_as_over_http(root: Path, body: bytes, version: str, prediction: float) -> None:
    """By the version or alias that it names, a model or a composition; id and version stand in the answer."""
    (found,) = answered(root, Record(body))
    answer = told(found)
    assert (answer["id"], answer["model_version"]) == ("7", version)
    assert answer["outputs"] == [{"name": "prediction", "datatype": "FP32", "shape": [1, 1], "data": [prediction]}]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (request("nobody"), 404, "nobody is unknown"),
        (request(model_version="9"), 404, "no version or alias 9"),
        (request("m@1", model_version="2"), 400, "two versions"),
        (request(data=[1.0]), 400, "features"),
        (request(data=["x", 1, 2]), 400, "features"),
        (request("whole", parameters={"depth": "x"}), 400, "it takes deep"),
        (request("broken"), 422, "broken"),
        (
            msgspec.json.encode(
                {"id": "7", "model_name": "table", "inputs": [tensor("index", [1], "INT64", data=[9])]}
            ),
            422,
            "table",
        ),
    ],
)
def test_a_request_that_cannot_be_served_is_answered_with_its_error(
    root: Path, body: bytes, status: int, words: str
) -> None:
    """V2's error with the id and the status that HTTP would have: whoever asked is told."""
    (found,) = answered(root, Record(body))
    answer = told(found)
    assert (answer["id"], answer["status"]) == ("7", status)
    assert words in answer["error"]


@pytest.mark.parametrize(
    ("value", "kind", "field"),
    [
        (None, "malformed", "$"),
        (b"{", "malformed", "$"),
        (b"\xff", "malformed", "$"),
        (b'{"x": ' + b"[" * 100_000, "malformed", "$"),
        (b"[]", "contract", "$"),
        (b'{"id": "", "model_name": "m", "inputs": []}', "contract", "id"),
        (b'{"model_name": "m", "inputs": []}', "contract", "id"),
        (b'{"id": "7", "inputs": []}', "contract", "model_name"),
        (b'{"id": "7", "model_name": "m"}', "contract", "inputs"),
    ],
)
def test_what_is_no_request_has_no_answer(root: Path, value: bytes | None, kind: str, field: str) -> None:
    """Nobody could be told: it is refused with kind and field, as a dead letter needs them."""
    (found,) = answered(root, Record(value))
    assert isinstance(found, Invalid)
    assert (found.kind, found.field) == (kind, field)


def test_a_bad_request_holds_up_no_other(root: Path) -> None:
    """Among many that are computed together each gets its own."""
    bodies = [request(), b"{", request("nobody"), request(data=[None, 1, 1]), request(model_version="2")] * 20
    found = answered(root, *map(Record, bodies))
    assert [type(each) for each in found] == [Answer, Invalid, Answer, Answer, Answer] * 20
    assert [told(found[at])["outputs"][0]["data"] for at in (0, 3, 4)] == [[7.0], [None], [70.0]]


def test_the_trace_of_a_request_goes_on_in_its_answer(root: Path) -> None:
    """A span of its own where the request's was sampled; otherwise the request's context, as it came; none: none."""
    exporter = InMemorySpanExporter()
    tracing = Tracing("serving-stream", exporter, 1)
    records = [Record(request(), [("traceparent", parent)]) for parent in (SAMPLED, UNSAMPLED)]
    sampled, unsampled, bare = answered(root, *records, Record(request()), tracing=tracing)
    tracing.close()
    (span,) = exporter.get_finished_spans()
    assert isinstance(sampled, Answer)
    assert isinstance(unsampled, Answer)
    assert isinstance(bare, Answer)
    assert span.context.trace_id == int(SAMPLED[3:35], 16)
    assert traceparent(sampled.headers) == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01".encode()
    assert traceparent(unsampled.headers) == UNSAMPLED
    assert bare.headers == []


def test_what_was_predicted_is_told_to_the_journal(root: Path) -> None:
    """As of servers, with the mode that says how it was asked for; what was refused is no prediction."""
    topic = Topic()
    journal = Journal(topic.connect, "", 1.0, 100, STREAM)
    body = request("whole", parameters={"flight": "arr-2013-01-01-UA-1-JFK"})
    answered(root, Record(body, [("traceparent", UNSAMPLED)]), Record(request("nobody")), Record(b"{"), journal=journal)
    (found,) = written(topic, journal)
    assert (found.id, found.model, found.mode, found.track) == ("7", "whole", "stream", "")
    assert (found.flight, found.prediction) == ("arr-2013-01-01-UA-1-JFK", 7.0)
    assert found.trace == SAMPLED[3:35].decode()
