"""The server as a process: it starts, swaps, refuses and ends, over real sockets."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from contracts.inference_grpc import SERVICE, message
from integration.serving.processes import PATIENCE, Server
from unit.serving.graphs import linear, point, put

BODY = json.dumps({"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 4]}]}).encode()
INFER = "/v2/models/m/infer"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Return a ready server with one version of a model."""
    put(tmp_path, "m", "1", linear())
    point(tmp_path, "m", champion="1")
    running = Server(tmp_path)
    try:
        running.until("/readyz")
        yield running
    finally:
        running.end()


def test_a_version_is_swapped_without_a_failed_request(server: Server) -> None:
    """From the first answer of the old to the first of the new, each request is answered by one of them."""
    put(server.models, "m", "2", linear(factor=10))
    point(server.models, "m", champion="2")
    versions: list[str] = []
    deadline = time.monotonic() + PATIENCE
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    while not versions or versions[-1] != "2":
        assert time.monotonic() < deadline
        connection.request("POST", INFER, BODY)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        versions.append(told["model_version"])
        assert told["outputs"][0]["data"] == [7.0 if versions[-1] == "1" else 70.0]
    connection.close()
    assert versions == sorted(versions)
    assert versions[0] == "1"


def test_a_corrupt_version_is_told_and_not_served(server: Server) -> None:
    """The index says why; the old version goes on, in the same process."""
    put(server.models, "m", "2", b"\x80\x04no model")
    point(server.models, "m", champion="2")
    deadline = time.monotonic() + PATIENCE
    entry: dict[str, str] = {}
    while "pickle" not in entry.get("reason", ""):
        assert time.monotonic() < deadline
        entries = server.ask("POST", "/v2/repository/index")[1]
        entry = next((each for each in entries if each["version"] == "2"), {})
    assert server.ask("POST", INFER, BODY)[1]["model_version"] == "1"
    assert server.ask("POST", "/v2/models/m/versions/2/infer", BODY)[0] == 422
    assert server.process.poll() is None


def test_a_body_that_is_too_large_is_told_so(server: Server) -> None:
    """Over a real connection, while it is still being sent."""
    status, told = server.ask("POST", INFER, b" " * 17_000_000)
    assert status == 413
    assert "17000000 bytes" in told["error"]


def test_both_protocols_answer_from_the_same_models(server: Server) -> None:
    """HTTP and gRPC, by one process."""
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        infer = channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            message("ModelInferRequest").SerializeToString,
            message("ModelInferResponse").FromString,
        )
        raw = np.array([1, 2, 4], np.float32).tobytes()
        inputs = [{"name": "features", "datatype": "FP32", "shape": [1, 3]}]
        asked = message("ModelInferRequest")(model_name="m", inputs=inputs, raw_input_contents=[raw])
        found = infer(asked, timeout=30, wait_for_ready=True)
    assert np.frombuffer(found.raw_output_contents[0], np.float32).tolist() == [7.0]
    assert server.ask("POST", INFER, BODY)[1]["outputs"][0]["data"] == [7.0]
    assert 'serving_requests_total{model="m",status="200",version="1"} 2.0' in server.ask("GET", "/metrics")[1]


def test_a_server_without_models_is_ready_and_says_so(tmp_path: Path) -> None:
    """It waits for the first; it ends well when it is asked to."""
    running = Server(tmp_path)
    try:
        running.until("/readyz")
        assert running.ask("POST", INFER, BODY)[0] == 404
        put(tmp_path, "m", "1", linear())
        running.until("/v2/models/m/ready")
        assert running.ask("POST", INFER, BODY)[0] == 200
    finally:
        code = running.end()
    assert code == 0


def test_a_setting_that_is_none_ends_the_process(tmp_path: Path) -> None:
    """At once, with exit code 2 and the remedy."""
    running = Server(tmp_path, TARMAC_QUEUE="many")
    assert running.process.wait(PATIENCE) == 2
    _, told = running.process.communicate()
    assert b"TARMAC_QUEUE" in told
