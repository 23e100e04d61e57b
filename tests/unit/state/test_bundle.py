"""The bundle as a file."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from lab.errors import BadInput, LabError
from lab.state import bundle
from lab.state.objects import trimmed

_STATE: dict[str, Any] = {
    "format": 1,
    "lab": "01",
    "taken": "2026-01-02T03:04:05Z",
    "versions": {},
    "objects": [],
    "topics": {},
    "groups": {},
    "metrics": {},
    "traces": {},
    "answers": {"é": {"status": 200, "body": "à"}},
}


def test_what_is_written_is_read_back_and_private(tmp_path: Path) -> None:
    """A bundle survives the file, belongs to its owner alone, and leaves nothing beside it."""
    file = tmp_path / "new" / "bundle.json"
    bundle.write(file, _STATE)
    assert bundle.read(file, "01") == _STATE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_bundle_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A folder in the way is told with the path and a remedy, and no half-written file is left."""
    file = tmp_path / "bundle.json"
    file.mkdir()
    with pytest.raises(LabError, match="cannot be written") as caught:
        bundle.write(file, _STATE)
    assert "--file" in caught.value.remedy.fr
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no state bundle"),
        ("{", "no state bundle"),
        ("[" * 100_000, "no state bundle"),
        ("[]", "list, not an object"),
        ("\xff", "no state bundle"),
        (json.dumps(_STATE)[:-20], "no state bundle"),
        (json.dumps(_STATE | {"objects": {}}), "objects: list"),
        (json.dumps({k: v for k, v in _STATE.items() if k != "topics"}), "topics: dict"),
        (json.dumps(_STATE | {"format": 2}), "format is 2, this version reads format 1"),
        (json.dumps({k: v for k, v in _STATE.items() if k != "format"}), "format is None"),
        (json.dumps(_STATE | {"lab": "04"}), "another lab than 01"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_field(tmp_path: Path, text: str, named: str) -> None:
    """Malformed, cut short, of another format or of another lab: exit code 2, the file, the field, a remedy."""
    file = tmp_path / "b.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput) as caught:
        bundle.read(file, "01")
    assert named in caught.value.what.en
    assert str(file) in caught.value.what.fr
    assert "lab " in caught.value.remedy.fr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A slip in the path says so, not that the bundle is broken."""
    with pytest.raises(BadInput, match="does not exist"):
        bundle.read(tmp_path / "none.json", "01")
    with pytest.raises(BadInput, match="no state bundle"):
        bundle.read(tmp_path, "01")


def test_objects_are_kept_without_the_servers_bookkeeping() -> None:
    """Two recordings of one state are the same file: no versions, times or owners, one order."""
    raw: list[dict[str, Any]] = [
        {"kind": "Pod", "metadata": {"name": "b", "uid": "1", "managedFields": [{}], "labels": {"x": "y"}}},
        {
            "kind": "Pod",
            "metadata": {"name": "a", "resourceVersion": "7"},
            "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "now"}]},
        },
    ]
    assert trimmed(raw) == [
        {
            "kind": "Pod",
            "metadata": {"name": "a"},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        },
        {"kind": "Pod", "metadata": {"name": "b", "labels": {"x": "y"}}},
    ]
