"""The image as it is sent to a device: small, with no way in, and answering under the limits of the gate's computer."""

from __future__ import annotations

import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contract.charts.rendering import SETTINGS
from integration.serving.processes import free_port
from lab.cluster import engine
from lab.images import Catalogue, ensure
from unit.serving.graphs import linear, put

pytestmark = pytest.mark.cluster  # it needs no cluster, but what builds and runs one
MOST = 50 << 20
"""Bytes; what it has is in services/edge/README.md."""
ROW = {"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 4]}]}


@pytest.fixture(scope="module")
def image() -> str:
    """Return the image, made as any other."""
    return ensure(Catalogue(SETTINGS.root), ["edge"], engine.ensure(lambda _: None), SETTINGS, lambda _: None)["edge"]


def _engine(*words: str) -> str:
    running = engine.running()
    assert running
    return subprocess.run([*running.command, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def address(image: str, tmp_path: Path) -> Iterator[str]:
    """Return where a container of it answers, with the gate's memory and without a single right."""
    put(tmp_path, "m", "1", linear())
    tmp_path.chmod(0o755)
    port = free_port()
    container = _engine(
        "run", "--detach", "--read-only", "--cap-drop=ALL", "--memory=128m", f"--publish=127.0.0.1:{port}:8080",
        f"--volume={tmp_path}:/models:ro", image,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        _engine("rm", "--force", container)


def test_it_answers_within_the_gates_memory(address: str) -> None:
    """Nothing writable, no capability, 128 MiB: it is ready, and predicts."""
    deadline = time.monotonic() + 30
    while True:
        try:
            told = httpx.post(f"{address}/v2/models/m/infer", json=ROW, timeout=5)
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert told.json()["outputs"][0]["data"] == [7]


def test_nothing_else_is_in_it(image: str, tmp_path: Path) -> None:
    """A program, a library, what those run on, and licences; no shell, no interpreter, nobody to become."""
    assert int(_engine("image", "inspect", "--format", "{{.Size}}", image)) < MOST
    container = _engine("create", image)
    try:
        _engine("export", "-o", str(tmp_path / "root.tar"), container)
    finally:
        _engine("rm", container)
    with tarfile.open(tmp_path / "root.tar") as archive:
        files = [each.name for each in archive if each.isfile() and each.size]
    assert [each for each in files if not each.startswith(("lib/", "lib64/", "usr/share/doc/"))] == [
        "usr/local/bin/edge"
    ]
    assert "lib/libonnxruntime.so" in files
    assert "usr/share/doc/onnxruntime/LICENSE" in files
    assert not [each for each in files if "python" in each or each.endswith("/sh")]
