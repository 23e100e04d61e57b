"""All benchmarks, one after the other on one cluster: `python -m bench` (about 20 minutes)."""

from __future__ import annotations

import subprocess
import sys

from bench.converge import OFFSET, ROOT, lab, measure


def ingest(env: dict[str, str]) -> None:
    """Measure ingest on the cluster's broker, with everything else on that cluster at rest."""
    for namespace in ("chain", "lab-01"):
        lab(env, "kubectl", "scale", "deployment,statefulset", "--all", "--replicas=0", "-n", namespace)
    command = [sys.executable, str(ROOT / "bench/ingest.py"), "--kafka", f"127.0.0.1:{9092 + OFFSET}"]
    for more in ([], ["--memory"]):
        subprocess.run([*command, *more], check=False)  # a target that is missed is told, and stands in the result


if __name__ == "__main__":
    sys.exit(measure(cold="--cold" in sys.argv, last=ingest))
