"""The programme of a run, in its order."""

from collections.abc import Callable
from functools import partial

from pipelines.experiments.late_events import late_events
from pipelines.experiments.online_freshness import online_freshness
from pipelines.stage import Stage
from runtime.figures import Result


def programme(stage: Stage) -> dict[str, Callable[[], Result]]:
    """Experiment -> what carries it out."""
    return {
        "online-freshness": partial(online_freshness, stage),
        "late-events": partial(late_events, stage),
    }
