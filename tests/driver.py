"""The tool as a user has it: the `lab` command, started as a program, on a cluster that belongs to the tests."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LAB = ROOT / ".venv/bin/lab"
NAME = f"tarmac-test-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]}"
"""Each checkout's own, so that what another one left behind is nobody's trouble."""
OFFSET = 10000
"""Added to every port, so that a trainee's running lab keeps its own."""


def measured(lab: str, what: str, seconds: float) -> None:
    """Keep how long something took, for docs/quality.md."""
    with _figures("times") as times:
        times.setdefault(lab, {})[what] = round(seconds, 1)


def taken(lab: str, told: Any) -> None:  # noqa: ANN401  JSON
    """Keep what `lab budget` said of a lab, for docs/quality.md and its guides."""
    with _figures("budgets") as budgets:
        budgets[lab] = told


def broken(lab: str, fault: str, told: Any) -> None:  # noqa: ANN401  JSON
    """Keep what was told of a fault that was done to the cluster, for docs/quality.md."""
    with _figures("breaks") as breaks:
        breaks.setdefault(lab, {})[fault] = told


@contextmanager
def _figures(name: str) -> Iterator[dict[str, Any]]:
    """Give what was kept under a name, and keep it as it is afterwards."""
    file = ROOT / f"build/quality/{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    yield known
    file.write_text(json.dumps(known, indent=1) + "\n")


@dataclass(frozen=True)
class Driver:
    """Runs `lab` on one cluster.

    Attributes:
        home: folder of the cluster's state.
        name: the cluster's name.
        offset: added to every host port.
        variables: further environment variables.

    """

    home: Path
    name: str = NAME
    offset: int = OFFSET
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment that makes `lab` work on this cluster."""
        own = {"LAB_NAME": self.name, "LAB_HOME": str(self.home), "LAB_PORT_OFFSET": str(self.offset), "LAB_LANG": "en"}
        return {**os.environ, **own, **self.variables}

    @property
    def folder(self) -> Path:
        """Return the folder of the cluster's files."""
        return self.home / self.name

    @property
    def work(self) -> Path:
        """Return the working copy of lab 01's manifests."""
        return ROOT / "labs/01-patterns/manifests" / f"work-{self.name}"

    @property
    def node(self) -> str:
        """Return the name of the node's container."""
        return f"{self.name}-control-plane"

    def port(self, base: int) -> int:
        """Return a host port of this cluster."""
        return base + self.offset

    def run(self, *words: str, code: int | None = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end and hold it to its exit code (None: any)."""
        done = subprocess.run(
            [LAB, *words], env=self.environment | variables, cwd=ROOT, capture_output=True, text=True, check=False
        )
        told = f"lab {' '.join(words)} ended with {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        assert code is None or done.returncode == code, told
        return done

    def json(self, *words: str, code: int | None = 0, **variables: str) -> Any:  # noqa: ANN401  JSON
        """Run a command with `--output json` and return what it printed."""
        return json.loads(self.run(*words, "--output", "json", code=code, **variables).stdout)

    def shell(self, command: str) -> None:
        """Run a line as somebody types it who was told to, `lab` being on the path."""
        path = f"{LAB.parent}{os.pathsep}{os.environ['PATH']}"
        words = ["bash", "-c", command]
        done = subprocess.run(
            words, env=self.environment | {"PATH": path}, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"

    def differences(self, code: str, told: object) -> list[str]:
        """Return what a lab holds otherwise than when its fingerprint was told."""
        file = self.home / "fingerprint.json"
        file.write_text(json.dumps(told))
        found: list[str] = self.json("fingerprint", code, "--against", str(file), code=None)["differences"]
        return found

    def kubectl(self, *words: str, code: int | None = 0) -> str:
        """Run kubectl on the cluster and return what it printed."""
        return self.run("kubectl", *words, code=code).stdout

    def in_node(self, *words: str) -> str:
        """Run a program inside the node and return what it printed."""
        return engine("exec", self.node, *words)

    def process(self, program: str) -> int:
        """Return the id, inside the node, of a control-plane program's process."""
        found = self.in_node("ps", "-C", program, "-o", "pid=").split()
        assert found, f"{program} does not run in {self.node}"
        return int(found[0])

    def first_process(self, namespace: str, label: str, container: str) -> int:
        """Return the id, inside the node, of the first process of a container, as soon as one runs.

        Args:
            namespace: of its pod.
            label: by which the pod is found.
            container: its name.

        """
        words = ("get", "pod", "-n", namespace, "-l", label, "--field-selector=status.phase=Running", "-o", "json")

        def running() -> str:
            for pod in json.loads(self.kubectl(*words))["items"]:
                for each in pod["status"].get("containerStatuses", ()):
                    if each["name"] == container and each["state"].get("running"):
                        return str(each["containerID"]).removeprefix("containerd://")
            return ""

        name = until(running, f"container {container} runs", 240)
        tasks = self.in_node("ctr", "-n", "k8s.io", "tasks", "list")
        (number,) = (line.split()[1] for line in tasks.splitlines() if line.startswith(name))
        return int(number)


def engine(*words: str) -> str:
    """Run docker and return what it printed."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
    return done.stdout


def until(condition: Callable[[], Any], what: str, seconds: float = 60, step: float = 0.3) -> Any:  # noqa: ANN401
    """Return the first true value of a condition; fail with its name when the time is over."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(step)
    return value
