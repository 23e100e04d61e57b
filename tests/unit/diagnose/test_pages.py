"""The pages about causes say what the code says."""

import re
from pathlib import Path

import pytest

from lab.commands import COMMANDS
from lab.diagnose.causes import every
from lab.diagnose.pages import FILES, page
from lab.text import Language

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_pages_are_what_the_causes_say(language: Language) -> None:
    """A cause that changes changes both pages: `python -m lab.diagnose.pages` writes them."""
    assert (ROOT / FILES[language]).read_text("utf-8") == page(language)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_code_has_its_section(language: Language) -> None:
    """Each code once, and none that is not there."""
    codes = re.findall(r"^### (TD-[A-Z-]+)$", page(language), re.MULTILINE)
    assert sorted(codes) == sorted(cause.code for cause in every())


def test_every_command_of_a_cause_exists() -> None:
    """What a cause tells people to type is a command of the tool."""
    words = {each for cause in every() for each in re.findall(r"\blab ([a-z]+)", f"{cause.look}; {cause.mend}")}
    assert words <= set(COMMANDS)
