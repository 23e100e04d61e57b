"""The page for authors says what the tool holds them to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.authoring import RULES
from lab.authoring import rules as module

ROOT = Path(__file__).resolve().parents[3]
_TEMPLATE = ROOT / "platform/lab/authoring/template/lab"
_PAGES = ("docs/authoring.md", "docs/authoring.fr.md")


def _rows(page: str) -> dict[str, str]:
    """Return the first column's words of every table, each with the rest of its row."""
    rows = re.findall(r"^\| (`[^|]+`) \| (.+) \|$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    return {word: rest for words, rest in rows for word in re.findall(r"`([^`]+)`", words)}


@pytest.mark.parametrize("page", _PAGES)
def test_every_rule_is_told(page: str) -> None:
    """Each rule of `lab lint` has its row, with the figure that it holds to; no row names a rule that is not there."""
    rows = _rows(page)
    told = {name for name in rows if name.isidentifier()}
    assert told == {rule.__name__ for rule in RULES}
    assert str(module.HINTS) in rows["hints"]
    assert str(module.MUTANTS) in rows["mutants"]
    assert str(module.ALTERNATIVES) in rows["alternatives"]
    assert f"{module.LARGEST // 1000} k" in rows["recorded"]


@pytest.mark.parametrize("page", _PAGES)
def test_every_file_of_a_new_lab_is_told(page: str) -> None:
    """Whatever `lab new` writes has its row or its folder's, and each row leads to something that it writes."""
    written = {path.relative_to(_TEMPLATE).as_posix().removesuffix(".in") for path in _TEMPLATE.rglob("*.in")}
    told = {name for name in _rows(page) if not name.isidentifier()}
    assert [file for file in written if not any(_holds(name, file) for name in told)] == []
    assert [name for name in told if not any(_holds(name, file) for file in written)] == []


def _holds(name: str, file: str) -> bool:
    return file.startswith(name) if name.endswith("/") else file == name
