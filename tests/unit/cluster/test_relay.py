"""The relay as a process: real sockets, a fake `kubectl` where a tunnel is needed."""

import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from lab.cluster import forward, relay
from lab.cluster.daemon import Daemon, until
from lab.cluster.forward import Forwarder
from lab.errors import MissingRequirement

from .conftest import Machine

_KUBECTL = """
case "$1" in
  get) cat $STATE/services ;;
  port-forward)
    test -e $STATE/nopod && { echo "error: no running pod" >&2; exit 1; }
    echo "Forwarding from 127.0.0.1:$(cat $STATE/port) -> 8080"
    echo $$ > $STATE/tunnel
    exec sleep 60 ;;
esac
"""
_SERVICES = {
    "items": [
        {"metadata": {"namespace": "chain", "name": "other"}, "spec": {"ports": [{"port": 1}]}},
        {"metadata": {"namespace": "chain", "name": "ingest"}, "spec": {"ports": [{"port": 8080, "nodePort": 30080}]}},
    ]
}


class Start(Protocol):
    """How a relay is started."""

    def __call__(self, ports: dict[int, int], *kubectl: str) -> Daemon:
        """Start it for host port -> NodePort; return when it listens."""


class _Echo(socketserver.StreamRequestHandler):
    """Answers with all it got, reversed, once the sender has ended its side."""

    def handle(self) -> None:
        """Answer one connection."""
        self.wfile.write(self.rfile.read()[::-1])


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


@pytest.fixture
def service() -> Iterator[int]:
    """Return the port of a service that answers."""
    with _Server(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def port() -> int:
    """Return a port of this machine that is free."""
    return _free_port()


@pytest.fixture
def start(machine: Machine) -> Iterator[Start]:
    """Return how a relay is started; it ends with the test."""
    daemon = Daemon("relay", machine.state)

    def begin(ports: dict[int, int], *kubectl: str) -> Daemon:
        ready = machine.state / "ready"
        daemon.start([sys.executable, "-I", relay.__file__, ready, json.dumps(ports), *kubectl])
        assert until(ready.exists, 10), daemon.tail()
        return daemon

    yield begin
    daemon.end()


def _ask(port: int, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(words)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(1 << 16):
            answer += chunk
        return answer


def test_bytes_come_through_whole(start: Start, service: int, port: int) -> None:
    """A megabyte goes there and back unchanged, also when the sender ends its side first."""
    start({port: service})
    words = os.urandom(1 << 20)
    assert _ask(port, words) == words[::-1]


def test_it_listens_on_this_machine_only(start: Start, service: int, port: int) -> None:
    """Only 127.0.0.1 answers; another address of this machine does not."""
    start({port: service})
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=2)


def test_a_service_that_is_not_there_yet_closes_the_connection(start: Start, service: int, port: int) -> None:
    """Nothing behind the port: the client sees the end of the connection at once, and the relay lives on."""
    other = _free_port()
    daemon = start({other: _free_port(), port: service})
    assert _ask(other, b"") == b""
    assert _ask(port, b"ab") == b"ba"
    assert daemon.pid() is not None


def test_elsewhere_a_tunnel_is_made_at_the_first_connection(
    machine: Machine, start: Start, service: int, port: int
) -> None:
    """The service is found by its NodePort; one tunnel serves all connections until it ends, then a new one."""
    machine.program("kubectl", _KUBECTL)
    machine.answer("services", json.dumps(_SERVICES))
    machine.answer("port", str(service))
    start({port: 30080}, str(machine.bin / "kubectl"))
    assert not machine.calls()
    assert _ask(port, b"ab") == b"ba"
    assert _ask(port, b"cd") == b"dc"
    forwarded = "kubectl port-forward --namespace chain --address 127.0.0.1 service/ingest :8080"
    assert machine.calls("kubectl port-forward") == [forwarded]
    tunnel = int((machine.state / "tunnel").read_text())
    os.kill(tunnel, signal.SIGKILL)
    assert until(lambda: not Path(f"/proc/{tunnel}").exists(), 5)
    assert _ask(port, b"ef") == b"fe"
    assert machine.calls("kubectl port-forward") == [forwarded] * 2


def test_a_tunnel_without_a_pod_closes_the_connection_and_is_tried_again(
    machine: Machine, start: Start, service: int, port: int
) -> None:
    """While no pod runs the client is refused; as soon as one does it is served."""
    machine.program("kubectl", _KUBECTL)
    machine.answer("services", json.dumps(_SERVICES))
    machine.answer("port", str(service))
    machine.answer("nopod")
    start({port: 30080}, str(machine.bin / "kubectl"))
    assert _ask(port, b"") == b""
    (machine.state / "nopod").unlink()
    assert _ask(port, b"ab") == b"ba"


def test_its_end_ends_its_tunnels(machine: Machine, start: Start, service: int, port: int) -> None:
    """No kubectl survives the relay."""
    machine.program("kubectl", _KUBECTL)
    machine.answer("services", json.dumps(_SERVICES))
    machine.answer("port", str(service))
    daemon = start({port: 30080}, str(machine.bin / "kubectl"))
    _ask(port, b"ab")
    tunnel = int((machine.state / "tunnel").read_text())
    daemon.end()
    assert not Path(f"/proc/{tunnel}").exists()


def test_a_taken_port_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host port that another program holds: the error names it and both remedies; no relay is left."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        monkeypatch.setattr(forward, "ports", lambda _: {taken: 30080})
        forwarder = Forwarder(machine.settings())
        with pytest.raises(MissingRequirement) as caught:
            forwarder.start()
    assert str(taken) in caught.value.what.fr
    assert "LAB_PORT_OFFSET" in caught.value.remedy.en
    assert not forwarder.alive()


def test_ports_are_those_of_the_kind_configuration(machine: Machine) -> None:
    """Every backend answers at the same addresses: those that kind-config.yaml maps, shifted by the offset."""
    mapped = forward.ports(machine.settings(LAB_PORT_OFFSET="100"))
    assert mapped[9192] == 30092
    assert mapped[8180] == 30080


def test_the_program_stands_on_the_standard_library_alone() -> None:
    """It runs by its path, isolated from any environment."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({relay.__file__!r})"],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
