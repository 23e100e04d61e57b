"""Programs faked at the wire: scripts on PATH that record what they are asked and answer from files."""

import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.settings import Settings
from lab.text import Text

_BASE = ("sh", "cat", "sleep", "touch", "rm", "mkdir", "env", "head", "tail", "printf", "id", "grep")
"""What scripts may use; everything else is missing from PATH unless a test puts it there."""


@dataclass
class Machine:
    """A machine with only those programs that a test puts on it.

    Attributes:
        bin: the only folder of PATH besides the basic tools.
        state: what the fake programs answer from.
        home: the user's home.
        said: what the tool told the user.

    """

    bin: Path
    state: Path
    home: Path
    said: list[Text] = field(default_factory=list)

    def program(self, name: str, script: str) -> None:
        """Put a program there; `$STATE` is its folder of answers, and `calls` in it records each call."""
        path = self.bin / name
        head = f'#!/bin/sh\nSTATE={self.state}\nprintf "%s\\n" "{name} $*" >> $STATE/calls\n'
        path.write_text(head + script)
        path.chmod(0o755)

    def calls(self, start: str = "") -> list[str]:
        """Return the calls so far that begin with these words."""
        file = self.state / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(start)]

    def answer(self, name: str, content: str = "") -> None:
        """Set what a fake program answers from."""
        (self.state / name).write_text(content)

    def answers(self, name: str) -> bool:
        """Say whether an answer is there."""
        return (self.state / name).exists()

    def settings(self, **environment: str) -> Settings:
        """Return settings inside this machine's home."""
        return Settings.load({"HOME": str(self.home), **environment})

    def say(self, news: Text) -> None:
        """Take a line for the user."""
        self.said.append(news)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return an empty machine whose PATH is its own."""
    made = Machine(tmp_path / "bin", tmp_path / "state", tmp_path / "home")
    basics = tmp_path / "basics"
    for folder in (made.bin, made.state, made.home, basics):
        folder.mkdir()
    for name in _BASE:
        found = shutil.which(name)
        if found:
            (basics / name).symlink_to(found)
    monkeypatch.setenv("PATH", f"{made.bin}:{basics}")
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a self-signed certificate and its key in one file, made for this run."""
    path = tmp_path_factory.mktemp("certificate") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
         "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.fixture
def api_server(machine: Machine, certificate: Path) -> Iterator[Callable[[], int]]:
    """Start an API server that is ready while the answer `api` exists; calling it returns its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer as a real one does."""
            self.send_response(200 if machine.answers("api") else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield lambda: server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()
