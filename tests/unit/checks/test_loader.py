"""Loading a lab's checks by path."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.checks.loader import load
from lab.errors import BadInput
from lab.text import Text


@dataclass(frozen=True)
class _Exercise:
    id: str
    check: str
    title: Text = field(default_factory=lambda: Text.plain("t"))


_PART = """
from lab.checks import check, need, Text

@check
def check_one(bundle):
    yield need("one", True, "seen", Text.plain(""), Text.plain(""))
"""


def _lab(folder: Path, entry: str) -> Path:
    lab = folder / "99-demo"
    (lab / "checks").mkdir(parents=True)
    (lab / "checks/__init__.py").write_text(entry)
    (lab / "checks/part.py").write_text(_PART)
    return lab


def test_a_package_of_modules_is_loaded_without_touching_the_import_path(tmp_path: Path) -> None:
    """Two labs may both call their package `checks`; neither is importable by that name."""
    before = list(sys.path)
    first = load(_lab(tmp_path / "a", "from .part import check_one"), [_Exercise("one", "check_one")])
    second = load(_lab(tmp_path / "b", "from .part import check_one"), [_Exercise("one", "check_one")])
    assert first["one"] is not second["one"]
    assert sys.path == before
    assert "checks" not in sys.modules


@pytest.mark.parametrize(
    ("entry", "named"),
    [("", "check_one"), ("import nosuchmodule", "nosuchmodule"), ("def x(:", "SyntaxError")],
)
def test_a_package_that_cannot_be_used_is_named(tmp_path: Path, entry: str, named: str) -> None:
    """The message names the folder and the fault; the exit code is that of bad input."""
    lab = _lab(tmp_path, entry)
    with pytest.raises(BadInput) as caught:
        load(lab, [_Exercise("one", "check_one")])
    assert named in caught.value.what.en
    assert str(lab / "checks") in caught.value.what.fr
    assert not [name for name in sys.modules if name.startswith("_lab_checks") and name.endswith(".half")]


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    """A lab without checks says which file is missing."""
    with pytest.raises(BadInput, match=r"checks/__init__\.py is missing"):
        load(tmp_path, [_Exercise("one", "check_one")])
