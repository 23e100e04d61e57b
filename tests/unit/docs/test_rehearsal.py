"""A guide's commands run for real, in bash, with a `lab` that speaks both languages."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lab.docs.guide import blocks
from lab.docs.outputs import judged
from lab.docs.rehearsal import LANGUAGES, recorded, rehearse
from lab.docs.update import update_guide
from lab.errors import BadInput
from lab.process import CommandFailed
from lab.text import Text
from unit.docs.checkouts import made

_LAB = """#!/bin/bash
echo "[$COLUMNS] $*" >&2
if [ "$LAB_LANG" = fr ]; then printf '✗ one  Faites-le\\nrien\\n0 exercices faits sur 3.\\n'
else printf '✗ one  Do it\\nnothing\\n0 of 3 exercises are done.\\n'; fi
exit 1
"""


@pytest.fixture(autouse=True)
def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `lab` on PATH whose check is not passed."""
    program = tmp_path / "bin/lab"
    program.parent.mkdir()
    program.write_text(_LAB, "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_a_guide_is_run_compared_and_written_anew(tmp_path: Path) -> None:
    """What asks is heard in both languages, the rest runs once; the difference is named, and an update ends it."""
    root = tmp_path / "checkout"
    checkout = made(root)
    said: list[Text] = []
    rehearse(root, "01", blocks(checkout.guide("01", "en")), said.append)
    assert [line.en for line in said] == ["[1000] check 01", "[1000] check 01"]
    told = {language: recorded(root, "01", language) for language in LANGUAGES}
    english, french = (checkout.guide("01", language) for language in LANGUAGES)
    assert list(judged(english, blocks(english), told["en"])) == []
    (fault,) = judged(french, blocks(french), told["fr"])
    assert fault.file == "labs/01-first/guide.fr.md:12"
    assert "✗ one  Do it" in fault.what.fr
    assert "✗ one  Faites-le" in fault.what.fr
    assert update_guide(checkout, french, told["fr"])
    french = checkout.guide("01", "fr")
    assert list(judged(french, blocks(french), told["fr"])) == []
    assert not update_guide(checkout, french, told["fr"])
    assert "0 exercices faits sur" in french.text
    assert "pod-<identifiant> ready" in french.text


def test_a_block_that_fails_is_named_with_what_it_printed(tmp_path: Path) -> None:
    """The error names the line; what the block had printed is told; no record is written."""
    root = tmp_path / "checkout"
    checkout = made(root)
    guide = root / "labs/01-first/guide.md"
    guide.write_text(guide.read_text("utf-8").replace("echo done >", "echo almost; false\necho done >"), "utf-8")
    said: list[Text] = []
    with pytest.raises(CommandFailed, match="guide line 18: Look"):
        rehearse(root, "01", blocks(checkout.guide("01", "en")), said.append)
    assert said[-1].en == "almost"
    with pytest.raises(BadInput, match=r"build/guides/01\.en\.json"):
        recorded(root, "01", "en")


def test_a_record_of_other_commands_is_refused(tmp_path: Path) -> None:
    """A guide that was edited since has to be run again before it is written."""
    root = tmp_path / "checkout"
    checkout = made(root)
    rehearse(root, "01", blocks(checkout.guide("01", "en")), lambda _: None)
    guide = root / "labs/01-first/guide.md"
    guide.write_text(guide.read_text("utf-8").replace("ready", "unready", 1), "utf-8")
    document = checkout.guide("01", "en")
    (fault,) = judged(document, blocks(document), recorded(root, "01", "en"))
    assert "changed" in fault.what.en
    with pytest.raises(BadInput, match="changed"):
        update_guide(checkout, document, recorded(root, "01", "en"))
