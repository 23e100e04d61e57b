"""The service as a process of its own, over real sockets."""

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
    """The service as a process, over the models in a folder or, by its settings, of a registry."""

    def __init__(self, models: Path, **settings: str) -> None:
        self.models = models
        self.port, self.grpc_port = free_port(), free_port()
        told = {
            "TARMAC_PORT": str(self.port), "TARMAC_GRPC_PORT": str(self.grpc_port), "TARMAC_MODELS": str(models),
            "TARMAC_TRACES": "", "TARMAC_WATCH_SECONDS": "0.1", **settings,
        }  # fmt: skip
        # Without what tests are told: the service refuses settings that it does not know.
        bare = {name: value for name, value in os.environ.items() if not name.startswith("TARMAC_")}
        env = {**bare, "PYTHONPATH": str(ROOT / "services"), **told}
        self.process = subprocess.Popen([sys.executable, "-m", "serving", "serve"], env=env, stderr=subprocess.PIPE)

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
            assert self.process.poll() is None, self.process.stderr.read().decode()  # type: ignore[union-attr]
            try:
                if self.ask("GET", path)[0] == status:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"{path} does not answer {status}")

    def end(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.process.communicate()
