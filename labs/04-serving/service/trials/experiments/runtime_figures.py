"""What a whole server costs beside the edge program: bytes on the disk, memory, and seconds to the first answer."""

import re
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from runtime.figures import Result, rounded, row
from trials import children, graphs
from trials.asks import Answer, ask
from trials.caller import Caller
from trials.children import Child
from trials.stage import Stage

MODEL = "trial-runtime"
SERVER = (
    "grpcio", "httptools", "httpx", "kafka-python", "msgspec", "numpy", "onnx", "onnxruntime",
    "opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk", "prometheus-client", "uvicorn", "uvloop",
)  # fmt: skip
"""What the server asks for; each brings what it needs itself. Python is not counted."""
_ROW = [1.0, 2.0, 3.0, 4.0]
_CALLS, _RUNS = 100, 3
_PATIENCE, _STEP = 30.0, 0.005
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Run(NamedTuple):
    """One start.

    Attributes:
        started: seconds from its start to its first answer.
        resident: bytes of memory that it then held, after some more answers.
        answer: seconds that half of these took at most.
        mapped: bytes of the files that it ran from.
        value: that it predicted.
    """

    started: float
    resident: int
    answer: float
    mapped: int
    value: float

    def told(self, installed: int) -> dict[str, Any]:
        """The figures, with the bytes that have to be installed."""
        return {
            "start_seconds": rounded(self.started, 3),
            "resident_bytes": self.resident,
            "answer_seconds": rounded(self.answer, 6),
            "installed_bytes": installed,
        }


def runtime_figures(stage: Stage) -> Result:
    """Start both in turns with the same model, and see what each takes, how fast it answers and what it says.

    Raises:
        NotThere: one of them does not start.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        children.put(folder, MODEL, graphs.adding())
        pairs = [(_run(stage, children.server, folder), _run(stage, children.edge, folder)) for _ in range(_RUNS)]
    server, edge = (min(runs, key=lambda run: run.started) for runs in zip(*pairs, strict=True))
    return {
        "settings": {},
        "server": server.told(installed(SERVER)),
        "edge": edge.told(edge.mapped),
        "difference": abs(server.value - edge.value),
        "figures": [
            row("server", "recommendation", seconds=[server.answer], recovery=server.started),
            row("edge", "weather", seconds=[edge.answer], recovery=edge.started),
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


def _run(stage: Stage, made: Callable[[Stage, Path], Child], folder: Path) -> Run:
    child = made(stage, folder)
    with Caller(child.address) as caller, ExitStack() as afterwards:
        afterwards.callback(child.end)
        begun = time.monotonic()
        child.launch()
        first = stage.until(lambda: _answer(child, caller), f"an answer of {child.title}", _PATIENCE, _STEP)
        started = time.monotonic() - begun
        seconds = sorted(caller.ask(ask(MODEL, [_ROW])).seconds for _ in range(_CALLS))
        return Run(started, child.resident(), seconds[_CALLS // 2], child.mapped(), first.values[0])


def _answer(child: Child, caller: Caller) -> Answer | None:
    child.check()
    answer = caller.ask(ask(MODEL, [_ROW]))
    return answer if answer.good else None
