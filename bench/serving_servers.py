"""The servers of the serving benchmarks: ours, a bare ASGI function, and peers in environments of their own.

`peers` is a folder with virtual environments `mlserver`, `mosec`, `litserve`, `bentoml`, `ray` (ray[serve]) and
`mlflow` (and onnx), each with its package and onnxruntime; what is not there is not measured.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench import serving_model as model
from bench.feature import free_port

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_ROWS = 128
"""That a run of several requests may have where the race is about batches: for everybody what ours may by default."""


class Candidate(NamedTuple):
    """A server that is measured.

    Attributes:
        words: its program; `PORT` stands for its port.
        env: its environment, beside ours.
        path: where it takes requests.
        wire: what it is asked in: `v2`, `mlflow`, `binary` (V2's extension for tensors) or `raw` (their bytes alone).
        model: that answers there.
    """

    words: list[str]
    env: dict[str, str]
    path: str
    wire: str = "v2"
    model: str = model.NAME


class Bench(NamedTuple):
    """What all candidates of a benchmark share.

    Attributes:
        models: folder of the models.
        peers: folder of the peers' environments.
        scratch: folder for what they write.
        traces: address that takes our spans; empty: none are sent.
    """

    models: Path
    peers: Path
    scratch: Path
    traces: str = ""

    def single(self) -> Iterator[tuple[str, Candidate]]:
        """Give name and program of each server, for one small row at a time."""
        yield "floor", self.floor()
        yield "tarmac", self.ours()
        invocations = f"/v2/models/{model.NAME}/invocations"
        yield "tarmac-invocations", self.ours()._replace(path=invocations, wire="mlflow")
        for name in ("mosec", "mlserver", "litserve", "bentoml", "ray"):
            yield from self.peer(name)
        yield from self.peer("mosec", batch=32)
        yield from self._mlflow()

    def tensors(self) -> Iterator[tuple[str, Candidate]]:
        """Give name and program of each server, for tensors of 128 KiB."""
        yield "tarmac-binary", self.ours()._replace(wire="binary")
        yield "floor-raw", self.floor("raw")
        yield from self.peer("mosec", wire="raw")
        yield from self.peer("mlserver", suffix="tensor")

    def batching(self) -> Iterator[tuple[str, Candidate]]:
        """Give name and program of each server that makes one run of several requests, for the model of many steps."""
        yield "tarmac", self.ours(model.STEPS)
        for name in ("mosec", "mlserver", "litserve", "ray"):
            yield from self.peer(name, model.STEPS, batch=_ROWS)
        yield from self.peer("mosec", model.STEPS)

    def ours(self, name: str = model.NAME, **settings: str) -> Candidate:
        """Return our server; `settings` are its own variables."""
        told = {
            "PYTHONPATH": f"{ROOT / 'services'}:{ROOT}", "TARMAC_PORT": "PORT", "TARMAC_GRPC_PORT": "0",
            "TARMAC_MODELS": str(self.models), "TARMAC_TRACES": self.traces, "TARMAC_LOG_LEVEL": "warning",
        }  # fmt: skip
        return Candidate([sys.executable, "-m", "serving", "serve"], {**told, **settings}, _path(name), model=name)

    def floor(self, wire: str = "v2") -> Candidate:
        """Return the bare function."""
        asgi = [
            "-m",
            "uvicorn",
            "bench.serving_floor:app",
            "--port",
            "PORT",
            "--no-access-log",
            "--log-level",
            "warning",
        ]
        env = {"PYTHONPATH": f"{ROOT / 'services'}:{ROOT}", "BENCH_MODELS": str(self.models), "BENCH_WIRE": wire}
        return Candidate([sys.executable, *asgi], env, _path(model.NAME), wire)

    def peer(
        self, name: str, asked: str = model.NAME, *, batch: int = 1, wire: str = "v2", suffix: str = ""
    ) -> Iterator[tuple[str, Candidate]]:
        """Give a peer, where its environment is there."""
        programs = {"mlserver": "mlserver", "bentoml": "bentoml"}
        program = self.peers / name / "bin" / programs.get(name, "python")
        if not program.exists():
            return
        scratch = self.scratch / name
        script = [str(program), "-P", str(HERE / f"serving_{name}.py")]
        words, env = {
            "mosec": ([*script, "--port", "PORT", "--address", "127.0.0.1"], {}),
            "mlserver": ([str(program), "start", str(scratch)], {"MLSERVER_HTTP_PORT": "PORT"}),
            "litserve": ([*script, "PORT"], {}),
            "bentoml": (
                [str(program), "serve", "bench.serving_bentoml:Model", "--host", "127.0.0.1", "--port", "PORT"],
                {"BENTOML_HOME": str(scratch), "BENTOML_DO_NOT_TRACK": "True"},
            ),
            "ray": ([*script, "PORT", str(scratch)], {"RAY_USAGE_STATS_ENABLED": "0"}),
        }[name]
        if name == "mlserver":
            _mlserver(scratch, asked, batch)
        told = {"BENCH_MODELS": str(self.models), "BENCH_MODEL": asked, "BENCH_BATCH": str(batch), "BENCH_WIRE": wire}
        path = "/inference" if name == "mosec" else _path(asked)
        label = "-".join(
            filter(None, (name, suffix or (wire if wire != "v2" else ""), "batching" if batch > 1 else ""))
        )
        yield label, Candidate(words, {"PYTHONPATH": str(ROOT), **told, **env}, path, wire, asked)

    def _mlflow(self) -> Iterator[tuple[str, Candidate]]:
        """Give MLflow's own server, with the small model as MLflow keeps it."""
        program = self.peers / "mlflow/bin/mlflow"
        if not program.exists():
            return
        folder = self.scratch / "mlflow"
        if not folder.exists():
            words = [str(program.with_name("python")), "-P", str(HERE / "serving_mlflow.py"), str(folder)]
            env = {**os.environ, "PYTHONPATH": "", "BENCH_MODELS": str(self.models)}
            subprocess.run(words, env=env, check=True, capture_output=True)
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
        path = f"{program.parent}:{os.environ['PATH']}"  # it starts its server by name
        words += ["--host", "127.0.0.1", "--port", "PORT"]
        yield "mlflow", Candidate(words, {"PYTHONPATH": str(ROOT), "PATH": path}, "/invocations", "mlflow")


def _path(name: str) -> str:
    return f"/v2/models/{name}/infer"


def _mlserver(folder: Path, name: str, batch: int) -> None:
    """Write MLServer's settings: everything in one process, as the others."""
    folder.mkdir(exist_ok=True)
    settings = {"host": "127.0.0.1", "parallel_workers": 0, "metrics_endpoint": "/metrics", "debug": False}
    ports = {"grpc_port": free_port(), "metrics_port": free_port()}
    named: dict[str, object] = {"name": name, "implementation": "bench.serving_mlserver.Model"}
    if batch > 1:
        named |= {"max_batch_size": batch, "max_batch_time": 0.001}
    (folder / "settings.json").write_text(json.dumps({**settings, **ports}), "utf-8")
    (folder / "model-settings.json").write_text(json.dumps(named), "utf-8")
