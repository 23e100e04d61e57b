"""Calls between roles: each way to fail has its own name, and the trace travels along."""

import threading
import time
from http import HTTPStatus

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from patterns.usage import Usage, cpu_seconds
from runtime.peer import Peer, Refused, TimedOut, Unreachable, addresses, peers
from runtime.tracing import Tracing
from unit.patterns.servers import nobody, serving


def test_json_goes_both_ways() -> None:
    """A POST's body arrives as JSON and its answer comes back as JSON."""
    with serving(lambda _, path, body: (200, {"path": path, "got": body})) as server:
        peer = Peer(server.address)
        assert peer.post("/link", {"up": False}, 5) == {"path": "/link", "got": {"up": False}}
        assert peer.get("/site", 5)["path"] == "/site"


def test_an_error_carries_status_and_reason() -> None:
    """A 503 with JSON is told as Refused, with the other's own words."""
    with serving(lambda *_: (503, {"error": "out of order"})) as server, pytest.raises(Refused) as told:
        Peer(server.address).get("/alternatives/JFK/LAX", 5)
    assert told.value.status is HTTPStatus.SERVICE_UNAVAILABLE
    assert told.value.body == {"error": "out of order"}
    assert "out of order" in told.value.what


def test_silence_ends_at_the_time_limit() -> None:
    """A peer that hangs is given up after the time limit, not later."""
    over = threading.Event()

    def hang(*_: object) -> tuple[int, object]:
        over.wait(20)
        return 200, {}

    with serving(hang) as server:
        begun = time.monotonic()
        with pytest.raises(TimedOut, match=r"0\.2 s"):
            Peer(server.address).get("/", 0.2)
        assert 0.2 <= time.monotonic() - begun < 5
        over.set()


def test_nobody_there_and_no_such_name_are_unreachable() -> None:
    """A closed port and a name without an address both say so, with the address that was meant."""
    with nobody() as address, pytest.raises(Unreachable, match=address):
        Peer(address).get("/", 5)
    with pytest.raises(Unreachable, match="no address"):
        Peer("http://delays.invalid:8080").get("/", 5)
    assert addresses("delays.invalid") == []


def test_the_trace_is_passed_on_where_there_is_one() -> None:
    """Inside a sampled span the call carries its traceparent; outside none is sent."""
    tracing = Tracing("test", InMemorySpanExporter(), 1.0)
    with serving(lambda *_: (200, {})) as server:
        peer = Peer(server.address)
        peer.get("/", 5)
        with tracing.root("question") as carried:
            peer.get("/", 5)
        first, second = server.headers
    tracing.close()
    assert "traceparent" not in first
    assert second["traceparent"].encode() == dict(carried)["traceparent"]


def test_a_headless_name_gives_one_peer_per_address() -> None:
    """Each address of the name is a peer at the Service's port."""
    assert [peer.base for peer in peers("http://localhost:8080")] == ["http://127.0.0.1:8080"]


def test_use_of_cpu_is_the_growth_of_what_pods_tell() -> None:
    """Two readings two seconds apart with half a second of CPU between them: a quarter of a core."""
    told, now = [10.0, 10.5], [100.0]

    def metrics(*_: object) -> tuple[int, object]:
        return 200, f"# HELP x\nprocess_cpu_seconds_total {told[0]}\n"

    with serving(metrics) as server:
        usage = Usage(server.address, clock=lambda: now[0])
        assert usage.cores() == 0.0
        told.pop(0)
        now[0] += 2
        assert usage.cores() == pytest.approx(0.25)
        assert cpu_seconds(Peer(server.address)) == 10.5


def test_where_no_pod_answers_there_is_no_use_to_tell() -> None:
    """No worker: None, which is not the same as a worker that does nothing."""
    with nobody() as address:
        assert Usage(address).cores() is None
