"""The service as a process of its own, over real sockets."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """The service as a process, over the models in a folder or, by its settings, of a registry.

    Args:
        models: the folder.
        log: where what it says is kept; a pipe that nobody empties would stop it once it has said enough.
        settings: by the names of its variables.

    """

    def __init__(self, models: Path, log: Path | None = None, /, **settings: str) -> None:
        self.models = models
        self.log = log
        self.port, self.grpc_port = free_port(), free_port()
        told = {
            "TARMAC_PORT": str(self.port), "TARMAC_GRPC_PORT": str(self.grpc_port), "TARMAC_MODELS": str(models),
            "TARMAC_TRACES": "", "TARMAC_WATCH_SECONDS": "0.1", **settings,
        }  # fmt: skip
        # Without what tests are told: the service refuses settings that it does not know.
        bare = {name: value for name, value in os.environ.items() if not name.startswith("TARMAC_")}
        env = {**bare, "PYTHONPATH": str(ROOT / "services"), **told}
        with log.open("wb") if log else contextlib.nullcontext(subprocess.PIPE) as said:
            self.process = subprocess.Popen([sys.executable, "-m", "serving", "serve"], env=env, stderr=said)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        """Return status and JSON, or text, of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): each for name, each in headers.items()})
            answer = connection.getresponse()
            data = answer.read()
            kind = answer.headers["content-type"]
            return answer.status, json.loads(data) if kind == "application/json" else data.decode()
        finally:
            connection.close()

    def until(self, path: str, status: int = 200) -> None:
        """Wait until a path answers so."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.said()
            try:
                if self.ask("GET", path)[0] == status:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"{path} does not answer {status}")

    def said(self) -> str:
        """Return what it said: all of it where it is kept, else once it has ended."""
        if self.log:
            return self.log.read_text("utf-8", "replace")
        return self.process.stderr.read().decode() if self.process.stderr else ""

    def memory(self) -> int:
        """Return the MiB that it holds."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) // 1024

    def end(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.process.communicate()
