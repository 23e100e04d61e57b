"""Programs that are not ours, as fakes on PATH: each writes down how it was called, then does what it is told to.

A fake is a Python file; `record` is what it appends to the log: program, arguments, environment and more.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

_HEAD = """#!{python} -S
import json, os, pathlib, sys, time
STATE = pathlib.Path({state!r})
NAME, ARGS = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
def record(**more):
    with (STATE / "log").open("a") as log:
        log.write(json.dumps({{"program": NAME, "args": ARGS, "env": dict(os.environ), **more}}) + "\\n")
def told(what):
    path = STATE / what
    return path.read_text() if path.exists() else ""
def fail(words):
    sys.stderr.write(words + "\\n")
    sys.exit(1)
def after(option):
    return ARGS[ARGS.index(option) + 1]
"""


class Wire:
    """The fakes of one test.

    Args:
        folder: empty; holds programs and their state.

    """

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.state = folder / "state"
        self.programs.mkdir(parents=True)
        self.state.mkdir()

    def program(self, name: str, body: str) -> Path:
        """Put a program on PATH."""
        path = self.programs / name
        path.write_text(_HEAD.format(python=sys.executable, state=str(self.state)) + body)
        path.chmod(0o755)
        return path

    def tell(self, what: str, words: str) -> None:
        """Tell the programs something for their next calls; empty words take it back."""
        (self.state / what).write_text(words)

    def calls(self, program: str, *first: str) -> list[dict[str, Any]]:
        """Return the calls of a program so far whose arguments begin with the given ones."""
        log = self.state / "log"
        every = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [each for each in every if each["program"] == program and each["args"][: len(first)] == list(first)]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *, alone: bool = False) -> Wire:
    """Return fakes in front of PATH, or in place of it."""
    wire = Wire(folder)
    monkeypatch.setenv("PATH", str(wire.programs) if alone else f"{wire.programs}{os.pathsep}{os.environ['PATH']}")
    return wire
