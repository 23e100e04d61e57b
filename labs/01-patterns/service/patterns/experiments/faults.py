"""`delays` broken on purpose and mended again, whatever comes between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from patterns.experiments.stage import ROUTE, Stage
from patterns.gateway_dependency import Dependency
from patterns.usecases import Json
from runtime.errors import Temporary
from runtime.figures import wait_for

_SECONDS = 3.0  # time limit of the switch
_LONGEST = 60.0  # seconds after which the fault would end by itself, should nobody end it
_CALM = 12.0  # seconds within which all has to be well before a fault begins


class NotCalm(Temporary):
    """A fault cannot be measured: something is broken already."""


@contextmanager
def hanging(stage: Stage) -> Iterator[Callable[[], int]]:
    """Let `delays` hang inside; gives what tells how many questions reached it meanwhile."""
    before = stage.delays_direct.post("/fault", {"mode": "hang", "seconds": _LONGEST}, _SECONDS)["met"]
    try:
        yield lambda: int(stage.delays_direct.get("/fault", _SECONDS)["met"] - before)
    finally:
        mend(stage)


def mend(stage: Stage) -> None:
    """End the fault."""
    stage.delays_direct.post("/fault", {"mode": "none", "seconds": 0}, _SECONDS)


def calm(stage: Stage, delays: Dependency) -> None:
    """Wait until recommendations are live (a breaker may still be open from before).

    Raises:
        NotCalm: they do not come.
    """
    mend(stage)
    last: Json = {}

    def live() -> bool | None:
        last.update(stage.cases.recommend(*ROUTE, delays))
        return True if last["source"] == "live" else None

    if not wait_for(live, _CALM, stage.stop):
        raise NotCalm(f"no live recommendation: {last.get('reason')}", "see the log of deployment/delays")
