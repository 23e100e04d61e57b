"""`lab ci`: the steps over a program that answers as `lab` does, and the two reports of how they went."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from lab.ci import STEPS, Outcome, junit, markdown, prove
from lab.spec import Course
from lab.text import Text

_ROOT = Path(__file__).resolve().parents[3]
_NAMES = [step.name for step in STEPS if step.name != "begin anew"]
"""Steps on a machine without a cluster."""
_SOUND = {"sound": True, "survivors": [], "refused": [], "done_at_start": []}
_START = {"lab": "01", "digest": "d1", "sections": {"objects": ["Deployment/centre (lab-01): 12ab"], "topics": []}}
_ANSWERS: dict[str, list[tuple[int, Any]]] = {
    "status": [(0, {"status": "absent", "lab": None})],
    "up": [(0, {"verdict": "converged"})],
    "budget": [(1, {"figures": {"seconds": {"verdict": "unmeasured", "measured": None, "declared": 90}}})],
    "check": [
        (1, {"results": [{"exercise": "edge", "passed": False, "reason": {"en": "no answer"}}]}),
        (0, {"results": [{"exercise": "edge", "passed": True, "reason": None}]}),
        (1, {"results": [{"exercise": "edge", "passed": False, "reason": {"en": "no answer"}}]}),
    ],
    "solve": [(0, {"verdict": "solved"})],
    "mutants": [(0, {"01": _SOUND})],
    "reset": [(0, {"verdict": "clean", "residue": []})],
    "fingerprint": [(0, _START), (0, {"lab": "01", "equal": True, "differences": []})],
}
"""What a lab's commands answer, in the order in which they are asked."""
_DIFFERS = {
    "lab": "01", "equal": False,
    "differences": ["+ groups: left-behind: lab-01.jobs", "- topics: lab-01.jobs: 3 partitions"],
}  # fmt: skip
_PROGRAM = """
import json, sys
from pathlib import Path
folder = Path(sys.argv[1]) / sys.argv[2]
number = len(list(folder.glob("asked-*")))
options = sys.argv[3:]
if "--against" in options:
    file = Path(options.pop())
    assert options.pop() == "--against", options
    (folder / "against").write_text(file.read_text())
assert options == (["01"] if sys.argv[2] != "status" else []) + ["--output", "json"], sys.argv
(folder / f"asked-{number}").touch()
code, answer = json.loads((folder / "answers").read_text())[number]
print(json.dumps(answer) if code != 5 else "")
sys.exit(code or (print("node is away", file=sys.stderr) or code))
"""


def _unsound(**told: list[Any]) -> dict[str, list[tuple[int, Any]]]:
    """Return what `lab mutants` answers where checks did not stand the test."""
    return {"mutants": [(1, {"01": {**_SOUND, "sound": False, **told}})]}


def _proved(folder: Path, **answers: list[tuple[int, Any]]) -> list[Outcome]:
    """Prove lab 01 with a program that gives these answers."""
    for command, told in {**_ANSWERS, **answers}.items():
        (folder / command).mkdir()
        (folder / command / "answers").write_text(json.dumps(told))
    said: list[Text] = []
    return list(prove("01", said.append, (sys.executable, "-c", _PROGRAM, str(folder))))


def test_a_lab_that_is_right_passes_every_step(tmp_path: Path) -> None:
    """Eleven steps, in their order, none with a complaint; the two starts are compared."""
    outcomes = _proved(tmp_path)
    assert [each.step for each in outcomes] == _NAMES
    assert len(_NAMES) == 11
    assert all(each.passed for each in outcomes), outcomes
    assert json.loads((tmp_path / "fingerprint/against").read_text()) == _START


@pytest.mark.parametrize("status", ["running", "stopped", "broken"])
def test_where_a_cluster_was_the_lab_begins_anew(tmp_path: Path, status: str) -> None:
    """What labs have left in it is no part of the start that the last one is compared with."""
    again = [(0, {"status": status, "lab": "02"})]
    outcomes = _proved(tmp_path, status=again, reset=_ANSWERS["reset"] * 2)
    assert [each.step for each in outcomes] == [step.name for step in STEPS]
    assert _names(outcomes).index("converge") + 1 == _names(outcomes).index("begin anew")
    assert _names(outcomes).index("begin anew") < _names(outcomes).index("start is recorded")
    assert all(each.passed for each in outcomes), outcomes


def _names(outcomes: list[Outcome]) -> list[str]:
    return [each.step for each in outcomes]


