"""Documents hold what they say: rules over every document, and guides against the states recorded from a cluster."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from lab.authoring import taken
from lab.checks import runner
from lab.checks.loader import load
from lab.checks.rendering import show
from lab.commands import lab
from lab.docs import Checkout, examine
from lab.docs.comparison import difference
from lab.docs.guide import Block, blocks
from lab.docs.rehearsal import LANGUAGES
from lab.spec import Course
from lab.state import bundle
from lab.text import Language

_ROOT = Path(__file__).resolve().parents[2]
_CHECKOUT = Checkout(_ROOT, lab)


def test_every_document_keeps_every_rule() -> None:
    """Links, file names, commands, options, targets, wildcards and help texts are right in all of them."""
    assert [f"{fault.file}: {fault.what.en}" for fault in examine(_CHECKOUT)] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", Course(_ROOT).codes())
def test_the_guides_show_what_the_checks_say(code: str, language: Language) -> None:
    """The first check of a guide prints what it shows on the recorded start, the last one on the recorded solution."""
    document = _CHECKOUT.guide(code, language)
    first, *_, last = [block for block in blocks(document) if block.output and _checks(block, code)]
    for block, state in ((first, "start"), (last, "solved")):
        assert difference(block.shown, _verdicts(code, state, language), language) is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", Course(_ROOT).codes())
def test_the_guides_have_a_place_for_what_a_lab_takes(code: str, language: Language) -> None:
    """`lab docs figures` finds it once, so that no guide goes without figures."""
    lines = _CHECKOUT.guide(code, language).text.splitlines()
    assert [line for line in lines if line in (taken.BEGIN, taken.END)] == [taken.BEGIN, taken.END]


def _checks(block: Block, code: str) -> bool:
    return block.commands.startswith((f"make check-{code}", f"lab check {code}"))


def _verdicts(code: str, state: str, language: Language) -> list[str]:
    course = Course(_ROOT)
    spec, folder = course.lab(code), course.folder(code)
    seen = bundle.read(folder / f"bundles/{state}.json", code)
    console = Console(file=io.StringIO(), width=1000)
    show(console, folder.name, runner.run(spec.exercises, load(folder, spec.exercises), seen), language)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()
