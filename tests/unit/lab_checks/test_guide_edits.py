"""The edits that a guide makes to the trainee's files, and what it shows without being run itself."""

import re
import shutil
import subprocess
from pathlib import Path

_BLOCK = re.compile(r"^```(bash|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MEASURING = re.compile(r"lab compare \d\d --only|.*/experiments/")
_EDIT = re.compile(r'^sed -i .*"\$TARMAC_WORK/([^"]+)"$', re.MULTILINE)


def test_every_edit_changes_its_file(folder: Path, exercises: list[object], tmp_path: Path) -> None:
    """No `sed` of the guide misses what it is to change, and every exercise that has a file is led to its change."""
    work = tmp_path / "work"
    shutil.copytree(folder / "manifests/start", work)
    edited = set()
    for edit in _EDIT.finditer((folder / "guide.md").read_text("utf-8")):
        file = work / edit[1]
        before = file.read_text("utf-8")
        # What a guide computes from the trainee's own figures is empty here.
        env = {"TARMAC_WORK": str(work), "PATH": "/usr/bin:/bin"}
        subprocess.run(["bash", "-ec", edit[0]], env=env, check=True)
        assert file.read_text("utf-8") != before, edit[0]
        edited.add(file.stem)
    named = {exercise.id for exercise in exercises}  # type: ignore[attr-defined]
    assert {path.stem for path in work.glob("*.yaml")} & named == edited & named


def test_a_measurement_that_is_only_shown_is_run_elsewhere(folder: Path) -> None:
    """Tests run `bash` blocks alone; a `sh` block may leave out a measurement's first run, and nothing is untried."""
    lines: dict[str, set[str]] = {"bash": set(), "sh": set()}
    for kind, text in _BLOCK.findall((folder / "guide.md").read_text("utf-8")):
        lines[kind] |= {line for line in text.splitlines() if _MEASURING.match(line)}
    assert lines["sh"] <= lines["bash"]
