"""What it takes to make versions of models ready: in forks of one process, and in a process of its own for each.

    python bench/serving_opening.py [--models 6] [--rounds 5]

A server that starts has as many models to make ready as its registry has aliases; here each is the small model of
bench/serving.py. Both ways in turns, with the seconds on the wall and the seconds of work, this process' own and those
of all that it started.

Beside it, of a model of 50 MB that is made ready within the process, and most of it apart, as a server does it: the
longest time for which another thread stood still meanwhile, and the time until the model could be run, in milliseconds.
Results go to bench/results/serving-opening.json.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "services"), str(ROOT)]

from bench import serving_model as model  # noqa: E402  after the path

from serving.model.isolation import Isolated  # noqa: E402  after the path
from serving.model.opening import Opener  # noqa: E402  after the path
from serving.model.session import Options  # noqa: E402  after the path
from serving.source.folder import FolderSource  # noqa: E402  after the path

_BYTES, _SECONDS = 100_000_000, 60.0
_TICK, _SETTLE = 0.0005, 0.05


def measured(root: Path, models: int, *, shared: bool) -> dict[str, float]:
    """Make so many versions ready; `shared`: in forks of one process."""
    opener = Isolated(FolderSource(root), Options(), _BYTES, _SECONDS)
    work, begun = _work(), time.perf_counter()
    for _ in range(models):
        opener.open(model.NAME, "1")
        if not shared:
            opener.close()
    seconds = time.perf_counter() - begun
    opener.close()
    return {"seconds": round(seconds, 3), "cpu_seconds": round(_work() - work, 3)}


def stalled(root: Path, *, apart: bool) -> dict[str, float]:
    """Make the deep model ready, within this process or most of it apart; milliseconds."""
    source = FolderSource(root)
    isolated = Isolated(source, Options(), _BYTES, _SECONDS)
    opener = isolated if apart else Opener(source, Options(), _BYTES)
    with _Stall() as stall:
        begun = time.perf_counter()
        opener.open(model.DEEP, "1")
        seconds = time.perf_counter() - begun
    isolated.close()
    return {"stall": round(1000 * stall.worst, 1), "open": round(1000 * seconds, 1)}


class _Stall:
    """The longest time for which a thread that wants to go on every half millisecond could not."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._done = False
        self._thread = threading.Thread(target=self._tick)

    def __enter__(self) -> Self:
        self._thread.start()
        time.sleep(_SETTLE)
        self.worst = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(_SETTLE)
        self._done = True
        self._thread.join()

    def _tick(self) -> None:
        last = time.perf_counter()
        while not self._done:
            time.sleep(_TICK)
            now = time.perf_counter()
            self.worst, last = max(self.worst, now - last - _TICK), now


def _work() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _medians(rounds: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        name: {key: statistics.median(each[key] for each in found) for key in found[0]}
        for name, found in rounds.items()
    }


def main() -> None:
    """Measure, and keep the result."""
    parser = argparse.ArgumentParser(description="What it takes to make versions of models ready.")
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    rounds: dict[str, list[dict[str, float]]] = {"apart": [], "forks": []}
    with tempfile.TemporaryDirectory() as scratch:
        model.write(Path(scratch))
        for _ in range(asked.rounds):
            for name, found in rounds.items():
                found.append(measured(Path(scratch), asked.models, shared=name == "forks"))
        large: dict[str, list[dict[str, float]]] = {"within": [], "apart": []}
        for _ in range(asked.rounds):
            for name, found in large.items():
                found.append(stalled(Path(scratch), apart=name == "apart"))
    told = {
        "models": asked.models, "rounds": rounds, "median": _medians(rounds),
        "large": {"rounds": large, "median": _medians(large)},
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "load_average": os.getloadavg(),
    }  # fmt: skip
    text = json.dumps(told, indent=1)
    print(text)
    (ROOT / "bench" / "results" / "serving-opening.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
