"""The rules that labs keep: every lab of the course does, and each rule catches a lab that does not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.authoring import RULES, Folder, judge
from lab.authoring import rules as module
from lab.errors import BadInput
from lab.spec import Course

ROOT = Path(__file__).resolve().parents[3]
_CODE = "01"
_OTHERS = "alternatives.yaml"


@pytest.mark.parametrize("code", Course(ROOT, drafts=True).codes())
def test_every_lab_keeps_every_rule(code: str) -> None:
    """Nothing is to be said about the labs of this checkout."""
    assert judge(Folder(ROOT, code)) == []


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a checkout with lab 01 alone, for a test to break."""
    for part in ("platform/stack.yaml", "docs/coverage.md"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / part, tmp_path / part)
    ours = Course(ROOT).folder(_CODE)
    shutil.copytree(ours, tmp_path / "labs" / ours.name, ignore=_left_out)
    return tmp_path


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Leave out the service, and working copies of whoever uses this checkout."""
    copies = {name for name in names if name.startswith("work")} if folder.endswith("manifests") else set()
    return copies | {"service", "__pycache__"} & set(names)


def _edit(file: str, pattern: str, words: str, count: int = 1) -> Callable[[Path], None]:
    """Return what replaces the first places that fit in a file; 0: all of them."""

    def edit(root: Path) -> None:
        path = root / file if file.startswith("docs") else next((root / "labs").iterdir()) / file
        before = path.read_text("utf-8")
        after = re.sub(pattern, words, before, count=count)
        assert after != before
        path.write_text(after, "utf-8")

    return edit


def _remove(file: str) -> Callable[[Path], None]:
    return lambda root: (next((root / "labs").iterdir()) / file).unlink()


def _as(name: str, other: str) -> Callable[[Path], None]:
    """Return what makes one recorded state another."""

    def copy(root: Path) -> None:
        bundles = next((root / "labs").iterdir()) / "bundles"
        shutil.copy(bundles / other, bundles / name)

    return copy


def _padded(root: Path) -> None:
    file = next((root / "labs").iterdir()) / "bundles/start.json"
    state = json.loads(file.read_text("utf-8"))
    state["answers"]["padding"] = {"status": 200, "body": {"text": "x" * module.LARGEST}}
    file.write_text(json.dumps(state), "utf-8")


@pytest.mark.parametrize(
    ("rule", "broken", "file", "words"),
    [
        ("hints", _edit("lab.yaml", r"manifests/work/edge-offline\.yaml", "your file"), "lab.yaml", "edge-offline"),
        ("guides", _edit("guide.fr.md", r"```bash\n", "```bash\ntrue\n"), "guide.fr.md", "bash blocks"),
        ("guides", _edit("guide.fr.md", r"\n## ", "\n### "), "guide.fr.md", "headings"),
        ("guides", _edit("guide.md", "`bulkhead`", "it", count=0), "guide.md", "bulkhead"),
        ("manifests", _remove("manifests/solved/bulkhead.yaml"), "manifests", "bulkhead.yaml"),
        ("quiz", _edit("quiz.yaml", r"exercise: bulkhead", "exercise: bulkheads"), "quiz.yaml", "bulkheads"),
        ("imports", _edit("checks/wall.py", "(from lab)", r"import os\n\1"), "checks/wall.py", "os"),
        ("start", _as("start.json", "solved.json"), "bundles/start.json", "bulkhead"),
        ("solution", _as("solved.json", "start.json"), "bundles/solved.json", "bulkhead"),
        ("mutants", _edit("mutants.yaml", r"exercise: bulkhead", "exercise: edge-offline"), "mutants.yaml", "no-wall"),
        ("alternatives", _edit("alternatives.yaml", r"(?s)  - id: window-of-four.*", ""), _OTHERS, "1 alternatives"),
        ("alternatives", _edit("alternatives.yaml", 'to: "4"', 'to: "40"'), _OTHERS, "processing-modes.window"),
        ("recorded", _padded, "bundles/start.json", "larger"),
        ("coverage", _edit("docs/coverage.md", "`bulkhead`", "bulkhead"), "docs/coverage.md", "bulkhead"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)  # fmt: skip
def test_a_lab_that_breaks_a_rule_is_told_where(
    copied: Path, rule: str, broken: Callable[[Path], None], file: str, words: str
) -> None:
    """The rule, and nobody else for it, names the file and the object, in both languages, with a remedy."""
    lab = Folder(copied, _CODE)
    assert list(getattr(module, rule)(lab)) == []
    broken(copied)
    faults = list(getattr(module, rule)(Folder(copied, _CODE)))
    told = [fault for fault in faults if words in fault.what.en]
    assert told, faults
    for fault in told:
        assert fault.file == file
        assert words in fault.what.fr or words in ("bash blocks", "headings", "larger")
        assert fault.remedy.en
        assert fault.remedy.fr


def test_a_part_that_is_missing_is_told_once(copied: Path) -> None:
    """Without its quiz and without a recorded solution a lab is still judged by all other rules."""
    _remove("quiz.yaml")(copied)
    _remove("bundles/solved.json")(copied)
    faults = judge(Folder(copied, _CODE))
    assert len([fault for fault in faults if "quiz.yaml" in fault.what.en]) == 1
    assert len([fault for fault in faults if "solved.json" in fault.what.en]) == 1
    assert len(faults) == 2


def test_every_rule_has_a_lab_that_breaks_it() -> None:
    """No rule stands without proof that it can fail."""
    (mark,) = test_a_lab_that_breaks_a_rule_is_told_where.pytestmark  # type: ignore[attr-defined]
    assert {rule.__name__ for rule in RULES} == {case[0] for case in mark.args[1]}


def test_an_unknown_lab_is_refused(copied: Path) -> None:
    """There is nothing to judge."""
    with pytest.raises(BadInput, match="lab 02"):
        Folder(copied, "02")
