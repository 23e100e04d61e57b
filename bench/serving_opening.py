"""What it takes to make versions of models ready: in forks of one process, and in a process of its own for each.

    python bench/serving_opening.py [--models 6] [--rounds 5]

A server that starts has as many models to make ready as its registry has aliases; here each is the small model of
bench/serving.py. Both ways in turns, with the seconds on the wall and the seconds of work, this process' own and those
of all that it started. Results go to bench/results/serving-opening.json.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "services"), str(ROOT)]

from bench import serving_model as model  # noqa: E402  after the path

from serving.model.isolation import Isolated  # noqa: E402  after the path
from serving.model.session import Options  # noqa: E402  after the path
from serving.source.folder import FolderSource  # noqa: E402  after the path

_BYTES, _SECONDS = 100_000_000, 60.0


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


def _work() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


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
    told = {
        "models": asked.models, "rounds": rounds,
        "median": {
            name: {key: statistics.median(each[key] for each in found) for key in found[0]}
            for name, found in rounds.items()
        },
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
        "load_average": os.getloadavg(),
    }  # fmt: skip
    text = json.dumps(told, indent=1)
    print(text)
    (ROOT / "bench" / "results" / "serving-opening.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
