"""Two versions of a model under load, as Prometheus sees them: the services' own figures, counted up by a thread."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from typing import Self

import numpy as np
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric, UntypedMetricFamily
from prometheus_client.registry import Collector

from releases import figures, machine
from releases.rules import weights
from runtime import metrics
from runtime.health import Health
from runtime.web import Web
from serving.figures import Figures
from unit.releases.cluster import RULES
from unit.releases.worlds import plan

MODEL = "delay-boosting"
_STEP = 0.1
_FAILED = HTTPStatus.INTERNAL_SERVER_ERROR


_CLUSTERS = {
    "stable": "service/chain/serving-stable/8080/http",
    "canary": "service/chain/serving-canary/8080/http",
}


class Envoy(Collector):
    """What Envoy tells of the requests through it: counts by class of status, and times in milliseconds."""

    def __init__(self) -> None:
        self._codes: Counter[tuple[str, str]] = Counter()
        self.registry = metrics.registry()
        self.registry.register(self)

    def passed(self, track: str, status: HTTPStatus) -> None:
        """Count a request; each takes between 5 and 10 ms."""
        self._codes[track, str(status // 100)] += 1

    def collect(self) -> Iterator[Metric]:
        """The numbers under Envoy's names."""
        upstream = UntypedMetricFamily(
            "envoy_cluster_upstream_rq_xx", "", labels=["envoy_cluster_name", "envoy_response_code_class"]
        )
        downstream = UntypedMetricFamily(
            "envoy_http_downstream_rq_xx", "", labels=["envoy_http_conn_manager_prefix", "envoy_response_code_class"]
        )
        times = HistogramMetricFamily("envoy_cluster_upstream_rq_time", "", labels=["envoy_cluster_name"])
        whole = HistogramMetricFamily("envoy_http_downstream_rq_time", "", labels=["envoy_http_conn_manager_prefix"])
        for track, cluster in _CLUSTERS.items():
            counts = {code: self._codes[track, code] for code in ("2", "5")}
            for code, count in counts.items():
                upstream.add_metric([cluster, code], count)
            times.add_metric([cluster], _buckets(sum(counts.values())), 0)
        for code in ("2", "5"):
            downstream.add_metric(["http-8080", code], sum(self._codes[track, code] for track in _CLUSTERS))
        whole.add_metric(["http-8080"], _buckets(self._codes.total()), 0)
        yield from (upstream, downstream, times, whole)


def _buckets(count: int) -> list[tuple[str, float]]:
    return [("5", 0), ("10", count), ("+Inf", count)]


class Traffic:
    """A stable server (version 3), a canary (version 4, one request in four fails), and a release controller."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._figures = {"stable": Figures(), "canary": Figures()}
        registries = {name: each.registry for name, each in self._figures.items()}
        registries["releases"] = _released()
        self._envoy = Envoy()
        registries["envoy"] = self._envoy.registry
        self._webs = {name: Web(0, Health(), each, host="127.0.0.1") for name, each in registries.items()}
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    @property
    def ports(self) -> dict[str, int]:
        """Return where each tells its figures."""
        return {name: web.port for name, web in self._webs.items()}

    def __enter__(self) -> Self:
        for web in self._webs.values():
            web.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for web in self._webs.values():
            web.close()

    def _run(self) -> None:
        draw = random.Random(7)  # noqa: S311  figures, not secrets
        while not self._stop.wait(_STEP):
            self._served("stable", "3", [HTTPStatus.OK] * 9, draw)
            self._served("canary", "4", [HTTPStatus.OK] * 3 + [_FAILED], draw)

    def _served(self, track: str, version: str, statuses: list[HTTPStatus], draw: random.Random) -> None:
        tally = self._figures[track].tally(MODEL, version)
        tally.watch("prediction")
        for status in statuses:
            tally.answered(int(status), draw.uniform(0.001, 0.01))
            self._envoy.passed(track, status)
            tally.predicted(["prediction"], [np.array([[draw.gauss(8, 15)]], np.float32)])


def _released() -> CollectorRegistry:
    """Return the figures of a controller in the middle of a release."""
    made = metrics.registry()
    shown = figures.Figures(made)
    state, _ = machine.start(plan(), 1000.0)
    shown.show(state)
    stable = RULES[0]["backendRefs"][0]
    refs = [{**stable, "weight": 75}, {**stable, "name": "serving-canary", "weight": 25}]
    shown.dealt(weights([{**RULES[0], "backendRefs": refs}]))
    return made
