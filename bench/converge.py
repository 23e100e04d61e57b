"""How long a lab takes to converge, to find itself converged, and to reset; what it holds in memory and burns at idle.

    python -m bench.converge            images present, no cluster; then unchanged, reset, idle
    python -m bench.converge --cold     the same, after a fresh clone's first run with empty caches (about 20 minutes)
    python -m bench.converge --lab 02   another lab

On a cluster of its own (`tarmac-bench`), on 127.0.0.1 only; results in bench/results/converge-01.json and so on. Ends
with 1 where the lab is over the budget of its lab.yaml.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.spec import Budget, Course

ROOT = Path(__file__).parents[1]
NAME = "tarmac-bench"
OFFSET = 12000
"""Added to every port: not a trainee's lab's, not the tests', and below those that connections take for themselves."""
_TIMES = 3
_SETTLE_SECONDS, _IDLE_SECONDS, _FREED_SECONDS = 60, 60, 70
_MIB = 1 << 20


def main() -> int:
    """Measure and write; 1 where the lab is over its budget."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cold", action="store_true", help="begin with an empty cache folder")
    arguments.add_argument("--lab", default="01", help="the lab's number")
    asked = arguments.parse_args()
    return measure(asked.lab, cold=asked.cold)


def measure(code: str = "01", *, cold: bool, last: Callable[[dict[str, str]], None] = lambda _: None) -> int:
    """Measure and write; 1 where the lab is over its budget.

    Args:
        code: the lab's number.
        cold: begin with empty caches.
        last: called with the cluster's environment before it is taken down.

    """
    result: dict[str, Any] = {"machine": _machine()}
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as home:
        env = {"LAB_NAME": NAME, "LAB_HOME": home, "LAB_PORT_OFFSET": str(OFFSET), "LAB_LANG": "en"}
        try:
            if cold:
                result["cold"] = _cold(env, code)
            lab(env, "up", code)
            lab(env, "down")
            # ext4 keeps off inodes that were freed within the last minute, and searches long past many of them.
            os.sync()
            time.sleep(_FREED_SECONDS)
            result["images_present"] = _timed(env, "up", code)
            result["unchanged"] = [_timed(env, "up", code) for _ in range(_TIMES)]
            result["reset"] = [_timed(env, "reset", code) for _ in range(_TIMES)]
            result["idle"] = _idle()
            file = ROOT / f"bench/results/converge-{code}.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(result, indent=1) + "\n")
            print(json.dumps(_summary(result), indent=1), flush=True)
            last(env)
            return _over(Course(ROOT).lab(code).budget, result["idle"])
        finally:
            lab(env, "down")


def _over(budget: Budget, idle: dict[str, float]) -> int:
    """Say what is over the budget; 1 where anything is."""
    over = [
        f"{name}: {found} is over the budget of {most}"
        for name, found, most in (
            ("memory_mib", idle["memory_mib"], budget.memory_mib),
            ("cores", idle["cores"], budget.idle_cores),
        )
        if found > most
    ]
    print(*over, sep="\n", flush=True)
    return int(bool(over))


def _cold(env: dict[str, str], code: str) -> dict[str, Any]:
    """Do what `make lab-01` does in a fresh clone with empty cache folders, its Python environment included.

    Images that Docker holds already are used: for a fresh machine's figure, begin with an engine that has none.
    """
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        clone, cache = f"{folder}/clone", f"{folder}/cache"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), clone], check=True)
        caches = {
            "LAB_CACHE": f"{cache}/lab",
            "GOCACHE": f"{cache}/go",
            "GOMODCACHE": f"{cache}/mod",
            # Go keeps modules read-only, so that the folder could not be removed.
            "GOFLAGS": "-modcacherw",
            "PIP_CACHE_DIR": f"{cache}/pip",
            "UV_CACHE_DIR": f"{cache}/uv",
            "MAVEN_ARGS": f"-Dmaven.repo.local={cache}/maven",
        }
        begun = time.monotonic()
        subprocess.run(["make", "-C", clone, "venv"], env={**os.environ, **env, **caches}, check=True)
        environment_seconds = round(time.monotonic() - begun, 2)
        measured = _timed(env | caches, "up", code, root=Path(clone))
        lab(env | caches, "down", root=Path(clone))
    measured["phases"]["python environment"] = environment_seconds
    return measured | {"seconds": round(measured["seconds"] + environment_seconds, 2)}


def _timed(env: dict[str, str], *words: str, root: Path = ROOT) -> dict[str, Any]:
    begun = time.monotonic()
    told = json.loads(lab(env, *words, "--output", "json", root=root))
    seconds = round(time.monotonic() - begun, 2)
    return {"seconds": seconds, "phases": {phase["name"]: phase["seconds"] for phase in told["phases"]}}


def lab(env: dict[str, str], *words: str, root: Path = ROOT) -> str:
    """Run a checkout's tool and return what it printed."""
    command = [str(root / ".venv/bin/lab"), *words]
    return subprocess.run(command, env={**os.environ, **env}, check=True, stdout=subprocess.PIPE, text=True).stdout


def _idle() -> dict[str, float]:
    """Return memory (without what the kernel could drop at once) and cores used by the node, all of the lab in it."""
    time.sleep(_SETTLE_SECONDS)
    before, begun = _cpu_seconds(), time.monotonic()
    time.sleep(_IDLE_SECONDS)
    cores = (_cpu_seconds() - before) / (time.monotonic() - begun)
    return {"memory_mib": round(_memory() / _MIB), "cores": round(cores, 3), "seconds": _IDLE_SECONDS}


def _in_node(*words: str) -> str:
    """Run the tool and return what it printed."""
    command = ["docker", "exec", f"{NAME}-control-plane", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _cpu_seconds() -> float:
    """Return the CPU seconds of the node's control group since its start."""
    script = (
        "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat"
    )
    value = int(_in_node("sh", "-c", script))
    return value / (1e9 if "cpuacct" in _in_node("ls", "/sys/fs/cgroup") else 1e6)


def _memory() -> int:
    """Return the node's working set in bytes, as `kubectl top` would: usage less the inactive page cache."""
    script = (
        "cd /sys/fs/cgroup; if [ -d memory ]; then cat memory/memory.usage_in_bytes;"
        " sed -n 's/^total_inactive_file //p' memory/memory.stat;"
        " else cat memory.current; sed -n 's/^inactive_file //p' memory.stat; fi"
    )
    usage, inactive = (int(word) for word in _in_node("sh", "-c", script).split())
    return usage - inactive


def _machine() -> dict[str, Any]:
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    return {"cores": os.cpu_count(), "memory_gib": round(int(memory.split()[1]) / (1 << 20), 1)}


def _summary(result: dict[str, Any]) -> dict[str, Any]:
    """Return one figure for each promise."""
    return {
        "cold_s": result.get("cold", {}).get("seconds"),
        "images_present_s": result["images_present"]["seconds"],
        "unchanged_s": statistics.median(each["seconds"] for each in result["unchanged"]),
        "reset_s": statistics.median(each["seconds"] for each in result["reset"]),
        **result["idle"],
    }


if __name__ == "__main__":
    sys.exit(main())
