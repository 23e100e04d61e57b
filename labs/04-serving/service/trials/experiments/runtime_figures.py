"""What a whole server costs beside the bare runtime: bytes on the disk, memory, and seconds to the first answer."""

import re
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from contracts.models import MODEL as FILE
from runtime.figures import Result, rounded, row
from trials import children, graphs
from trials.asks import ask
from trials.caller import Caller
from trials.stage import NotThere, Stage

MODEL = "trial-runtime"
SERVER = (
    "grpcio", "httptools", "httpx", "kafka-python", "msgspec", "numpy", "onnx", "onnxruntime",
    "opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk", "prometheus-client", "uvicorn", "uvloop",
)  # fmt: skip
"""What the server asks for; each brings what it needs itself."""
BARE = ("onnxruntime",)
_ROW = [1.0, 2.0, 3.0, 4.0]
_CALLS, _RUNS = 100, 3
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def runtime_figures(stage: Stage) -> Result:
    """Start both with the same model, and see what each takes and how fast it answers.

    Raises:
        NotThere: one of them does not start.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        children.put(folder, MODEL, graphs.adding())
        starts = [_server(stage, folder) for _ in range(_RUNS)]
        bares = [_bare(folder / MODEL / "1" / FILE) for _ in range(_RUNS)]
    full, bare = (min(each, key=lambda one: one["start_seconds"]) for each in (starts, bares))
    return {
        "settings": {},
        "server": {**full, "installed_bytes": installed(SERVER)},
        "bare": {**bare, "installed_bytes": installed(BARE)},
        "figures": [
            row("server", "recommendation", seconds=[full["answer_seconds"]], recovery=full["start_seconds"]),
            row("bare runtime", "weather", seconds=[bare["answer_seconds"]], recovery=bare["start_seconds"]),
        ],
    }


def installed(names: tuple[str, ...]) -> int:
    """Bytes of packages and of all that they need, as far as it is there."""
    return sum(_size(each) for each in _needed(names))


def _needed(names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            wanted = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        plain = [each for each in wanted if "extra ==" not in each]
        waiting += [match[0] for each in plain if (match := _NAME.match(each))]
    return found


def _size(name: str) -> int:
    files = [Path(str(each.locate())) for each in metadata.files(name) or ()]
    return sum(each.stat().st_size for each in files if each.is_file())


def _server(stage: Stage, folder: Path) -> dict[str, Any]:
    child = children.server(stage, folder)
    begun = time.monotonic()
    with child, Caller(child.address) as caller:
        stage.until(lambda: caller.ask(ask(MODEL, [_ROW])).good or None, "an answer of the server", 30)
        started = time.monotonic() - begun
        seconds = sorted(caller.ask(ask(MODEL, [_ROW])).seconds for _ in range(_CALLS))
        return _told(started, child.resident(), seconds[_CALLS // 2])


def _bare(model: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "trials.bare", str(model)]
    begun = time.monotonic()
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  our own
        if not _predicted(process):
            raise NotThere("the bare runtime gave no prediction", "see the conductor's log")
        started = time.monotonic() - begun
        seconds = []
        for _ in range(_CALLS):
            asked = time.perf_counter()
            _predicted(process)
            seconds.append(time.perf_counter() - asked)
        memory = children.resident(process.pid)
        if process.stdin:
            process.stdin.close()
    return _told(started, memory, sorted(seconds)[_CALLS // 2])


def _predicted(process: "subprocess.Popen[str]") -> str:
    if process.stdin is None or process.stdout is None:
        return ""
    process.stdin.write(" ".join(map(str, _ROW)) + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def _told(started: float, memory: int, answer: float) -> dict[str, Any]:
    return {
        "start_seconds": rounded(started, 2),
        "resident_bytes": memory,
        "answer_seconds": rounded(answer, 6),
    }
