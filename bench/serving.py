"""The serving service beside its peers and a bare ASGI function, on one model, in turns.

    python bench/serving.py [--seconds 5] [--rounds 5] [--connections 16] [--only NAME] [--peers FOLDER]

V2 JSON, 1x32 FP32, and MLflow's JSON for its own server and ours beside it; each server on one core, the client on
another. Where `--peers` names a folder (build/bench-serving by default) with virtual environments `mlserver`, `mosec`,
`litserve`, `bentoml`, `ray` (ray[serve]), `mlflow` (and onnx), those are measured too; each needs its package and
onnxruntime. Every server's answers are held to those of onnxruntime itself before anything is measured.
Metrics are on, and tracing stays off (nothing takes the spans). Results go to bench/results/serving.json.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "bench"
sys.path[:0] = [str(ROOT / "services"), str(ROOT / "platform"), str(ROOT)]

from bench import serving_model as model  # noqa: E402  after the path
from bench.feature import CLIENT_CORE, cpu_seconds, free_port, server  # noqa: E402  after the path
from bench.feature_load import request  # noqa: E402  after the path

PEERS = ROOT / "build" / "bench-serving"
BODIES = 16
"""Different requests, taken in turn."""
GOALS = {"mlserver": 5.0, "mosec": 2.0, "floor": 0.7}
"""How many times the rate of each ours has to be."""
_V2 = f"/v2/models/{model.NAME}/infer"
_WARM_SECONDS = 0.5
_LOADING = (404, 503)
"""What a server may answer until its model is there."""


class Candidate(NamedTuple):
    """A server that is measured.

    Attributes:
        words: its program; `PORT` stands for its port.
        env: its environment, beside ours.
        path: where it takes requests.
        wire: what it is asked in: `v2`, or `mlflow`.
    """

    words: list[str]
    env: dict[str, str]
    path: str = _V2
    wire: str = "v2"


def candidates(models: Path, peers: Path, scratch: Path) -> Iterator[tuple[str, Candidate]]:
    """Name and program of each server that can be run here."""
    env = {"PYTHONPATH": f"{ROOT / 'services'}:{ROOT}", "BENCH_MODELS": str(models)}
    asgi = ["-m", "uvicorn", "bench.serving_floor:app", "--port", "PORT", "--no-access-log", "--log-level", "warning"]
    yield "floor", Candidate([sys.executable, *asgi], env)
    ours = {"TARMAC_PORT": "PORT", "TARMAC_MODELS": str(models), "TARMAC_TRACES": "", "TARMAC_LOG_LEVEL": "warning"}
    ours["TARMAC_GRPC_PORT"] = "0"
    serving = [sys.executable, "-m", "serving", "serve"]
    yield "tarmac", Candidate(serving, {**env, **ours})
    yield "tarmac-invocations", Candidate(serving, {**env, **ours}, f"/v2/models/{model.NAME}/invocations", "mlflow")
    alone = {"PYTHONPATH": str(HERE), "BENCH_MODELS": str(models)}
    python = peers / "mosec/bin/python"
    if python.exists():
        words = [str(python), "-P", str(HERE / "serving_mosec.py"), "--port", "PORT", "--address", "127.0.0.1"]
        yield "mosec", Candidate(words, alone, "/inference")
        yield "mosec-batching", Candidate(words, {**alone, "BENCH_BATCH": "32"}, "/inference")
    program = peers / "mlserver/bin/mlserver"
    if program.exists():
        yield (
            "mlserver",
            Candidate([str(program), "start", str(_mlserver(scratch))], {**alone, "MLSERVER_HTTP_PORT": "PORT"}),
        )
    python = peers / "litserve/bin/python"
    if python.exists():
        yield "litserve", Candidate([str(python), "-P", str(HERE / "serving_litserve.py"), "PORT"], alone)
    program = peers / "bentoml/bin/bentoml"
    if program.exists():
        words = [str(program), "serve", "serving_bentoml:Small", "--host", "127.0.0.1", "--port", "PORT"]
        home = {"BENTOML_HOME": str(scratch / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
        yield "bentoml", Candidate(words, {**alone, **home})
    python = peers / "ray/bin/python"
    if python.exists():
        words = [str(python), "-P", str(HERE / "serving_ray.py"), "PORT", str(scratch / "ray")]
        yield "ray", Candidate(words, {**alone, "RAY_USAGE_STATS_ENABLED": "0"})
    program = peers / "mlflow/bin/mlflow"
    if program.exists():
        folder = _mlflow(program, models, scratch)
        words = [
            str(program),
            "models",
            "serve",
            "--model-uri",
            str(folder),
            "--env-manager",
            "local",
            "--workers",
            "1",
        ]
        words += ["--host", "127.0.0.1", "--port", "PORT"]
        path = f"{program.parent}:{os.environ['PATH']}"  # it starts its server by name
        yield "mlflow", Candidate(words, {**alone, "PATH": path}, "/invocations", "mlflow")


def _mlserver(scratch: Path) -> Path:
    """Return a folder with MLServer's settings: everything in one process, as the others."""
    folder = scratch / "mlserver"
    folder.mkdir(exist_ok=True)
    settings = {"host": "127.0.0.1", "parallel_workers": 0, "metrics_endpoint": "/metrics", "debug": False}
    ports = {"grpc_port": free_port(), "metrics_port": free_port()}
    named = {"name": model.NAME, "implementation": "serving_mlserver.Small"}
    (folder / "settings.json").write_text(json.dumps({**settings, **ports}), "utf-8")
    (folder / "model-settings.json").write_text(json.dumps(named), "utf-8")
    return folder


