"""The edge image beside the full server's: bytes, layers, memory, and the time from the start to the first answer.

    python bench/edge.py [--pairs 7] [--beside "what else works on this machine"]

Both images are made as `lab` makes them, and started as containers, in turns, on one folder with one model: gradient
boosting as the training writes it, fitted to rows made up here. Each pair is one start of both, first the one, then the
other; the order changes from pair to pair. Both answer the same rows over V2 in JSON, and their answers are compared.
Results go to bench/results/edge.json.
"""

import argparse
import hashlib
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "services"), str(ROOT / "platform"), str(ROOT)]

from bench.feature import free_port  # noqa: E402  after the path

from contracts import models  # noqa: E402  after the path
from lab.cluster import engine  # noqa: E402  after the path
from lab.images import Catalogue, ensure  # noqa: E402  after the path
from lab.settings import Settings  # noqa: E402  after the path
from training import estimators, export  # noqa: E402  after the path
from training.dataset import Rows  # noqa: E402  after the path

NAME, COLUMNS = "delay-boosting", 24
SIDES = {
    "serving": {"TARMAC_MODELS": "/models", "TARMAC_TRACES": "", "TARMAC_LOG_LEVEL": "error"},
    "edge": {},
}
"""Image -> what it is told; neither is given more."""
REQUESTS, PATIENCE, STEP = 100, 120.0, 0.002
CHUNK = 1 << 20


def main() -> int:
    """Measure, write, print; 1 where the two do not say the same."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--pairs", type=int, default=7, help="starts of each")
    asked.add_argument("--beside", default="nothing", help="what else works on this machine")
    told = asked.parse_args()
    settings = Settings.load(os.environ)
    at = engine.ensure(print)
    images = ensure(Catalogue(ROOT), list(SIDES), at, settings, print)
    result: dict[str, Any] = {"machine": _machine(), "beside": told.beside, "load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        rows = _model(folder)
        result["images"] = {side: _weighed(at.command, images[side], folder) for side in SIDES}
        runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
        for number in range(told.pairs):
            for side in list(SIDES)[:: -1 if number % 2 else 1]:
                runs[side].append(_started(at.command, images[side], SIDES[side], folder, rows))
                print(side, {key: each for key, each in runs[side][-1].items() if key != "values"}, flush=True)
    result["difference"] = max(
        abs(one - other)
        for first, second in zip(*runs.values(), strict=True)
        for one, other in zip(first.pop("values"), second.pop("values"), strict=True)
    )
    result |= {"runs": runs, "medians": _medians(runs), "load_after": os.getloadavg()[0]}
    file = ROOT / "bench/results/edge.json"
    file.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps({name: result[name] for name in ("images", "medians", "difference")}, indent=1))
    return int(result["difference"] > 1e-6)  # noqa: PLR2004  minutes


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "kernel": platform.release()}


def _model(folder: Path) -> list[list[float]]:
    """Write one version, as the training does; rows to ask about."""
    draw = np.random.default_rng(2013)
    features = draw.normal(10, 5, (20_000, COLUMNS)).astype(np.float32)
    label = 2.0 * features[:, 0] + 0.4 * (features[:, 1] - 10) ** 2 + draw.normal(0, 8, len(features))
    fitted = estimators.fitted(estimators.BOOSTING, Rows(features, label, np.zeros(len(features), np.int64)))
    content = export.converted(fitted, COLUMNS)
    version = folder / NAME / "1"
    version.mkdir(parents=True)
    (version / models.MODEL).write_bytes(content)
    names = tuple(f"column_{number}" for number in range(COLUMNS))
    card = models.Card(
        name=NAME, service="delay_v1", features=names, label="arrival_delay, minutes", kind="boosting",
        opset=export.opset(content), sha256=hashlib.sha256(content).hexdigest(), dataset={}, quality={},
    )  # fmt: skip
    models.write(card, version)
    return [[float(value) for value in row] for row in features[:REQUESTS]]


def _weighed(command: tuple[str, ...], image: str, scratch: Path) -> dict[str, Any]:
    """Bytes of an image: unpacked, layer by layer, as an archive that was packed; and its largest files."""
    told = json.loads(_run(command, "image", "inspect", image))[0]
    history = _run(command, "history", "--no-trunc", "--human=false", "--format", "{{.Size}}", image).split()
    container = _run(command, "create", image)
    archive = scratch / "root.tar"
    try:
        _run(command, "export", "-o", str(archive), container)
    finally:
        _run(command, "rm", container)
    packed = zlib.compressobj(6)
    with archive.open("rb") as file:
        size = sum(len(packed.compress(part)) for part in iter(lambda: file.read(CHUNK), b"")) + len(packed.flush())
    with tarfile.open(archive) as found:
        files = {each.name: each.size for each in found if each.isfile()}
    archive.unlink()
    largest = dict(sorted(files.items(), key=lambda each: -each[1])[:12])
    return {
        "bytes": told["Size"], "layers": [int(each) for each in history if each != "0"], "packed_bytes": size,
        "files": len(files), "largest": largest,
    }  # fmt: skip


def _started(
    command: tuple[str, ...], image: str, env: dict[str, str], folder: Path, rows: list[list[float]]
) -> dict[str, Any]:
    """One start: seconds until the first answer, memory after all rows, and the answers."""
    port = free_port()
    variables = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
    name = f"bench-edge-{port}"
    words = ["run", "--detach", "--name", name, f"--publish=127.0.0.1:{port}:8080", f"--volume={folder}:/models:ro"]
    begun = time.monotonic()
    running = subprocess.Popen([*command, *words, *variables, image], stdout=subprocess.DEVNULL)
    try:
        first = _until(lambda: _ask(port, rows[0]))
        taken, at = time.monotonic() - begun, _uptime()
        running.wait()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        values, seconds = [], []
        for row in rows:
            asked = time.perf_counter()
            values.append(_answer(connection, row))
            seconds.append(time.perf_counter() - asked)
        connection.close()
        assert values[0] == first  # noqa: S101  the same row, the same model
        return {
            "start_seconds": round(taken, 3), "program_seconds": round(at - _born(command, name), 2),
            "answer_seconds": round(statistics.median(seconds), 6), **_memory(command, name), "values": values,
        }  # fmt: skip
    finally:
        running.wait()
        _run(command, "rm", "--force", name)


def _until(look: Callable[[], float | None]) -> float:
    deadline = time.monotonic() + PATIENCE
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError("no answer")
        time.sleep(STEP)
    return found


def _ask(port: int, row: list[float]) -> float | None:
    """What is predicted; None: nothing yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        return _answer(connection, row)
    except (OSError, http.client.HTTPException, LookupError):
        return None
    finally:
        connection.close()


