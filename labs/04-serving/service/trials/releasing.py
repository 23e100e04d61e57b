"""Releases of a trial's model, carried out by the lab's release controller on the stack's route."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from contracts.models import CHALLENGER, CHAMPION
from runtime.peer import Peer, Refused
from trials.registry import Registry
from trials.stage import NotThere, Stage

MODEL = "trial-delay"
INTERVAL = 6.0
"""Seconds between two looks: Prometheus reads servers every 5."""
OFF: Mapping[str, Mapping[str, str]] = {name: {"need": "off"} for name in ("errors", "latency", "outputs", "labels")}
"""Criteria that look at nothing."""
OVER = ("promoted", "finished", "rolled back")
_SECONDS, _LOADED = 20, 60


@contextmanager
def trial(stage: Stage, registry: Registry, *models: bytes) -> Iterator["Releases"]:
    """The controller, and versions 1, 2, … of the trial's model for it to release, until the trial ends.

    Args:
        stage: leads to both.
        registry: holds the versions.
        models: model.onnx of each version.

    Raises:
        NotThere: a server holds on to the earlier trial.
        RegistryFailure: MLflow does not answer as it should.
    """
    with stage.trial(registry, MODEL, *models):
        yield Releases(stage, registry)


class Releases:
    """The release controller.

    Args:
        stage: leads to it, and to the stack's servers.
        registry: holds the versions.
    """

    def __init__(self, stage: Stage, registry: Registry) -> None:
        self._stage = stage
        self._registry = registry
        self._peer = Peer(stage.settings.releases)

    def prepared(self, version: str) -> None:
        """Let version 1 be in use again, and the canary's server have the version that comes next.

        Raises:
            NotThere: a server does not load it.
        """
        self._registry.point(MODEL, CHAMPION, "1")
        self._registry.point(MODEL, CHALLENGER, version)
        self._stage.until_ready(self._stage.settings.stable, MODEL, "1")
        self._stage.until_ready(self._stage.settings.canary, MODEL, version)
        self._stage.until(lambda: _answers(self._stage.settings.stable, "1"), "version 1 in use", _LOADED)
        self._stage.until(lambda: _answers(self._stage.settings.canary, version), f"canary {version}", _LOADED)

    def begin(self, plan: Mapping[str, Any]) -> None:
        """Begin a release.

        Raises:
            PeerFailure: the controller does not answer, or another release is under way.
            Refused: the plan cannot be carried out; says why.
        """
        self._peer.post("/release", plan, _SECONDS)

    def status(self) -> dict[str, Any]:
        """The release as it is now."""
        found: dict[str, Any] = self._peer.get("/release", _SECONDS)
        return found

    def abort(self) -> None:
        """Let the route go back to the version in use; nothing where the release is over."""
        try:
            self._peer.post("/release/abort", {}, _SECONDS)
        except Refused:
            if self.status()["phase"] not in (*OVER, "none"):
                raise

    def over(self, seconds: float) -> dict[str, Any]:
        """The release once it has ended.

        Raises:
            NotThere: it does not; it is rolled back.
        """
        try:
            return self._stage.until(self._over, "the end of the release", seconds)
        except NotThere:
            self.abort()
            raise

    def at(self, stage: str, seconds: float) -> dict[str, Any]:
        """The release once it has come to a stage.

        Raises:
            NotThere: it does not; it is rolled back.
        """
        try:
            return self._stage.until(lambda: self._at(stage), f"stage {stage} of the release", seconds)
        except NotThere:
            self.abort()
            raise

    def _over(self) -> dict[str, Any] | None:
        found = self.status()
        return found if found["phase"] in OVER else None

    def _at(self, stage: str) -> dict[str, Any] | None:
        found = self.status()
        return found if found["stage"]["name"] == stage else None


def plan(strategy: str, version: str, criteria: Mapping[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """A plan for a version of the trial's model.

    Args:
        strategy: canary, blue-green, ab or shadow.
        version: that is released.
        criteria: what it is judged by.
        more: what the strategy is told besides.
    """
    metrics = 'app="serving",track="{}",model="' + MODEL + '"'
    return {
        "strategy": strategy,
        "model": MODEL,
        "version": version,
        "stable": {"service": "serving-stable", "selector": metrics.format("stable")},
        "canary": {"service": "serving-canary", "selector": f'{metrics.format("canary")},version="{version}"'},
        "criteria": {"interval": INTERVAL, "threshold": 4, "patience": 10, **criteria},
        **more,
    }


def judged_by(names: Sequence[str]) -> dict[str, Any]:
    """Criteria of which those named must be shown good, and the others are not looked at.

    On a machine that has much else to do a fifth of the requests more may be slow by chance.
    """
    needs = {name: {"need": "required" if name in names else "off"} for name in OFF}
    return {**needs, "latency": {**needs["latency"], "margin": 0.2}}


def reasons(status: Mapping[str, Any]) -> str:
    """Why the controller decided last, in English."""
    decisions = status.get("decisions") or [{"reasons": []}]
    return "; ".join(str(each["en"]) for each in decisions[-1]["reasons"])


def _answers(address: str, version: str) -> bool | None:
    """Whether a server answers with a version where a request names the model alone."""
    tensor = {"name": "features", "shape": [1, 4], "datatype": "FP32", "data": [0, 0, 0, 0]}
    try:
        told = Peer(address).post(f"/v2/models/{MODEL}/infer", {"inputs": [tensor]}, _SECONDS)
    except Refused:
        return None
    return True if told["model_version"] == version else None