def _mlflow(program: Path, models: Path, scratch: Path) -> Path:
    """Return the folder of the model as MLflow keeps it, written by MLflow itself."""
    folder = scratch / "mlflow"
    if not folder.exists():
        words = [str(program.with_name("python")), "-P", str(HERE / "serving_mlflow.py"), str(folder)]
        env = {**os.environ, "PYTHONPATH": "", "BENCH_MODELS": str(models)}
        subprocess.run(words, env=env, check=True, capture_output=True)
    return folder


def bodies(wire: str) -> list[bytes]:
    """Return what is asked."""
    rows = model.rows(BODIES)
    if wire == "mlflow":
        return [json.dumps({"inputs": [row]}).encode() for row in rows]
    tensor = {"name": model.INPUT, "shape": [1, model.COLUMNS], "datatype": "FP32"}
    return [json.dumps({"inputs": [{**tensor, "data": row}]}).encode() for row in rows]


def prediction(answer: Any, wire: str) -> float:  # noqa: ANN401  JSON
    """Return the number in an answer."""
    if wire == "v2":
        return float(answer["outputs"][0]["data"][0])
    found = answer["predictions"]
    rows = found[model.OUTPUT] if isinstance(found, dict) else found  # MLflow names a model's outputs
    return float(np.ravel(rows)[0])


def expected(models: Path) -> list[float]:
    """Return what onnxruntime itself says."""
    path = str(models / model.NAME / "1/model.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [float(session.run(None, {model.INPUT: np.array([row], np.float32)})[0][0, 0]) for row in model.rows(BODIES)]


def answered(port: int, path: str, wire: str) -> list[float]:
    """Return what a server says to each of the bodies; it is asked until it is ready."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return [_asked(port, path, body, wire) for body in bodies(wire)]
        except urllib.error.HTTPError as failure:
            if failure.code not in _LOADING or time.monotonic() > deadline:
                raise SystemExit(f"{path}: {failure.code} {failure.read(500)!r}") from None
            time.sleep(0.2)
        except OSError:  # nobody listens yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _asked(port: int, path: str, body: bytes, wire: str) -> float:
    kind = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, kind, method="POST")
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310  our own address
        return prediction(json.loads(answer.read()), wire)


def load(at: tuple[int, int], connections: int, seconds: float, files: list[str]) -> dict[str, Any]:
    """Measure a server: what its callers see, and the CPU that each request costs it."""
    port, pid = at
    words = [sys.executable, str(HERE / "serving_load.py"), "127.0.0.1", str(port), str(connections), str(seconds)]
    before = cpu_seconds(pid)
    done = subprocess.run(
        ["taskset", "--cpu-list", CLIENT_CORE, *words, *files], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    spent = cpu_seconds(pid) - before
    found["cpu_ms"] = round(1000 * spent / max(found["requests"], 1), 4)
    found["rate_of_a_core"] = round(found["requests"] / spent, 1) if spent else None
    return found


def files(scratch: Path, path: str, wire: str) -> list[str]:
    """Write the requests for a path as they go over the wire; where they are."""
    found = []
    for number, body in enumerate(bodies(wire)):
        file = scratch / f"{path.strip('/').replace('/', '-')}-{number}"
        file.write_bytes(request("127.0.0.1", path, body))
        found.append(str(file))
    return found


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure every server in turns; name -> rounds of figures."""
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        models = folder / "models"
        model.write(models)
        right = expected(models)
        for turn in range(asked.rounds):
            for name, each in candidates(models, asked.peers, folder):
                if asked.only not in name:
                    continue
                with server(each.words, each.env) as (port, pid):
                    _hold(name, answered(port, each.path, each.wire), right)
                    sent = files(folder, each.path, each.wire)
                    load((port, pid), asked.connections, _WARM_SECONDS, sent)
                    found.setdefault(name, []).append(load((port, pid), asked.connections, asked.seconds, sent))
                last = found[name][-1]
                print(f"round {turn + 1} {name}: {last['rate']}/s p99 {last['p99_ms']} ms", flush=True)
    return {"servers": found}


def _hold(name: str, told: list[float], right: list[float]) -> None:
    if not np.allclose(told, right, rtol=1e-5, atol=1e-6):
        raise SystemExit(f"{name} answers {told}, onnxruntime {right}")


def judged(found: dict[str, Any]) -> dict[str, Any]:
    """Put medians and goals beside what was measured."""
    rates = {name: statistics.median(each["rate"] for each in rounds) for name, rounds in found["servers"].items()}
    found["median_rate"] = rates
    found["failures"] = {name: sum(each["failures"] for each in rounds) for name, rounds in found["servers"].items()}
    if "tarmac" in rates:
        times = {name: round(rates["tarmac"] / max(rate, 0.01), 2) for name, rate in rates.items() if name != "tarmac"}
        found["times"] = times
        found["met"] = {name: times[name] >= goal for name, goal in GOALS.items() if name in times}
    found["load_average"] = os.getloadavg()
    return found


def main() -> None:
    """Measure, judge, and keep the result."""
    parser = argparse.ArgumentParser(description="The serving service beside its peers.")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--only", default="", help="servers whose name holds this text; the result is only printed")
    parser.add_argument("--peers", type=Path, default=PEERS, help="folder with the peers' environments")
    parser.add_argument("--dry", action="store_true", help="only print the result")
    asked = parser.parse_args()
    result = judged(measure(asked))
    result["machine"] = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    result["setting"] = {"connections": asked.connections, "seconds": asked.seconds, "rounds": asked.rounds}
    text = json.dumps(result, indent=1)
    print(text)
    if not (asked.only or asked.dry):
        (HERE / "results" / "serving.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
