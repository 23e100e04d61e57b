"""The gateway's own experiments, run against real parts: what the wrong settings show, and what the right ones do.

`delays` is the real role's HTTP side with a read model filled by hand; sites are fakes at the wire.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from patterns.broker import Record
from patterns.delays import Delays, Fault
from patterns.departures import Departures
from patterns.experiments import bulkhead as bulkhead_module
from patterns.experiments import circuit_breaker as breaker_module
from patterns.experiments import scale_to_zero as scale_module
from patterns.experiments.bulkhead import bulkhead
from patterns.experiments.circuit_breaker import circuit_breaker
from patterns.experiments.discovery import service_discovery
from patterns.experiments.faults import NotCalm
from patterns.experiments.scale_to_zero import scale_to_zero
from patterns.experiments.stage import Stage
from patterns.jobs import TOPIC, Sample
from patterns.worker import Worker
from runtime import metrics
from runtime.health import Health
from runtime.peer import Peer
from runtime.process import Stop
from runtime.tracing import Tracing
from runtime.web import Web
from unit.patterns.gateways import STATIONS, gateway
from unit.patterns.servers import Reply, nobody, serving
from unit.patterns.test_delays import departure


@contextmanager
def delays_role() -> Iterator[str]:
    """The role `delays` over HTTP, with one departure; its address."""
    departures, fault = Departures(), Fault()
    departures.add(departure(0, "AA", -3))
    role = Delays(departures, fault)
    newest = {"newest": time.time(), "held": 1}
    web = Web(
        0,
        Health(),
        metrics.registry(),
        questions={
            "alternatives": role.alternatives,
            "fault": role.told_fault,
            "freshness": lambda _: (HTTPStatus.OK, newest),
        },
        orders={"fault": role.set_fault},
        host="127.0.0.1",
    ).start()
    try:
        yield f"http://127.0.0.1:{web.port}"
    finally:
        fault.set("none", 0)
        web.close()


@contextmanager
def stage(  # noqa: PLR0913  settings of a gateway
    *,
    failures: int = 5,
    pause: float = 0.5,
    seconds: float = 0.2,
    threads: int = 8,
    places: int = 3,
    found: bool = True,
    **others: Any,  # noqa: ANN401  further parts of the stage
) -> Iterator[Stage]:
    """A gateway, `delays` (found by its name or not) and a site that is well."""

    def site(*_: object) -> Reply:
        return 200, {"station": "JFK", "from": "site", "reading": {}}

    with (
        delays_role() as direct,
        serving(site) as sites,
        nobody() as away,
        gateway(
            delays=direct if found else away, site=sites.address,
            failures=failures, pause=pause, seconds=seconds, threads=threads, places=places,
        ) as it,
    ):  # fmt: skip
        peer = Peer(away)
        parts: dict[str, Any] = {
            "analyst": peer,
            "centre": peer,
            "scaler": peer,
            "worker": away,
            "sender": None,
            **others,
        }
        yield Stage(
            cases=it.cases,
            failures=failures,
            pause_seconds=pause,
            timeout_seconds=seconds,
            pool_threads=threads,
            delays_threads=places,
            delays=Peer(direct if found else away),
            delays_direct=Peer(direct),
            sites=dict.fromkeys(STATIONS, Peer(sites.address)),
            stop=Stop(),
            **parts,
        )


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter faults than on the cluster: what is told of them does not depend on their length."""
    monkeypatch.setattr(breaker_module, "_HANG", 1.5)
    monkeypatch.setattr(breaker_module, "_PATIENCE", 5.0)
    monkeypatch.setattr(bulkhead_module, "_CALM", 0.5)
    monkeypatch.setattr(bulkhead_module, "_STORM", 1.5)
    monkeypatch.setattr(scale_module, "_START", 5.0)
    monkeypatch.setattr(scale_module, "_HOPELESS", 0.5)
    monkeypatch.setattr(scale_module, "_REST", 1.0)
    monkeypatch.setattr(scale_module, "_SLEEP", 1.0)
    monkeypatch.setattr(scale_module, "_STEP", 0.02)


def test_discovery_tells_a_name_that_leads_to_pods_from_one_that_does_not() -> None:
    """Every call answered and a live recommendation, or none answered and the fallback."""
    with stage() as it:
        well = service_discovery(it)
    assert well["calls"] == well["answered"] == 100
    assert well["source"] == "live"
    assert well["figures"][0]["staleness_s"] < 60
    with stage(found=False) as it:
        lost = service_discovery(it)
    assert (lost["calls"], lost["answered"], lost["source"]) == (3, 0, "fallback")
    assert lost["figures"][0]["latency_ms"] is None


def test_with_a_breaker_passengers_are_answered_at_once_and_it_closes_again() -> None:
    """It opens, refuses most calls without asking, answers in milliseconds meanwhile, and closes after the fault."""
    with stage() as it:
        told = circuit_breaker(it)
    assert told["settings"] == {"failures": 5, "pause_seconds": 0.5, "timeout_seconds": 0.2}
    assert told["opened"] >= 1
    assert told["closed_again"] is True
    assert told["rejected"] > told["reached"] > 0
    assert told["open_p95_ms"] < 100
    assert 0 <= told["recovery_s"] <= 2
    assert told["fallback_answers"] <= told["calls"]


