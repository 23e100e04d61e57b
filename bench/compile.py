"""What the Go compiler's garbage collector costs, on part of Kubernetes: python -m bench.compile (about 8 minutes).

Compiles a part that is representative, Kubernetes' own client, from an empty build cache, with the collector's usual
setting and with ours, in turn; results in bench/results/compile.json.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench/results/compile.json"
PACKAGE = "k8s.io/client-go/kubernetes"
SETTINGS = ("100", "400")
ROUNDS = 2


def main() -> None:
    """Measure and write."""
    rounds = [{setting: compiled(setting) for setting in SETTINGS} for _ in range(ROUNDS)]
    shares = [each[SETTINGS[1]]["cpu_seconds"] / each[SETTINGS[0]]["cpu_seconds"] for each in rounds]
    found = {"package": PACKAGE, "cores": os.cpu_count(), "rounds": rounds, "cpu_share": round(sum(shares) / ROUNDS, 3)}
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def compiled(setting: str) -> dict[str, Any]:
    """Compile from nothing; seconds by the clock and on all cores together."""
    with tempfile.TemporaryDirectory() as cache:
        env = {
            "GOGC": setting,
            "GOCACHE": cache,
            "CGO_ENABLED": "0",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=readonly",
        }
        command = ["go", "build", "-trimpath", "-gcflags=all=-dwarf=false", PACKAGE]
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(command, cwd=ROOT / "platform/node", env={**os.environ, **env}, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(time.monotonic() - begun, 1), "cpu_seconds": round(cpu, 1)}


if __name__ == "__main__":
    main()
