"""The edge program, compiled as for its image, as a process of its own on the library that Python's package holds."""

from __future__ import annotations

import os
import subprocess
from importlib import metadata
from pathlib import Path

from contract.charts.rendering import SETTINGS
from integration.serving.processes import Server, free_port
from lab.tools import golang

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "services/edge"
READY = "/v2/health/ready"


def built(folder: Path) -> Path:
    """Compile the program into a folder."""
    golang.build(SETTINGS, lambda _: None, SOURCE, ".", folder / "edge", "-mod=readonly")
    return folder / "edge"


def library() -> Path:
    """Return onnxruntime's library, the one that the full server's package brings."""
    (file,) = (each for each in metadata.files("onnxruntime") or () if each.name.startswith("libonnxruntime.so"))
    return Path(str(file.locate()))


class Edge(Server):
    """The program over the one model in a folder; it is asked as the full server is."""

    def __init__(self, program: Path, models: Path, **settings: str) -> None:
        self.models = models
        self.port = free_port()
        told = {
            "TARMAC_PORT": str(self.port), "TARMAC_MODELS": str(models), "TARMAC_LIBRARY": str(library()), **settings,
        }  # fmt: skip
        bare = {name: value for name, value in os.environ.items() if not name.startswith("TARMAC_")}
        self.process = subprocess.Popen([program], env={**bare, **told}, stderr=subprocess.PIPE)

    def refusal(self) -> str:
        """Wait until it ends by itself; its last words."""
        assert self.process.wait(30) == 2
        _, told = self.process.communicate()
        return str(told.decode())
