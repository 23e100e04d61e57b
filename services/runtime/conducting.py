"""A role that conducts experiments, whatever they are: what a run is asked by, and results that outlive the process."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from runtime.conductor import Conductor
from runtime.figures import Result
from runtime.role import Role
from runtime.web import Order, Question

_NAME = "experiments"
_RESULTS = "results"


class Keeps(Protocol):
    """Where results are kept: `runtime.history.History`, or a lab's own."""

    def restore(self) -> dict[str, Result]:
        """The last result of each experiment, by name."""

    def keep(self, result: Result) -> None:
        """Keep a result."""


def conduct(
    role: Role[Any],
    programme: Mapping[str, Callable[[], Result]],
    history: Keeps,
    questions: Mapping[str, Question] | None = None,
    orders: Mapping[str, Order] | None = None,
) -> None:
    """Answer until asked to end; ready once earlier results are known.

    Args:
        role: what answers.
        programme: experiment -> what carries it out, in the order of a run.
        history: keeps results.
        questions: others that the role answers.
        orders: others that it takes.
    """
    role.health.wait_for(_RESULTS, "earlier results are not read yet")
    conductor = Conductor(programme, role.tracing, role.stop, history.keep)
    role.serve(
        questions={**(questions or {}), _NAME: conductor.told}, orders={**(orders or {}), _NAME: conductor.ordered}
    )
    conductor.remember(history.restore())
    role.health.met(_RESULTS)
    while not role.stop.wait(60):
        pass
