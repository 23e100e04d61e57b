"""Commands that put the registry right: `lab up` leaves models and aliases as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.diagnose.accuracy import healthy
from lab.diagnose.causes import root
from lab.diagnose.causes.model import Blame
from lab.diagnose.faults import acts
from lab.diagnose.faults.healthy import clone
from lab.diagnose.faults.world import WARN
from lab.spec import Course
from unit.diagnose.independent.scene import Scene

ROOT = Path(__file__).resolve().parents[3]
STATES = {name: state for name, _, state in healthy(Course(ROOT, drafts=False))}
MODEL = "delay-boosting"
MOVED = "set_registered_model_alias('delay-boosting', '{}', '{}')"
RESET, UP, BACK = "lab reset 04", "lab up 04", "lab release back"


@pytest.fixture
def scene() -> Scene:
    """Return lab 04 as it is solved: no release is under way."""
    return Scene(clone(STATES["04 solved"]), WARN)


def _blamed(scene: Scene, code: str) -> Blame:
    found = root(scene.state)
    assert found
    assert found.cause.code == code
    return found


def _holds(scene: Scene, versions: list[int], **aliases: str) -> None:
    scene.state["models"][MODEL] = {"aliases": aliases, "versions": versions}


def _refuses(scene: Scene, version: str) -> None:
    labels = {"model": MODEL} | ({"version": version} if version else {})
    scene.health["figures"]["models_refused"] = [{"labels": labels, "value": 1.0}]


def _releases(scene: Scene, version: str, phase: str) -> None:
    route = next(each for each in scene.state["objects"] if "tarmac.dev/release" in _notes(each))
    plan = {"model": MODEL, "version": version}
    route["metadata"]["annotations"]["tarmac.dev/release"] = json.dumps({"plan": plan, "phase": phase})


def _notes(item: dict[str, dict[str, dict[str, str]]]) -> dict[str, str]:
    return item["metadata"].get("annotations", {})


@pytest.mark.parametrize(
    ("versions", "aliases", "mend"),
    [
        ([1, 2, 3], {"champion": "3"}, MOVED.format("champion", 2)),
        ([1, 2, 3], {"champion": "1", "challenger": "3"}, MOVED.format("challenger", 2)),
        ([9, 10, 3], {"champion": "3"}, MOVED.format("champion", 10)),
        ([1, 2, 3, 4], {"champion": "3"}, MOVED.format("champion", 2)),
        ([3], {"champion": "3"}, RESET),
    ],
)
def test_a_refused_version_is_left_by_its_alias(
    scene: Scene, versions: list[int], aliases: dict[str, str], mend: str
) -> None:
    """For one from before, the newest where there is none; the start is put back where it is the only one."""
    _holds(scene, versions, **aliases)
    _refuses(scene, "3")
    assert mend in _blamed(scene, "TD-MODEL-REFUSED").mend


@pytest.mark.parametrize(
    ("phase", "mend"),
    [("running", BACK), ("paused", BACK), ("promoting", BACK), ("promoted", MOVED.format("champion", 2))],
)
def test_a_release_under_way_is_ended(scene: Scene, phase: str, mend: str) -> None:
    """The way back is the release's, as long as it is one."""
    _holds(scene, [1, 2, 3], champion="3")
    _refuses(scene, "3")
    _releases(scene, "3", phase)
    assert mend in _blamed(scene, "TD-MODEL-REFUSED").mend


def test_a_name_that_means_something_to_a_shell_is_in_no_command(scene: Scene) -> None:
    """The start is put back instead."""
    scene.state["models"]["$(true)"] = {"aliases": {"champion": "7"}, "versions": [1]}
    assert _blamed(scene, "TD-ALIAS-WRONG").mend == RESET


def test_a_record_that_somebody_spoilt_is_none(scene: Scene) -> None:
    """The diagnosis goes on without it."""
    route = next(each for each in scene.state["objects"] if "tarmac.dev/release" in _notes(each))
    route["metadata"]["annotations"]["tarmac.dev/release"] = "{"
    _holds(scene, [1, 2, 3], champion="3")
    _refuses(scene, "3")
    assert MOVED.format("champion", 2) in _blamed(scene, "TD-MODEL-REFUSED").mend


def test_a_recording_that_does_not_name_the_version_is_told_too(scene: Scene) -> None:
    """Bundles of earlier versions name the model only."""
    _refuses(scene, "")
    assert _blamed(scene, "TD-MODEL-REFUSED").mend == BACK


def _points_nowhere(scene: Scene) -> None:
    _holds(scene, [1, 2], champion="7")


def _lacks_the_champion(scene: Scene) -> None:
    _holds(scene, [1, 2], challenger="2")


def _is_deleted(scene: Scene) -> None:
    del scene.state["models"][MODEL]


def _is_misspelt(scene: Scene) -> None:
    scene.env(acts.STABLE, "TARMAC_DEFAULT_MODEL", "delay-bosting")


def _alias_is_misspelt(scene: Scene) -> None:
    scene.env(acts.STABLE, "TARMAC_ALIAS", "champoin")


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        (_points_nowhere, MOVED.format("champion", 2)),
        (_lacks_the_champion, MOVED.format("champion", 2)),
        (_is_deleted, RESET),
        (_is_misspelt, UP),
        (_alias_is_misspelt, UP),
    ],
)
def test_an_alias_is_mended_where_it_is_wrong(scene: Scene, wrong: Callable[[Scene], None], mend: str) -> None:
    """In the registry, or in the settings of who asks for it."""
    wrong(scene)
    assert mend in _blamed(scene, "TD-ALIAS-WRONG").mend


def test_a_card_that_its_model_contradicts_is_left(scene: Scene) -> None:
    """By the alias that names the version; a service of other definitions is mended by `lab up`."""
    _holds(scene, [1, 2], champion="2")
    told = f"model {MODEL} version 2: its tensors are of 11 columns: it contradicts its card"
    scene.utter(acts.STABLE.place, scene.line("serving.repository", told, "error"))
    assert MOVED.format("champion", 1) in _blamed(scene, "TD-SIGNATURE-MISMATCH").mend
