"""The programme of a run: nine experiments, four of them the gateway's own, five carried out by other roles."""

from collections.abc import Callable
from functools import partial

from patterns.experiments.bulkhead import bulkhead
from patterns.experiments.circuit_breaker import circuit_breaker
from patterns.experiments.discovery import service_discovery
from patterns.experiments.scale_to_zero import scale_to_zero
from patterns.experiments.stage import Stage
from runtime.errors import Temporary
from runtime.figures import Result
from runtime.peer import Peer

_SECONDS = 75.0  # time limit of an experiment that another role carries out


class ExperimentFailed(Temporary):
    """Another role began an experiment and could not end it."""


def programme(stage: Stage) -> dict[str, Callable[[], Result]]:
    """Experiment -> what carries it out, in the order of a run."""
    return {
        "processing-modes": partial(_elsewhere, stage.analyst, "processing-modes"),
        "lambda-kappa": partial(_elsewhere, stage.analyst, "lambda-kappa"),
        "event-sourcing": partial(_elsewhere, stage.analyst, "event-sourcing"),
        "service-discovery": partial(service_discovery, stage),
        "circuit-breaker": partial(circuit_breaker, stage),
        "bulkhead": partial(bulkhead, stage),
        "scale-to-zero": partial(scale_to_zero, stage),
        "edge-offline": partial(_elsewhere, stage.centre, "edge-offline"),
        "federated-learning": partial(_elsewhere, stage.centre, "federated-learning"),
    }


def _elsewhere(role: Peer, name: str) -> Result:
    """The result of an experiment that another role carries out.

    Raises:
        PeerFailure: the role does not answer.
        ExperimentFailed: it answers that the experiment failed.
    """
    result = role.post(f"/experiments/{name}", {}, _SECONDS)
    if not isinstance(result, dict) or result.get("error"):
        reason = result.get("error") if isinstance(result, dict) else result
        raise ExperimentFailed(f"{role.base}/experiments/{name}: {reason}", "see that role's log")
    return result
