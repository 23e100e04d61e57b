"""The gateway over HTTP: its questions, its switches, and that it starts and ends as a process."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from patterns.gateway_web import Desk, Switches
from runtime.figures import wait_for
from runtime.health import Health
from runtime.peer import Peer
from runtime.process import Stop
from runtime.tracing import Tracing
from runtime.web import Web
from unit.patterns.gateways import STATIONS, gateway
from unit.patterns.servers import Reply, nobody, serving

ROOT = Path(__file__).parents[3]


def others(method: str, path: str, body: Any) -> Reply:  # noqa: ANN401  any JSON
    """Every other role in one."""
    if path == "/site":
        return 200, {"station": "JFK", "link": True, "store": "disk", "held": 3, "sequence": 9}
    if path == "/fault" and method == "POST" and body["mode"] == "bang":
        return 400, {"error": "mode is 'bang'"}
    return 200, {"path": path, "got": body}


def ask(address: str, body: Any = None) -> tuple[int, Any]:  # noqa: ANN401  any JSON
    """Status and JSON; a POST where there is a body."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data), timeout=10) as answer:  # noqa: S310  our own
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as failure:
        return failure.code, json.load(failure)


@pytest.fixture
def address() -> Iterator[str]:
    """A gateway's address, with every other role well and LGA's site away."""
    with serving(others) as server, nobody() as away, gateway(delays=away, site=server.address) as it:
        peers = {station: Peer(away if station == "LGA" else server.address) for station in STATIONS}
        desk, switches = Desk(it.cases, Tracing.off(), it.registry), Switches(peers, Peer(server.address))
        questions = {**desk.questions, **switches.questions}
        web = Web(0, Health(), it.registry, questions=questions, orders=switches.orders, host="127.0.0.1").start()
        yield f"http://127.0.0.1:{web.port}"
        web.close()


def test_links_are_told_for_every_site_and_null_where_the_site_is_away(address: str) -> None:
    """GET /link never fails for want of one site."""
    assert ask(f"{address}/link") == (200, {"EWR": True, "JFK": True, "LGA": None})


def test_switches_are_passed_on_with_their_body(address: str) -> None:
    """POST /link/JFK and POST /fault reach the role as they were sent, and its answer comes back."""
    assert ask(f"{address}/link/JFK", {"up": False}) == (200, {"path": "/link", "got": {"up": False}})
    assert ask(f"{address}/fault", {"mode": "hang", "seconds": 5})[1]["got"] == {"mode": "hang", "seconds": 5}
    assert ask(f"{address}/edge/JFK")[1]["held"] == 3


def test_another_roles_refusal_comes_back_as_it_is(address: str) -> None:
    """Status and words of a 400 are the other role's; a site that is away is a 502, an unknown one a 404."""
    assert ask(f"{address}/fault", {"mode": "bang"}) == (400, {"error": "mode is 'bang'"})
    assert ask(f"{address}/edge/LGA")[0] == 502
    assert ask(f"{address}/link/SFO", {"up": True})[0] == 404


def test_a_question_that_makes_no_sense_says_how_to_ask(address: str) -> None:
    """A path that lacks its route, airline or station is a 404 with an example."""
    for path, example in (
        ("recommend/JFK", "/recommend/JFK/LAX"),
        ("punctuality", "/UA"),
        ("weather/SFO", "/weather/JFK"),
    ):
        status, answer = ask(f"{address}/{path}")
        assert status == 404
        assert example in answer["error"]


def test_without_an_answer_it_is_a_503_with_the_reason(address: str) -> None:
    """Punctuality with the analyst away and nothing remembered: 503, and the address that was tried."""
    status, answer = ask(f"{address}/punctuality/UA")
    assert status == 503
    assert "127.0.0.1:9" in answer["error"]


@pytest.mark.parametrize("role", ["gateway"])
def test_the_process_starts_answers_and_ends_as_asked(role: str, tmp_path: Path) -> None:
    """`python -m patterns gateway` is ready without any other role or a broker; SIGTERM ends it with exit code 0."""
    log = tmp_path / "log"
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}/services:{ROOT}/labs/01-patterns/service",
        "TARMAC_PORT": "0",
        "TARMAC_TRACES": "",
        "TARMAC_KAFKA": "127.0.0.1:9",
    }
    with log.open("w") as file:
        process = subprocess.Popen([sys.executable, "-m", "patterns", role], env=env, stderr=file)
    try:
        port = _port(log, process)
        assert ask(f"http://127.0.0.1:{port}/experiments")[1]["running"] is False
        assert wait_for(lambda: _ready(port) or None, 60, Stop(), 0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10):
            return True
    except urllib.error.HTTPError:
        return False


def _port(log: Path, process: "subprocess.Popen[bytes]") -> int:
    """The port that the process says it answers on."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            told = json.loads(line)
            if told["event"] == "answering":
                return int(told["port"])
        time.sleep(0.05)
    pytest.fail(f"it does not answer: {log.read_text()}")


def test_an_unknown_role_and_an_unknown_setting_end_with_exit_code_2() -> None:
    """Both are named in the log, with what there is instead."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/services:{ROOT}/labs/01-patterns/service"}
    for arguments, more, words in (
        (["gatway"], {}, "gateway"),
        (["gateway"], {"TARMAC_BREAKER_FAILURE": "5"}, "TARMAC_BREAKER_FAILURES"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "patterns", *arguments],
            env={**env, **more},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert words in done.stderr.decode()
