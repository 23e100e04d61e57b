"""A lab's folder, read part by part as rules ask for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from lab.checks import Bundle, Check, Verdict
from lab.checks import alternatives as ways
from lab.checks import mutants as mutation
from lab.checks import quiz as questions
from lab.checks.loader import load
from lab.checks.proof import Proof, prove
from lab.docs.guide import blocks
from lab.docs.markdown import parse
from lab.errors import BadInput
from lab.spec import DECLARED, Course, LabSpec
from lab.state import bundle
from lab.text import Language, Text

Verdicts: TypeAlias = Mapping[str, Verdict]
_GUIDES: dict[Language, str] = {"en": "guide.md", "fr": "guide.fr.md"}
_SHAPE = re.compile(r"^(#+ |```\w+|<details>|</details>|\d+\. |- |\|)", re.MULTILINE)


class Folder:
    """All that a lab's folder says, or the error that says why it cannot be read.

    Args:
        root: the checkout.
        code: the lab's number; a draft counts as well.

    Raises:
        BadInput: there is no such lab. What its files lack is raised by who asks for them.

    """

    def __init__(self, root: Path, code: str) -> None:
        course = Course(root, drafts=True)
        self.root = root
        self.path = course.folder(code)
        self.name = self.path.name
        self._course = course

    @cached_property
    def spec(self) -> LabSpec:
        """Return what lab.yaml declares."""
        return self._course.lab(self.name[:2])

    @property
    def declared(self) -> str:
        """Return the name of the file that declares it."""
        return DECLARED if (self.path / DECLARED).exists() else "lab.draft.yaml"

    @cached_property
    def exercises(self) -> list[str]:
        """Return the exercises' names."""
        return [exercise.id for exercise in self.spec.exercises]

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """Return each exercise's check."""
        return load(self.path, self.spec.exercises)

    @cached_property
    def mutants(self) -> tuple[mutation.Mutant, ...]:
        """Return the mistakes that the checks have to catch."""
        return mutation.read(self.path / "mutants.yaml")

    @cached_property
    def alternatives(self) -> tuple[ways.Alternative, ...]:
        """Return the other right solutions that the checks have to take."""
        return ways.read(self.path / "alternatives.yaml")

    @cached_property
    def proof(self) -> Proof:
        """Return how the checks stand all that is known to be wrong or right."""
        return prove(self.checks, self.start, self.solved, self.mutants, self.alternatives)

    @cached_property
    def quiz(self) -> tuple[questions.Question, ...]:
        """Return the questions."""
        return questions.read(self.path / "quiz.yaml")

    @cached_property
    def start(self) -> bundle.State:
        """Return the state recorded at the start."""
        return bundle.read(self.path / "bundles/start.json", self.spec.code)

    @cached_property
    def solved(self) -> bundle.State:
        """Return the state recorded with the solution."""
        return bundle.read(self.path / "bundles/solved.json", self.spec.code)

    def verdicts(self, state: bundle.State) -> Verdicts:
        """Return what each exercise's check says of a state."""
        return {name: check(Bundle(state)) for name, check in self.checks.items()}

    def guide(self, language: Language) -> str:
        """Return the guide in a language."""
        return self.text(_GUIDES[language])

    def commands(self, language: Language) -> list[str]:
        """Return what the guide lets trainees paste."""
        return [block.commands for block in blocks(parse(Path(_GUIDES[language]), self.guide(language)))]

    def shape(self, language: Language) -> list[str]:
        """Return headings, blocks, lists and tables of the guide, one after the other."""
        kinds = _SHAPE.findall(self.guide(language))
        return [kind if kind.startswith(("#", "`", "<")) else kind[0] for kind in kinds]

    def manifests(self, folder: str) -> set[str]:
        """Return the files of a folder of manifests."""
        return {file.name for file in (self.path / "manifests" / folder).glob("*.yaml")}

    def coverage(self) -> str:
        """Return the table of what the course's topics are covered by."""
        return (self.root / "docs/coverage.md").read_text("utf-8")

    def text(self, name: str) -> str:
        """Return a file's text.

        Raises:
            BadInput: it is not there.

        """
        try:
            return (self.path / name).read_text("utf-8")
        except OSError as error:
            raise BadInput(
                Text(en=f"{name} is missing", fr=f"{name} manque"), Text(en="write it", fr="écrivez-le")
            ) from error
