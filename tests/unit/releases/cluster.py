"""Kubernetes, Prometheus and MLflow as one fake at the wire: what the controller asks of them over HTTP."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from releases import state as states
from releases.controller import Controller
from releases.events import Events
from releases.figures import Figures
from releases.kube import Kube
from releases.prometheus import Prometheus
from releases.registry import Registry
from releases.route import ANNOTATION, Route
from releases.samples import Histogram, Sample
from releases.settings import ReleaseSettings
from releases.state import Phase, State, Weigh
from runtime import metrics
from unit.patterns.servers import Reply, Server, serving
from unit.releases.worlds import World, plan

GOOD = plan(steps=[{"weight": 25, "seconds": 30}, {"weight": 50, "seconds": 30}])
"""A plan that a good version passes."""
HEADER, UNIT = "x-tarmac-variant", "x-tarmac-unit"
RULES: list[dict[str, Any]] = [
    {
        "matches": [{"path": {"type": "PathPrefix", "value": "/v2"}}],
        "backendRefs": [{"group": "", "kind": "Service", "name": "serving-stable", "port": 8080, "weight": 1}],
    },
    {
        "matches": [{"path": {"type": "PathPrefix", "value": "/features"}}],
        "backendRefs": [{"group": "", "kind": "Service", "name": "feature", "port": 8080, "weight": 1}],
    },
]


GRPC: list[dict[str, Any]] = [
    {
        "matches": [{"method": {"type": "Exact", "service": "inference.GRPCInferenceService"}}],
        "backendRefs": [{"group": "", "kind": "Service", "name": "serving-stable", "port": 8081, "weight": 1}],
    }
]


class Cluster:
    """One route, and one of gRPC beside it, its events, one alias, and the counters of two versions.

    Args:
        world: what passengers do.
        account: folder of the pod's service account.
    """

    def __init__(self, world: World, account: Path) -> None:
        self.world = world
        self.clock = 1000.0
        self.account = account
        self.address = ""
        self.version = 1
        self.annotations: dict[str, str] = {}
        self.rules = copy.deepcopy(RULES)
        self.grpc = copy.deepcopy(GRPC)
        self.meddle = 0  # patches before which somebody else changes the route
        self.events: dict[str, dict[str, Any]] = {}
        self.aliases: dict[str, str] = {}
        self.versions = {"6", "7"}
        self.away: set[str] = set()
        self.writes: list[Any] = []
        self.registry = metrics.registry()
        self._counters: dict[tuple[tuple[str, str], ...], float] = {}
        self._history: list[tuple[float, dict[tuple[tuple[str, str], ...], float]]] = []
        self._count("stable", Sample())
        self._history.append((self.clock, dict(self._counters)))

    def controller(self) -> Controller:
        """A controller that has just started."""
        self.registry = metrics.registry()
        settings = ReleaseSettings(api=self.address, prometheus=self.address, registry=self.address)
        kube = Kube(self.address, self.account, "chain")
        return Controller(
            Route(kube, "serving", HEADER, UNIT),
            Prometheus(settings),
            Registry(self.address),
            Events(kube, "serving"),
            figures=Figures(self.registry),
            clock=lambda: self.clock,
        )

    def state(self) -> State:
        """The release, as it is kept."""
        return states.read(self.annotations[ANNOTATION])

    def weight(self) -> int:
        """What the route gives the canary at present, per cent."""
        weights = {ref["name"]: ref["weight"] for rule in self.rules for ref in rule["backendRefs"]}
        return int(weights.get("serving-canary", 0))

    def wait(self, seconds: float) -> None:
        """Let time pass, and requests with it, dealt as the route says now."""
        seen = self.world.between(self.clock, self.clock + seconds, Weigh(self.weight()))
        self.clock += seconds
        for name, sample in (("stable", seen.stable), ("canary", seen.canary)):
            if sample is not None:
                self._count(name, sample)
        self._history.append((self.clock, dict(self._counters)))

    def answer(self, method: str, path: str, body: Any) -> Reply:  # noqa: ANN401  any JSON
        """What the three services answer."""
        parts = urlsplit(path)
        if "httproutes" in parts.path:
            return self._route(method, body)
        if "grpcroutes" in parts.path:
            return self._beside(method, body)
        if parts.path.endswith("/events"):
            return self._event(body)
        if parts.path.endswith("/alias"):
            return self._alias(body)
        if parts.path.endswith("/model-versions/get"):
            return self._version(parse_qs(parts.query)["version"][0])
        return self._query(parse_qs(parts.query))

    def _route(self, method: str, body: Any) -> Reply:  # noqa: ANN401  any JSON
        if "route" in self.away:
            return 503, {}
        if method == "PATCH":
            if self.meddle:
                self.meddle, self.version = self.meddle - 1, self.version + 1
            if body["metadata"]["resourceVersion"] != str(self.version):
                return 409, {}
            self.version += 1
            self.annotations |= body["metadata"]["annotations"]
            self.rules = body["spec"]["rules"]
            self.writes.append(self.rules)
        metadata = {"resourceVersion": str(self.version), "uid": "u-1", "annotations": self.annotations}
        return 200, json.loads(json.dumps({"metadata": metadata, "spec": {"rules": self.rules}}))

    def _beside(self, method: str, body: Any) -> Reply:  # noqa: ANN401  any JSON
        if "grpc" in self.away:
            return 404, {}
        if "grpc refused" in self.away:
            return 403, {}
        if method == "PATCH":
            self.grpc = body["spec"]["rules"]
        return 200, json.loads(json.dumps({"metadata": {"resourceVersion": "3"}, "spec": {"rules": self.grpc}}))

    def _event(self, body: Any) -> Reply:  # noqa: ANN401  any JSON
        if "events" in self.away:
            return 403, {}
        name = body["metadata"]["name"]
        if name in self.events:
            return 409, {}
        self.events[name] = body
        return 201, body

    def _alias(self, body: Any) -> Reply:  # noqa: ANN401  any JSON
        if "registry" in self.away:
            return 503, {}
        self.aliases[f"{body['name']}@{body['alias']}"] = body["version"]
        return 200, {}

    def _version(self, number: str) -> Reply:
        if "registry" in self.away:
            return 503, {}
        found = number in self.versions
        return (
            (200, {"model_version": {"version": number}}) if found else (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})
        )

    def _query(self, asked: dict[str, list[str]]) -> Reply:
        if "prometheus" in self.away:
            return 503, {"status": "error", "error": "starting"}
        at, (query,) = float(asked["time"][0]), asked["query"]
        known = [counters for when, counters in self._history if when <= at]
        wanted = ("track", "canary" if "canary" in query else "stable")
        found = [(dict(labels), value) for labels, value in (known[-1] if known else {}).items() if wanted in labels]
        result = [{"metric": labels, "value": [at, f"{value:g}"]} for labels, value in found]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}

    def _count(self, track: str, sample: Sample) -> None:
        good = sample.answers.total - sample.answers.hits
        self._add(track, "serving_requests_total", good, status="200")
        if sample.answers.hits:  # a series is there once it has counted something
            self._add(track, "serving_requests_total", sample.answers.hits, status="500")
        self._buckets(track, "serving_request_duration_seconds_bucket", sample.latency)
        self._buckets(track, "serving_prediction_bucket", sample.outputs)
        for name, value in zip(("values", "sum", "squares"), _moments(sample), strict=True):
            self._add(track, f"serving_label_error_{name}_total", value)

    def _buckets(self, track: str, name: str, histogram: Histogram | None) -> None:
        if histogram is None:
            return
        upto = 0
        for bound, count in zip([*histogram.bounds, float("inf")], histogram.counts, strict=True):
            upto += count
            self._add(track, name, upto, le="+Inf" if bound == float("inf") else f"{bound:g}")

    def _add(self, track: str, name: str, value: float, **labels: str) -> None:
        key = tuple(sorted({"__name__": name, "app": "serving", "track": track, **labels}.items()))
        self._counters[key] = self._counters.get(key, 0.0) + value


def _moments(sample: Sample) -> tuple[float, float, float]:
    return sample.labels.count, sample.labels.total, sample.labels.squares


@contextmanager
def standing(world: World, account: Path) -> Iterator[Cluster]:
    """A cluster for the time of a test; `account` becomes the pod's service account."""
    (account / "token").write_text("secret\n")
    cluster = Cluster(world, account)
    with serving(cluster.answer) as server:
        cluster.address = address(server)
        yield cluster


def address(server: Server) -> str:
    """Where a fake is."""
    return server.address


def ended(cluster: Cluster, controller: Controller, glances: int = 200) -> Phase:
    """How a release ends, at which the controller glances every five seconds."""
    for _ in range(glances):
        state = controller.glance()
        if state is not None and state.over:
            return state.phase
        cluster.wait(5)
    raise AssertionError(cluster.state().decisions[-1])
