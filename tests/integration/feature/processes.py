"""What tests run: Debian's Redis, the feature service, and Feast's own SDK."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import feast

from integration.feature import samples
from lab.settings import Settings
from lab.tools import debian

ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse"  # noqa: S105  of a Redis that lives for one test
SAMPLES = "integration.feature.samples:DEFINITIONS"
SECONDS = 20.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Redis:
    """Debian's redis-server, unpacked from its package, on a port of its own.

    Args:
        folder: where it keeps its data.

    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, on the same port and data each time, and wait until it listens."""
        settings = Settings.load(os.environ)
        program = debian.extracted(settings, "redis-tools") / "usr/bin/redis-check-rdb"  # one program, two names
        parts = [debian.extracted(settings, each) for each in ("libjemalloc2", "liblzf1")]
        libraries = ":".join(str(path) for part in parts for path in part.glob("usr/lib/*"))
        words = ["--port", self.port, "--bind", "127.0.0.1", "--requirepass", PASSWORD, "--appendonly", "yes"]
        words += ["--save", "", "--appendfsync", "everysec", "--dir", self._folder, "--maxmemory-policy", "noeviction"]
        self._process = subprocess.Popen(
            ["redis-server", *map(str, words)],
            executable=program,
            env={"LD_LIBRARY_PATH": libraries},
            stdout=subprocess.DEVNULL,
        )
        until_open(self.port)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Let it hang: connections stay, nothing answers."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)


class Service:
    """`python -m feature serve` as a process.

    Args:
        env: its variables, without the prefix.
        port: where it answers; 0: on one that nobody has.

    """

    def __init__(self, env: Mapping[str, object], port: int = 0) -> None:
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        told = {
            f"TARMAC_{name.upper()}": str(value) for name, value in {"traces": "", **env, "port": self.port}.items()
        }
        paths = f"{ROOT / 'services'}:{ROOT / 'tests'}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "feature", "serve"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, **told},
        )

    def wait(self, path: str = "/readyz") -> None:
        """Wait until the path answers well."""
        deadline = time.monotonic() + SECONDS
        while self.status(path) != 200:
            assert self.process.poll() is None, "the service ended"
            assert time.monotonic() < deadline, f"{path} never was well"
            time.sleep(0.05)

    def status(self, path: str) -> int:
        """Return the status of a GET; 0 where nothing answers."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=5) as answer:  # noqa: S310  our own address
                return int(answer.status)
        except urllib.error.HTTPError as failure:
            return failure.code
        except OSError:
            return 0

    def text(self, path: str) -> str:
        """Return the body of a GET."""
        with urllib.request.urlopen(self.address + path, timeout=5) as answer:  # noqa: S310  our own address
            return str(answer.read().decode())

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Return status and JSON of a POST; an error's body is what Feast's client makes an exception of."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method="POST")  # noqa: S310  our own address
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  our own address
                return int(answer.status), json.loads(answer.read())
        except urllib.error.HTTPError as failure:
            return failure.code, json.loads(json.loads(failure.read()))

    def ask(self, **body: object) -> tuple[int, Any]:
        """Ask for features."""
        return self.post("/get-online-features", body)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.terminate()
        return self.process.wait(SECONDS)


def until_open(port: int) -> None:
    """Wait until something listens."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on {port}"
            time.sleep(0.02)
        else:
            return


def sdk(registry_file: Path, online: Mapping[str, object]) -> Any:  # noqa: ANN401  as the callee has it
    """Return Feast's own SDK over the sample definitions."""
    config = feast.RepoConfig(
        project=samples.PROJECT,
        provider="local",
        registry={"registry_type": "file", "path": str(registry_file)},
        online_store=dict(online),
        entity_key_serialization_version=3,
    )
    return feast.FeatureStore(config=config)