def test_without_a_breaker_every_passenger_waits_for_the_time_limit() -> None:
    """Nothing is refused: all calls reach the hanging pod and wait."""
    with stage(failures=0, pause=0, seconds=1.0) as it:
        told = circuit_breaker(it)
    assert (told["opened"], told["rejected"], told["open_p95_ms"], told["closed_again"]) == (0, 0, None, False)
    assert told["reached"] > 0
    assert told["figures"][0]["latency_p95_ms"] >= 1000


def test_the_fault_is_mended_and_the_breaker_found_by_the_pods_own_address() -> None:
    """A Service that leads nowhere does not hide the breaker's work, and after the experiment delays is well."""
    with stage(found=False) as it:
        told = circuit_breaker(it)
        assert it.delays_direct.get("/fault", 5)["mode"] == "none"
    assert told["closed_again"] is True


def test_behind_the_wall_weather_is_as_fast_in_the_storm_as_on_a_calm_day() -> None:
    """Calls to delays beyond the wall are refused; no weather question waits for them."""
    with stage() as it:
        told = bulkhead(it)
    assert told["settings"] == {"pool_threads": 8, "delays_threads": 3}
    assert told["rejected"] > 0
    assert told["weather_answered"] == told["weather_asked"] == 15
    assert told["storm_p95_ms"] < 200 + 3 * told["calm_p95_ms"]


def test_without_the_wall_weather_waits_behind_delays() -> None:
    """The pool is full of hanging calls: weather waits in line, and nothing is refused."""
    with stage(places=0, seconds=2.0) as it:
        told = bulkhead(it)
    assert told["rejected"] == 0
    assert told["storm_p95_ms"] > 500
    assert told["storm_p95_ms"] > 5 * told["calm_p95_ms"]


def test_a_fault_is_not_measured_where_something_is_broken_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """No live recommendation to begin with: the experiment says so instead of measuring nonsense."""
    monkeypatch.setattr("patterns.experiments.faults._CALM", 0.3)
    monkeypatch.setattr(Delays, "alternatives", lambda *_: (HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "broken"}))
    with stage() as it, pytest.raises(NotCalm, match="no live recommendation"):
        bulkhead(it)


class Workers:
    """A Deployment of workers and its scaler, at the wire; the worker inside is the real one.

    Args:
        low: replicas at least.
        starts: whether waiting jobs bring a worker.
    """

    def __init__(self, low: int, *, starts: bool) -> None:
        self._low, self._starts = low, starts
        self._queue: list[Record] = []
        self._worker = Worker(Sample({}), Tracing.off(), CollectorRegistry())
        self.replicas = low

    def scaler(self, *_: object) -> Reply:
        """GET /state: each look is also a step of the scaler and of the worker."""
        if self._queue and self._starts:
            self.replicas = max(1, self._low)
        elif not self._queue:
            self.replicas = self._low
        if self.replicas:
            for record in self._queue:
                self._worker.work(record)
            self._queue.clear()
        settings = {"signal": "lag", "min_replicas": self._low, "max_replicas": 1, "cooldown_seconds": 0.1}
        state = {"replicas": self.replicas, "running": self.replicas, "lag": len(self._queue), "settings": settings}
        return 200, state

    def worker(self, _: str, path: str, __: Any) -> Reply:  # noqa: ANN401  any JSON
        """GET /counts and GET /metrics."""
        return 200, self._worker.tally.told() if path == "/counts" else "process_cpu_seconds_total 1.5\n"

    def send(self, topic: str, value: bytes, key: bytes | None = None, headers: Any = ()) -> None:  # noqa: ANN401
        """Take a job as the broker does."""
        assert topic == TOPIC
        assert key == msgspec.json.decode(value)["id"].encode()
        self._queue.append(Record(topic, 0, len(self._queue), key, value, list(headers), 0))

    def flush(self, seconds: float) -> None:
        """All is acknowledged."""

    def close(self) -> None:
        """Nothing to disconnect."""


@pytest.mark.parametrize(("low", "before", "after"), [(0, 0, 0), (1, 1, 1)])
def test_scaling_tells_cold_start_all_jobs_and_who_stays(low: int, before: int, after: int) -> None:
    """From zero and back to zero, or one worker for ever: each as it was seen, and every job done."""
    workers = Workers(low, starts=True)
    with (
        serving(workers.scaler) as scaler,
        serving(workers.worker) as worker,
        stage(scaler=Peer(scaler.address), worker=worker.address, sender=lambda: workers) as it,
    ):
        told = scale_to_zero(it)
    assert (told["replicas_before"], told["replicas_most"], told["replicas_after"]) == (before, 1, after)
    assert told["jobs"] == told["done"] == 60
    # A worker in this process can begin within half a millisecond, told as 0.0; None would be no start at all.
    assert told["cold_start_s"] is not None
    assert 0 <= told["cold_start_s"] <= told["drained_s"]
    assert (told["slept_s"] is None) == (low == 1)
    assert told["settings"]["min_replicas"] == low


def test_where_no_worker_comes_that_is_told() -> None:
    """Jobs wait and nobody is asked for: none done, no cold start, no failure."""
    workers = Workers(0, starts=False)
    with (
        serving(workers.scaler) as scaler,
        serving(workers.worker) as worker,
        stage(scaler=Peer(scaler.address), worker=worker.address, sender=lambda: workers) as it,
    ):
        told = scale_to_zero(it)
    assert (told["done"], told["cold_start_s"], told["drained_s"], told["slept_s"]) == (0, None, None, None)
    assert told["replicas_most"] == 0