@pytest.mark.parametrize(
    ("answers", "step", "words"),
    [
        ({"up": [(5, None)]}, "converge", "exit code 5"),
        (
            {"budget": [(1, {"figures": {"disk_mib": {"verdict": "exceeded", "measured": 9, "declared": 8}}})]},
            "budget holds",
            "budget.disk_mib: 9 measured, 8 declared",
        ),
        ({"check": [_ANSWERS["check"][1]]}, "start is open", "edge: done before anybody did it"),
        ({"check": [_ANSWERS["check"][0]] * 3}, "solution passes", "edge: no answer"),
        (_unsound(survivors=[{"id": "m1"}]), "mutants are killed", "m1 survives"),
        (_unsound(refused=[{"id": "a1", "refused_by": ["e.c"]}]), "mutants are killed", "a1 is right"),
        (_unsound(done_at_start=["edge"]), "mutants are killed", "edge: done at"),
        (_unsound(), "mutants are killed", "no mutant"),
        ({"reset": [(0, {"verdict": "clean", "residue": ["topic x"]})]}, "reset leaves nothing", "topic x"),
        ({"solve": [(0, {})]}, "solve", "no answer that can be read"),
        ({"fingerprint": [(0, {**_START, "sections": {"objects": []}})]}, "start is recorded", "nothing that a lab"),
        ({"fingerprint": [(0, _START), (1, _DIFFERS)]}, "start is as before", "- topics: lab-01.jobs: 3 partitions"),
        ({"fingerprint": [(0, _START), (1, _DIFFERS)]}, "start is as before", "+ groups: left-behind: lab-01.jobs"),
    ],
    ids=[
        "converge",
        "budget",
        "start",
        "solution",
        "mutants",
        "alternatives",
        "start-recorded",
        "none",
        "reset",
        "unreadable",
        "fingerprint-empty",
        "start-lacks",
        "start-has-more",
    ],
)
def test_what_fails_is_named_and_the_lab_is_reset(
    tmp_path: Path, answers: dict[str, list[tuple[int, Any]]], step: str, words: str
) -> None:
    """The step that fails says why; those after it are left out, but for the reset."""
    outcomes = {each.step: each for each in _proved(tmp_path, **answers)}
    failed = outcomes[step]
    assert failed.wrong
    assert words in "\n".join(failed.wrong)
    after = _NAMES[_NAMES.index(step) + 1 :]
    assert {name: outcomes[name].wrong is None for name in after} == {
        name: name != "reset leaves nothing" for name in after
    }


_OUTCOMES = [
    Outcome("01", "converge", 60.0, ()),
    Outcome("01", "start is open", 2.5, ("edge: done before anybody did it", "and <more>")),
    Outcome("01", "solve", 0.0, None),
    Outcome("02", "converge", 110.0, ()),
]


def test_junit_counts_what_its_readers_count(tmp_path: Path) -> None:
    """A suite for each lab; a failure with its lines, and what was left out as skipped."""
    junit(_OUTCOMES, tmp_path / "made" / "report.xml")
    root = ET.parse(tmp_path / "made" / "report.xml").getroot()  # noqa: S314  our own file
    assert [suite.attrib["name"] for suite in root] == ["lab 01", "lab 02"]
    assert (root[0].attrib["tests"], root[0].attrib["failures"], root[0].attrib["skipped"]) == ("3", "1", "1")
    assert root[0][1][0].attrib["message"] == "edge: done before anybody did it"
    assert "and <more>" in (root[0][1][0].text or "")
    assert root[0][2][0].tag == "skipped"


@pytest.mark.parametrize("answer", [{}, [], {"status": ""}])
def test_a_status_that_cannot_be_read_stops_the_proof(tmp_path: Path, answer: object) -> None:
    """Nothing is known of what stands: only the reset is tried, and no step stumbles."""
    outcomes = {each.step: each for each in _proved(tmp_path, status=[(0, answer)])}
    assert outcomes["look"].wrong
    assert {name for name, each in outcomes.items() if each.wrong is not None} == {"look", "reset leaves nothing"}


def test_the_table_has_every_step_and_what_went_wrong() -> None:
    """Each step has a row; below stands what failed."""
    told = markdown(_OUTCOMES)
    assert "| 01 | converge | ✓ | 60.0 |" in told
    assert "| 01 | solve | · | 0.0 |" in told
    assert told.index("| 02 | converge") < told.index("**lab 01, start is open**") < told.index("and <more>")


def test_an_unknown_lab_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """`lab ci 77` names the labs that there are, with exit code 2."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", "ci", "77"],
        env={"HOME": str(tmp_path), "PYTHONPATH": str(_ROOT / "platform"), "LAB_LANG": "en"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "77" in done.stderr


@pytest.mark.parametrize("file", [".github/workflows/labs.yml", ".gitlab-ci.yml"])
def test_the_workflows_prove_every_lab(file: str) -> None:
    """Each lab has a job that calls the Makefile's target."""
    text = (_ROOT / file).read_text("utf-8")
    found = yaml.safe_load(text)
    job = found["jobs"]["lab"] if "jobs" in found else found["lab"]
    named = job["strategy"]["matrix"]["lab"] if "strategy" in job else job["parallel"]["matrix"][0]["PROVEN"]
    assert named == Course(_ROOT).codes()
    assert "make ci LAB=" in text
    assert "\nci: venv" in (_ROOT / "Makefile").read_text("utf-8")
