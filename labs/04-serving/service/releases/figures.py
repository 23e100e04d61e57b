"""What Prometheus is told about releases: the controller's own metrics."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from releases.analysis import Verdict
from releases.state import Phase, State


class Figures:
    """Gauges of the release under way, and a count of verdicts.

    Args:
        registry: where they are kept.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._weight = Gauge(
            "release_weight", "Per cent of the requests that a side gets.", ["side"], registry=registry
        )
        self._step = Gauge("release_step", "Stage of the release; 0 is the baseline.", registry=registry)
        self._phase = Gauge("release_phase", "1 at the phase that the release is in.", ["phase"], registry=registry)
        self._blind = Gauge("release_blind_looks", "Looks in a row without metrics.", registry=registry)
        self._dealt = Gauge(
            "release_route_weight", "Per cent of the requests that the route sends a Service.", ["service"],
            registry=registry,
        )  # fmt: skip
        self._verdicts = Counter("release_verdicts", "Verdicts given.", ["verdict"], registry=registry)
        self._evidence = Gauge(
            "release_evidence",
            "Evidence against the canary, as a natural logarithm, over what an alarm needs.",
            ["criterion"],
            registry=registry,
        )
        self._services: set[str] = set()
        self._started: float | None = None
        for verdict in Verdict:
            self._verdicts.labels(verdict.value)

    def count(self, verdict: Verdict) -> None:
        """One more verdict."""
        self._verdicts.labels(verdict.value).inc()

    def dealt(self, weights: Mapping[str, float]) -> None:
        """What the route sends where, whether or not a release says so."""
        for gone in self._services - set(weights):
            self._dealt.remove(gone)
        self._services = set(weights)
        for service, share in weights.items():
            self._dealt.labels(service).set(share)

    def show(self, state: State | None) -> None:
        """The release as it is now; None: there is none, and none of its figures either."""
        started = state.started if state else None
        if started != self._started:  # figures of the release before say nothing of this one
            self._started = started
            for gauge in (self._weight, self._phase, self._evidence):
                gauge.clear()
        if state is None:
            self._step.set(0)
            self._blind.set(0)
            return
        self._weight.labels("canary").set(state.route.weight)
        self._weight.labels("stable").set(100 - state.route.weight)
        self._step.set(state.stage)
        self._blind.set(state.blind)
        for phase in Phase:
            self._phase.labels(phase.value).set(phase is state.phase)
        for finding in state.findings:
            if "evidence" in finding.figures:
                share = finding.figures["evidence"] / finding.figures["needed"]
                self._evidence.labels(finding.criterion).set(share)
