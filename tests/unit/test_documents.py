"""The documents say what is there: both languages alike, every command named, every licence right."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from lab import errors
from lab.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [
    ("README.md", "README.fr.md"),
    ("docs/trainer.md", "docs/trainer.fr.md"),
    ("docs/guides.md", "docs/guides.fr.md"),
    ("docs/authoring.md", "docs/authoring.fr.md"),
    ("docs/causes.md", "docs/causes.fr.md"),
]
READMES = PAIRS[0]
SETTINGS = sorted(set(re.findall(r'"(LAB_[A-Z_]+)"', (ROOT / "platform/lab/settings.py").read_text("utf-8"))))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_LICENCE = re.compile(r"^\| ([a-z0-9._-]+) \| ([^|]+) \| [^|]+\|$", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _prose(name: str) -> str:
    """Return a document without its fenced blocks, where a # is no heading and brackets are no links."""
    return _FENCE.sub("", _text(name))


def _targets() -> list[str]:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20).stdout
    return re.findall(r"^  (make [a-z0-9-]+)", listed, re.MULTILINE)


def _licences() -> dict[str, str]:
    part = _text("docs/licences.md").split("\n## Python packages\n")[1].split("\n## ")[0]
    rows = {match[1]: match[2].strip() for match in _LICENCE.finditer(part)}
    return {package: licence for package, licence in rows.items() if package != "package"}


def _locked() -> Iterator[str]:
    for lock in (*ROOT.glob("requirements/*.txt"), *ROOT.glob("labs/*/requirements.txt")):
        yield from _LOCKED.findall(lock.read_text("utf-8"))


@pytest.mark.parametrize(("english", "french"), PAIRS)
def test_both_languages_have_the_same_parts(english: str, french: str) -> None:
    """A part, a table row or a link that one language has, the other has at the same place."""

    def links(name: str) -> list[str]:
        return [link.split("#")[0].replace(".fr.md", ".md") for link in _LINK.findall(_prose(name))]

    def shape(name: str) -> tuple[list[str], list[int]]:
        lines = _prose(name).splitlines()
        return [line.split(" ")[0] for line in lines if line.startswith("#")], [
            line.count("|") for line in lines if line.startswith("|")
        ]

    assert shape(english) == shape(french)
    assert links(english) == links(french)


@pytest.mark.parametrize(("english", "french"), PAIRS)
def test_both_languages_give_the_same_commands(english: str, french: str) -> None:
    """What can be pasted is equal to the letter; a picture in words has the same number of lines."""
    for left, right in zip(_FENCE.findall(_text(english)), _FENCE.findall(_text(french)), strict=True):
        assert left[0] == right[0]
        if left[0] == "bash":
            assert left[1] == right[1]
        else:
            assert left[1].count("\n") == right[1].count("\n")


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_named(name: str) -> None:
    """A reader finds each target that `make help` lists and each command of `lab`, as they are typed."""
    text = _text(name)
    targets = _targets()
    assert "make lab-01" in targets
    assert [target for target in targets if f"`{target}" not in text] == []
    assert [command for command in COMMANDS if f"`lab {command}" not in text] == []


@pytest.mark.parametrize("name", [*READMES, *PAIRS[1]])
def test_every_setting_is_explained(name: str) -> None:
    """Each variable that the tool reads has its row, and each row names a variable that it reads."""
    rows = re.findall(r"^\| `(LAB_[A-Z_]+)` \| (?:`[^`]+`|[^`|]+) \|", _text(name), re.MULTILINE)
    assert sorted(set(rows)) == SETTINGS


@pytest.mark.parametrize("name", READMES)
def test_every_exit_code_is_explained(name: str) -> None:
    """Each exit code that an error of the tool has is in the table."""
    codes = {
        kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.LabError)
    }
    rows = {int(code) for code in re.findall(r"^\| (\d+) \|", _text(name), re.MULTILINE)}
    assert codes <= rows


def test_every_locked_package_has_its_licence() -> None:
    """The table of licences names exactly the packages that the lock files hold."""
    assert set(_licences()) == set(_locked())


def test_licences_are_those_of_the_packages() -> None:
    """Where an installed package states its licence as an expression, the table says the same."""
    stated = {}
    for package in _licences():
        try:
            expression = metadata.metadata(package).get_all("License-Expression")
        except metadata.PackageNotFoundError:
            continue
        if expression:
            stated[package] = expression[0]
    assert len(stated) > 20
    assert {package: _licences()[package] for package in stated} == stated


def test_the_licence_is_whole() -> None:
    """The text of the licence is Apache's, from its title to the end of its appendix."""
    text = _text("LICENSE")
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert "END OF TERMS AND CONDITIONS" in text
    assert text.rstrip().endswith("limitations under the License.")
