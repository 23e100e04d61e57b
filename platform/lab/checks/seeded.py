"""What a trainee finds out by looking at the lab, where the seed of the workstation decides what is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.checks.bundle import Bundle
from lab.checks.exercises import Exercises
from lab.checks.verdict import Findings, need
from lab.checks.view import Missing, View
from lab.text import Text


@dataclass(frozen=True)
class Seeded:
    """An answer that the trainee writes into an annotation of the workload that the exercise's file changes.

    Attributes:
        work: the lab's exercises.
        exercise: the one that asks.
        fact: what it asks for: the condition's name, and what follows `tarmac.dev/` in the annotation's.
        conductor: Deployment that runs the experiment, by the seed in its TARMAC_SEED.
        right: seed -> the right answer; several things have commas between them.

    """

    work: Exercises
    exercise: str
    fact: str
    conductor: str
    right: Callable[[str], Sequence[str]]

    def measured(self, run: View) -> str:
        """Return the seed by which an experiment was run; empty where there were no seeds yet."""
        seed = run.maybe("settings.seed")
        return str(seed.value or "") if seed else ""

    def found(self, bundle: Bundle, run: View, asked: Text, look: Text) -> Findings:
        """Find whether the answer is the one that the recorded seed makes right; nothing where none was recorded.

        Args:
            bundle: the recorded state.
            run: the experiment's last result.
            asked: what the answer has to say, as the end of a sentence.
            look: where it can be seen, as an order.

        Raises:
            Missing: the exercise's workload is not there.

        """
        seed = self._recorded(bundle)
        if not seed:
            return
        workload, name = self.work.workload(bundle, self.exercise), f"tarmac.dev/{self.fact}"
        place = workload.maybe(f"metadata.annotations[{name}]")
        said = str(place.value) if place else "unknown"
        now = self.measured(run) == seed
        wrong = Text(
            en=f"{workload.where}: {name} is {said}: that is not {asked.en}",
            fr=f"{workload.where} : {name} vaut {said} : ce n'est pas {asked.fr}",
        )
        yield need(
            self.fact,
            now and [each.strip() for each in said.split(",")] == list(self.right(seed)),
            f"{name}={said}",
            wrong if now else _OTHER,
            self.work.decide(self.exercise, look.en, look.fr) if now else self.work.measure(self.exercise),
        )

    def _recorded(self, bundle: Bundle) -> str:
        try:
            conductor = bundle.object("Deployment", self.conductor, self.work.namespace)
            return str(bundle.env(conductor, self.conductor, "TARMAC_SEED").value or "")
        except Missing:
            return ""


_OTHER = Text(
    en="the last experiment was run by another seed than this workstation's",
    fr="la dernière expérience a suivi une autre graine que celle de ce poste",
)
