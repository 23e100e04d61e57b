"""Variations of a recorded solution: what a trainee might have done instead, as data beside the lab's checks."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lab import reading
from lab.checks.changes import Change, NoSuchPlace
from lab.checks.paths import JsonDict
from lab.checks.verdict import Check
from lab.errors import BadInput
from lab.text import Text


class Variation(BaseModel):
    """The solution with something changed; in a file of its own kind, under the file's name.

    Attributes:
        id: its name.
        exercise: the exercise whose check has to judge it.
        title: what the trainee did.
        change: what it changes in the solved state.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]
    """`mutant` or `alternative`; its file is called after several of them."""

    id: str = Field(pattern=r"[a-z0-9-]+")
    exercise: str
    title: Text
    change: list[Change] = Field(min_length=1)

    def made_on(self, solved: JsonDict, checks: Mapping[str, Check]) -> JsonDict:
        """Return the state with the changes made; the solved one stays as it is.

        Raises:
            BadInput: it names no exercise that has a check, a change aims at nothing, or changes nothing.

        """
        if self.exercise not in checks:
            raise self._idle(NoSuchPlace(f"exercise {self.exercise}"))
        state = copy.deepcopy(solved)
        for change in self.change:
            try:
                change.apply(state)
            except NoSuchPlace as error:
                raise self._idle(error) from error
        return state

    def _idle(self, error: NoSuchPlace) -> BadInput:
        where = f"{self.kind}s.yaml", f"{self.kind} {self.id}"
        return BadInput(
            Text(
                en=f"{where[0]}: {where[1]}: nothing to change at: {error}",
                fr=f"{where[0]} : {where[1]} : rien à changer à : {error}",
            ),
            Text(
                en="correct its selector, or record the solved bundle again with `lab support`",
                fr="corrigez son sélecteur, ou enregistrez de nouveau la solution avec `lab support`",
            ),
        )


V = TypeVar("V", bound=Variation)


def read(file: Path, kind: type[V]) -> tuple[V, ...]:
    """Read a lab's `mutants.yaml` or `alternatives.yaml`.

    Raises:
        BadInput: it is missing, is no YAML, has unknown keys, or names one twice.

    """
    key = f"{kind.kind}s"
    try:
        content = TypeAdapter(dict[str, list[Any]]).validate_python(reading.document(file.read_text("utf-8")))
        found = [kind.model_validate(each) for each in content.get(key, [])]
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise _unreadable(file, str(error)) from error
    if set(content) != {key}:
        raise _unreadable(file, f"{', '.join(content) or '{}'} != {key}")
    twice = [name for name, count in Counter(each.id for each in found).items() if count > 1]
    if twice:
        raise _unreadable(file, f"id used twice: {', '.join(twice)}")
    return tuple(found)


def _unreadable(file: Path, reason: str) -> BadInput:
    return BadInput(
        Text(en=f"{file} cannot be used: {reason}", fr=f"{file} est inutilisable : {reason}"),
        Text(en="correct the field that is named", fr="corrigez le champ indiqué"),
    )
