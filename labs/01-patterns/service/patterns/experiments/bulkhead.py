"""Experiment `bulkhead`: weather questions on a calm day, and while `delays` hangs and many ask for it.

The storm goes past the breaker: it would end the storm by itself, and the wall alone is to be measured.
"""

import itertools
from collections.abc import Callable

from patterns.breaker import Breaker
from patterns.experiments.crowd import Crowd, steadily
from patterns.experiments.faults import calm, hanging, mend
from patterns.experiments.stage import ROUTE, Stage
from runtime.errors import Temporary
from runtime.figures import Result, milliseconds, percentile, row

_PER_SECOND = 10.0  # weather questions
_CALM, _STORM = 2.0, 4.0  # seconds of weather questions
_CALLERS, _PAUSE = 16, 0.1  # passengers of the storm, and seconds that each rests between two questions
_GATHER = 0.3  # seconds until the storm has reached its strength


def bulkhead(stage: Stage) -> Result:
    """Ask for the weather at the same pace twice: calm, and in a storm of calls to `delays`.

    Raises:
        NotCalm: recommendations are not live to begin with.
        PeerFailure: the pods of `delays` cannot be reached.
    """
    delays = stage.cases.delays.through(stage.delays_direct, breaker=Breaker("delays", 0, 0))
    calm(stage, delays)
    quiet = _weather(stage, _CALM)
    with hanging(stage):
        crowd = Crowd(lambda: stage.cases.recommend(*ROUTE, delays), _CALLERS, _PAUSE)
        try:
            stage.stop.wait(_GATHER)
            storm = _weather(stage, _STORM, then=lambda: mend(stage))
        finally:
            mend(stage)
            crowd.go_home()
    waits = [took for took, _ in storm]
    return {
        "settings": {"pool_threads": stage.pool_threads, "delays_threads": stage.delays_threads},
        "calm_p95_ms": milliseconds(percentile([took for took, _ in quiet], 0.95)),
        "storm_p95_ms": milliseconds(percentile(waits, 0.95)),
        "rejected": sum(answer["outcome"] == "full" for _, _, answer in crowd.so_far()),
        "weather_asked": len(storm),
        "weather_answered": sum(answered for _, answered in storm),
        "figures": [row("bulkhead", "weather", seconds=waits, throughput=len(storm) / _STORM)],
    }


def _weather(stage: Stage, seconds: float, then: Callable[[], None] = lambda: None) -> list[tuple[float, bool]]:
    """Ask for the weather of one station after the other; seconds and whether there was an answer, each."""
    stations = itertools.cycle(stage.sites)

    def ask() -> bool:
        try:
            stage.cases.weather(next(stations))
        except Temporary:
            return False
        return True

    return steadily(ask, _PER_SECOND, seconds, stage.stop, then)
