"""The largest requests that are taken, alone and together: the process stays within what its container may have."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from integration.serving import raw
from integration.serving.processes import ROOT
from integration.serving.raw import POST, computed
from integration.serving.victim import INFER, Victim
from serving.settings import ServeSettings

SIZES = ServeSettings()
JSON, LARGEST = SIZES.json_bytes, SIZES.body_bytes
_SHARE = 0.85
"""Of the container's memory that may be used: a server in its pod has a client of Kafka and traces besides."""


@pytest.fixture(autouse=True)
def _within(server: Victim) -> Iterator[None]:
    """Hold the highest that the process ever has to what the chart allows."""
    values = yaml.safe_load((ROOT / "platform/helm/serving/values.yaml").read_text("utf-8"))
    limit = int(values["resources"]["limits"]["memory"].removesuffix("Mi"))
    process = Path(f"/proc/{server.process.pid}")
    (process / "clear_refs").write_text("5", "ascii")  # the highest begins anew
    yield
    server.unharmed()
    lines = (process / "status").read_text("ascii").splitlines()
    highest = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024
    assert highest < _SHARE * limit


def _filled(head: str, piece: str, tail: str, size: int = JSON) -> bytes:
    """Return JSON of as many pieces as there is room for."""
    count = (size - len(head) - len(tail)) // (len(piece) + 1)
    return (head + ",".join([piece] * count) + tail).encode()


def _tensor() -> bytes:
    rows = (JSON - 200) // 6
    return b'{"inputs":[{"name":"features","shape":[%d,3],"datatype":"FP32","data":[%b]}]}' % (
        rows, b",".join([b"1,1,1"] * rows),
    )  # fmt: skip


BODIES: dict[str, tuple[str, Callable[[], bytes], int]] = {
    "numbers": (INFER, _tensor, 200),
    "rows": ("/v2/models/m/invocations", lambda: _filled('{"instances":[', "[1,1,1]", "]}"), 200),
    "a table": ("/v2/models/known/invocations", lambda: _filled('{"dataframe_split":{"data":[', "[1,1,1]", "]}}"), 200),
    "empty lists": ("/v2/models/m/invocations", lambda: _filled('{"instances":[', "[]", "]}"), 400),
    "empty records": ("/v2/models/m/invocations", lambda: _filled('{"dataframe_records":[', "{}", "]}"), 400),
    "records": ("/v2/models/known/invocations", lambda: _filled('{"dataframe_records":[', '{"a":1}', "]}"), 400),
    "empty objects": (INFER, lambda: _filled('{"inputs":[', "{}", "]}"), 400),
    "empty parameters": (INFER, lambda: _filled('{"parameters":{"a":[', "[]", ']},"inputs":[]}'), 400),
    "outputs": (INFER, lambda: _filled('{"inputs":[],"outputs":[', '{"name":""}', "]}"), 400),
    "unknown fields": (INFER, lambda: _filled('{"inputs":[],"nobody":[', "[]", "]}"), 400),
    "a shape": (INFER, lambda: _filled('{"inputs":[{"name":"features","datatype":"FP32","shape":[', "1", "]}]}"), 400),
    "a text": (INFER, lambda: json.dumps({"inputs": [], "id": "a" * (JSON - 50)}).encode(), 400),
    "no end": (INFER, lambda: b"[" * JSON, 400),
}
"""Bodies of as much JSON as is taken, of what is short to write and long to keep: path, body, status."""


@pytest.mark.parametrize("name", BODIES)
def test_json_of_the_largest_size(server: Victim, name: str) -> None:
    """Whatever it is made of."""
    path, make, status = BODIES[name]
    body = make()
    assert JSON - 200 <= len(body) <= JSON
    line = raw.request(f"POST {path} HTTP/1.1", f"content-length: {len(body)}", body=body)
    found = raw.reply(server.port, line)
    assert found.status == status, found.body[:300]


def test_tensors_of_the_largest_size(server: Victim) -> None:
    """In binary, in and out."""
    rows = (LARGEST - 300) // 12
    size = f'"parameters":{{"binary_data_size":{rows * 12}}}'
    head = f'{{"inputs":[{{"name":"features","shape":[{rows},3],"datatype":"FP32",{size}}}]}}'.encode()
    headers = (f"inference-header-content-length: {len(head)}", f"content-length: {len(head) + rows * 12}")
    found = raw.reply(server.port, raw.request(POST, *headers, body=head + bytes(rows * 12)))
    assert found.status == 200


def test_large_bodies_that_never_end(server: Victim) -> None:
    """As many callers as may be send most of a body and wait: what there is no room for is told to come again."""
    body = b" " * (JSON - 100_000)
    unfinished = raw.request(POST, f"content-length: {JSON}", body=body)
    fitting = SIZES.bodies_bytes // len(body)
    with contextlib.ExitStack() as connections:
        wires = [connections.enter_context(raw.connected(server.port)) for _ in range(3 * fitting)]
        for wire in wires:
            with contextlib.suppress(ConnectionError):
                wire.sendall(unfinished)
        statuses = []
        for wire in wires:
            wire.settimeout(0.05)
            with contextlib.suppress(TimeoutError, ConnectionError):
                statuses.append(wire.recv(12))
        assert statuses.count(b"HTTP/1.1 429") >= fitting
        assert not set(statuses) - {b"HTTP/1.1 429", b""}
        computed(raw.reply(server.port, raw.WHOLE))
    large = _tensor()
    line = raw.request(POST, f"content-length: {len(large)}", body=large)
    assert raw.reply(server.port, line).status == 200
