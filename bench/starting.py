"""What programs do before they do anything: python -m bench.starting (about 2 minutes).

CPU seconds of processes that only start, two ways in turn: Feast as it is and as `feature apply` imports it, and the
charts' manifests read by Python and by libyaml. Results in bench/results/starting.json.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench/results/starting.json"
PAIRS = 7
_READ = f"""
import pathlib, yaml
for path in pathlib.Path("{ROOT}/tests/contract/charts/golden").glob("*-default.yaml"):
    list(yaml.load_all(path.read_text(), Loader=yaml.{{}}))
"""
WAYS = {
    "feast": ("import warnings; warnings.simplefilter('ignore'); import feast", "import feature.objects"),
    "manifests": (_READ.format("SafeLoader"), _READ.format("CSafeLoader")),
}
"""What is measured -> a program before, and one after."""


def main() -> None:
    """Measure and write."""
    found: dict[str, object] = {"cores": os.cpu_count(), "pairs": PAIRS}
    for name, (before, after) in WAYS.items():
        for program in (before, after):
            _seconds(program)  # once for the disk's cache and for compiled files
        pairs = [(_seconds(before), _seconds(after)) for _ in range(PAIRS)]
        found[name] = {
            "before_cpu_s": round(statistics.median(one for one, _ in pairs), 2),
            "after_cpu_s": round(statistics.median(other for _, other in pairs), 2),
            "ratio": round(statistics.median(one / other for one, other in pairs), 1),
        }
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def _seconds(program: str) -> float:
    """Return the CPU seconds of a Python process from its first to its last."""
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": f"{ROOT}/services"}, check=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime


if __name__ == "__main__":
    main()
