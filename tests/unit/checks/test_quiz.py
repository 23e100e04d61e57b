"""The questions of a lab."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.checks.quiz import read
from lab.errors import BadInput

_BOTH = {"en": "e", "fr": "f"}
_QUESTION: dict[str, Any] = {
    "id": "one",
    "topic": "batch",
    "exercise": "enough",
    "ask": _BOTH,
    "choices": {"a": _BOTH, "b": _BOTH, "c": _BOTH},
    "right": ["b"],
    "why": _BOTH,
}


def _write(folder: Path, *questions: dict[str, Any]) -> Path:
    file = folder / "quiz.yaml"
    file.write_text(yaml.safe_dump({"questions": list(questions)}))
    return file


def test_a_question_is_read_in_both_languages(tmp_path: Path) -> None:
    """Question, choices and explanation exist in English and French."""
    (question,) = read(_write(tmp_path, _QUESTION))
    assert (question.ask.en, question.why.fr) == ("e", "f")


@pytest.mark.parametrize(
    "change",
    [
        {"right": ["z"]},
        {"right": []},
        {"right": ["a", "b", "c"]},
        {"choices": {"a": _BOTH, "b": _BOTH}},
        {"ask": {"en": "only"}},
        {"hint": "unknown"},
        {"id": "Not An Id"},
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    """A question has three choices or more, right and wrong ones, both languages, and no unknown keys."""
    with pytest.raises(BadInput, match=r"quiz\.yaml"):
        read(_write(tmp_path, _QUESTION | change))


def test_a_name_used_twice_is_refused(tmp_path: Path) -> None:
    """Answers are kept by name, so a name stands for one question."""
    with pytest.raises(BadInput, match="twice: one"):
        read(_write(tmp_path, _QUESTION, _QUESTION))
