"""A container of a chart, run on this machine: its own scripts, configuration and command; paths and ports moved."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from contract.charts.rendering import SETTINGS, Case, containers, jobs, named
from lab.tools import debian

SECONDS = 30
_WITHOUT = shutil.ignore_patterns("bitcode", "locale", "doc", "man", "llvmjit*")


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody holds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def root(folder: Path, packages: Sequence[str]) -> Path:
    """Lay out Debian packages under one folder, as an image has them; whoever may enter the folder may run them."""
    for package in packages:
        # Links go over as they are: some lead into another package.
        shutil.copytree(debian.extracted(SETTINGS, package), folder, symlinks=True, dirs_exist_ok=True, ignore=_WITHOUT)
    return folder


def container(case: Case, kind: str, name: str) -> dict[str, Any]:
    """Return the first container of a workload or, for a CronJob, of its jobs."""
    workload = next(jobs(case)) if kind == "CronJob" else named(case, kind, name)
    return containers(workload)[-1 if kind == "Deployment" else 0]


@dataclass
class Pod:
    """One container's world on this machine; what was started in it ends with the context.

    Attributes:
        folder: empty; holds all that the container reads and writes.
        moved: what stands in the chart -> what stands here instead; a path of the chart begins with `/`.
        environment: variables beside the chart's own.
        user: user and group to be, where we are root; else we stay who we are.

    """

    folder: Path
    moved: Mapping[str, str]
    environment: Mapping[str, str]
    user: int | None = None
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    def write(self, config: Mapping[str, str]) -> None:
        """Write a ConfigMap's files to where /etc/tarmac is here."""
        for name, text in config.items():
            path = Path(self.text("/etc/tarmac")) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text(text))

    def give(self, path: str, content: str) -> None:
        """Write a file by the path that the chart gives it, for the container's user alone."""
        here = Path(self.text(path))
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_text(content)
        here.chmod(0o400)
        self.own()

    def own(self) -> None:
        """Make the container's user the owner of its folder."""
        if self._changes_user():
            subprocess.run(["chown", "-R", f"{self.user}:{self.user}", str(self.folder)], check=True)

    def text(self, words: str) -> str:
        """Return a text of the chart with paths and ports as they are here."""
        known = re.compile("|".join(re.escape(each) for each in sorted(self.moved, key=len, reverse=True)))
        return known.sub(lambda match: self.moved[match[0]], words)

    def start(self, container: Mapping[str, Any], port: int = 0) -> subprocess.Popen[bytes]:
        """Start a container's command; return when its port listens.

        Raises:
            AssertionError: it ended, or does not listen in time; tells its last lines.

        """
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                self._argv(container), env=self._env(container), cwd=self.folder, stdout=log, stderr=subprocess.STDOUT
            )
        self.running.append(process)
        deadline = time.monotonic() + SECONDS
        while port and not _listens(port):
            assert process.poll() is None, self.log()[-2000:]
            assert time.monotonic() < deadline, self.log()[-2000:]
            time.sleep(0.05)
        return process

    def run(self, container: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
        """Run a container's command to its end."""
        argv, env = self._argv(container), self._env(container)
        return subprocess.run(
            argv, env=env, cwd=self.folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def call(self, *words: str, stdin: str = "", **environment: str) -> str:
        """Run a program in the container's world; return all that it says."""
        done = subprocess.run(
            [*self._user(), *words],
            input=stdin, env={**self._env({}), **environment}, cwd=self.folder, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        return done.stdout

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End what was started, and return when it is gone."""
        for process in self.running:
            process.send_signal(how)
        for process in self.running:
            process.wait(timeout=SECONDS)
        self.running.clear()

    def log(self) -> str:
        """Return what the container said so far."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _argv(self, container: Mapping[str, Any]) -> list[str]:
        words = [*container["command"], *container.get("args", [])]
        return [*self._user(), *(self.text(word) for word in words)]

    def _user(self) -> list[str]:
        if not self._changes_user():
            return []
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]

    def _changes_user(self) -> bool:
        return self.user is not None and os.geteuid() == 0

    def _env(self, container: Mapping[str, Any]) -> dict[str, str]:
        said = {each["name"]: self.text(each["value"]) for each in container.get("env", []) if "value" in each}
        return {"PATH": os.environ["PATH"], **said, **self.environment}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
