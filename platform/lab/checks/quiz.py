"""A lab's questions: `quiz.yaml`, each with its choices, the right ones and why, in both languages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lab import reading
from lab.errors import BadInput
from lab.text import Text


class Question(BaseModel):
    """One question.

    Attributes:
        id: its name.
        topic: the topic of the course that it asks about.
        exercise: the exercise in which the answer can be seen.
        ask: the question.
        choices: the answers to choose from, by letter.
        right: the letters of all the right ones.
        why: why these are right and the others are not.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    topic: str
    exercise: str
    ask: Text
    choices: dict[str, Text] = Field(min_length=3)
    right: list[str] = Field(min_length=1)
    why: Text

    @model_validator(mode="after")
    def _can_be_answered(self) -> Question:
        unknown = sorted(set(self.right) - set(self.choices))
        if unknown:
            message = f"question {self.id}: right: {', '.join(unknown)} is no choice"
            raise ValueError(message)
        if len(set(self.right)) == len(self.choices):
            message = f"question {self.id}: every choice is right"
            raise ValueError(message)
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    questions: list[Question] = Field(min_length=1)


def read(file: Path) -> tuple[Question, ...]:
    """Read a lab's `quiz.yaml`.

    Raises:
        BadInput: it is missing, is no YAML, breaks the schema, or names a question twice.

    """
    try:
        questions = _File.model_validate(reading.document(file.read_text("utf-8"))).questions
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise _unreadable(file, str(error)) from error
    twice = [name for name, count in Counter(question.id for question in questions).items() if count > 1]
    if twice:
        raise _unreadable(file, f"id used twice: {', '.join(twice)}")
    return tuple(questions)


def _unreadable(file: Path, reason: str) -> BadInput:
    return BadInput(
        Text(en=f"{file} cannot be used: {reason}", fr=f"{file} est inutilisable : {reason}"),
        Text(en="correct the field that is named", fr="corrigez le champ indiqué"),
    )
