"""Each lab as its files describe it, with the states recorded from a real cluster."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.checks import Check, Text
from lab.checks.loader import load

_LABS = Path(__file__).parents[3] / "labs"


@dataclass(frozen=True)
class Exercise:
    """What `lab.yaml` says of an exercise, as far as checks need it."""

    id: str
    title: Text
    check: str


@pytest.fixture(scope="session", params=sorted(path.parent.name for path in _LABS.glob("*/lab.yaml")))
def folder(request: pytest.FixtureRequest) -> Path:
    """Return each lab's folder in turn."""
    return _LABS / str(request.param)


@pytest.fixture(scope="session")
def code(folder: Path) -> str:
    """Return the lab's number, as commands write it."""
    return folder.name[:2]


@pytest.fixture(scope="session")
def exercises(folder: Path) -> list[Exercise]:
    """Return the lab's exercises."""
    entries = yaml.safe_load((folder / "lab.yaml").read_text("utf-8"))["exercises"]
    return [Exercise(entry["id"], Text(**entry["title"]), entry["check"]) for entry in entries]


@pytest.fixture(scope="session")
def checks(folder: Path, exercises: list[Exercise]) -> Mapping[str, Check]:
    """Return each exercise's check."""
    return load(folder, exercises)


@pytest.fixture(scope="session")
def start(folder: Path) -> dict[str, Any]:
    """Return the state recorded before the trainee has done anything."""
    return dict(json.loads((folder / "bundles/start.json").read_text("utf-8")))


@pytest.fixture(scope="session")
def solved(folder: Path) -> dict[str, Any]:
    """Return the state recorded after `lab solve`."""
    return dict(json.loads((folder / "bundles/solved.json").read_text("utf-8")))
