"""All benchmarks, one after the other on one cluster: `python -m bench` (about 30 minutes)."""

from __future__ import annotations

import subprocess
import sys

from bench.converge import OFFSET, ROOT, lab, measure


def ingest(env: dict[str, str]) -> None:
    """Measure ingest and its way online on the cluster's broker, with everything else on that cluster at rest."""
    for namespace in ("chain", "lab-01"):
        lab(env, "kubectl", "scale", "deployment,statefulset", "--all", "--replicas=0", "-n", namespace)
    for name, *more in (["ingest"], ["ingest", "--memory"], ["online"]):
        command = [sys.executable, str(ROOT / f"bench/{name}.py"), "--kafka", f"127.0.0.1:{9092 + OFFSET}"]
        subprocess.run([*command, *more], check=False)  # a target that is missed is told, and stands in the result


if __name__ == "__main__":
    sys.exit(measure(cold="--cold" in sys.argv, last=ingest))