def _answer(connection: http.client.HTTPConnection, row: list[float]) -> float:
    tensor = {"name": models.INPUT, "shape": [1, len(row)], "datatype": "FP32", "data": row}
    connection.request("POST", f"/v2/models/{NAME}/infer", json.dumps({"inputs": [tensor]}).encode())
    return float(json.loads(connection.getresponse().read())["outputs"][0]["data"][0])


def _uptime() -> float:
    return float(Path("/proc/uptime").read_text().split()[0])


def _born(command: tuple[str, ...], name: str) -> float:
    """When the kernel began a container's process, in seconds of its uptime; the engine then still sets it up."""
    pid = _run(command, "inspect", "--format", "{{.State.Pid}}", name)
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    return int(ticks) / os.sysconf("SC_CLK_TCK")


def _memory(command: tuple[str, ...], name: str) -> dict[str, int]:
    """Bytes that all processes of a container hold: in all, and without what files could give back."""
    pids = _run(command, "top", name, "-o", "pid").split()[1:]
    found = {"resident_bytes": 0, "anonymous_bytes": 0}
    for pid in pids:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        found["resident_bytes"] += int(lines["VmRSS"].split()[0]) * 1024
        found["anonymous_bytes"] += int(lines["RssAnon"].split()[0]) * 1024
    return found


def _medians(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The middle of each figure, and of its ratio within the pairs: how many times as much the server takes."""
    names = list(runs["edge"][0])
    found: dict[str, Any] = {
        side: {name: statistics.median(each[name] for each in runs[side]) for name in names} for side in runs
    }
    pairs = list(zip(runs["serving"], runs["edge"], strict=True))
    found["ratio"] = {
        name: round(statistics.median(one[name] / other[name] for one, other in pairs), 2) for name in names
    }
    return found


def _run(command: tuple[str, ...], *words: str) -> str:
    return subprocess.run([*command, *words], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
