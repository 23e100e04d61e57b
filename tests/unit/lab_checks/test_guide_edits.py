"""The edits that a guide makes to the trainee's files, made to a copy of the start."""

import re
import shutil
import subprocess
from pathlib import Path

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
