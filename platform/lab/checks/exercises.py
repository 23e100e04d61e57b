"""What checks of every lab share: an exercise's file, the settings that it sets, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lab.checks.bundle import Bundle
from lab.checks.verdict import Finding, need
from lab.checks.view import Missing, View
from lab.text import Text


class Place(NamedTuple):
    """Where an exercise's settings take effect.

    Attributes:
        kind: Deployment or StatefulSet.
        name: its name, and its container's.
        variables: name of the setting in the experiment's result -> the environment variable that it comes from.

    """

    kind: str
    name: str
    variables: Mapping[str, str]


class Exercises:
    """The exercises of a lab that set something and measure what comes of it.

    Args:
        code: the lab's number, `01`.
        folder: the lab's folder, such as `01-patterns`.
        places: exercise -> where its settings take effect.

    """

    def __init__(self, code: str, folder: str, places: Mapping[str, Place]) -> None:
        self._code = code
        self._folder = folder
        self._places = places

    def settings(self, bundle: Bundle, exercise: str) -> dict[str, View]:
        """Return an exercise's settings as the cluster has them now, by the name that its experiment gives them.

        Raises:
            Missing: the workload, its container or a variable is not there.

        """
        kind, name, variables = self._places[exercise]
        try:
            workload = self.workload(bundle, exercise)
            values = {field: bundle.env(workload, name, variable).value for field, variable in variables.items()}
        except Missing as missing:
            raise Missing(missing.reason, self._put_back(exercise)) from missing
        return {field: View(value, f"{kind}/{name}: {variables[field]}") for field, value in values.items()}

    def workload(self, bundle: Bundle, exercise: str) -> View:
        """Return the object that an exercise's file changes.

        Raises:
            Missing: it is not there.

        """
        kind, name, _ = self._places[exercise]
        return bundle.object(kind, name, self.namespace)

    @property
    def namespace(self) -> str:
        """Return where the lab's own objects are."""
        return f"lab-{self._code}"

    def result(self, bundle: Bundle, exercise: str) -> View:
        """Return the last result of an exercise's experiment.

        Raises:
            Missing: it has not been run yet, or it failed; says why.

        """
        try:
            answer = bundle.answer(exercise)
        except Missing as missing:
            reason = Text(
                en=f"experiment {exercise} has no result yet: {missing.reason.en}",
                fr=f"l'expérience {exercise} n'a pas encore de résultat : {missing.reason.fr}",
            )
            raise Missing(reason, self.measure(exercise)) from missing
        error = answer.maybe("error")
        if error is not None and error.value is not None:
            raise self._failed(exercise, str(error.value))
        return answer

    def measured(self, bundle: Bundle, exercise: str) -> Finding:
        """Find whether the last result was measured with the settings that the cluster has now.

        Raises:
            Missing: a setting is not there, in the cluster or in the result.

        """
        now = self.settings(bundle, exercise)
        run = self.result(bundle, exercise)
        then = {field: run.at(f"settings[{field}]") for field in now}
        others = [field for field in now if not _same(now[field], then[field])]
        differ = ", ".join(f"{now[field].where}={now[field].value}, {field}={then[field].value}" for field in others)
        return need(
            "measured",
            not others,
            " ".join(f"{field}={then[field].value}" for field in now),
            Text(
                en=f"experiment {exercise} was last run with other settings than the cluster has now: {differ}",
                fr=f"l'expérience {exercise} a été menée avec d'autres réglages que ceux du cluster : {differ}",
            ),
            self.measure(exercise),
        )

    def edit(self, exercise: str, en: str, fr: str) -> Text:
        """Return the remedy that changes an exercise's file, applies it and measures again."""
        again = f"`make lab-{self._code}`", f"`lab compare {self._code} --only {exercise}`"
        return Text(
            en=f"in {self.file(exercise)}: {en}; then {again[0]} and {again[1]}",
            fr=f"dans {self.file(exercise)} : {fr} ; puis {again[0]} et {again[1]}",
        )

    def decide(self, exercise: str, en: str, fr: str) -> Text:
        """Return the remedy that changes a decision, which needs no new measurement, and applies it."""
        file, apply = self.file(exercise), f"`make lab-{self._code}`"
        return Text(
            en=f"{en}; write the choice into {file}, then {apply}",
            fr=f"{fr} ; inscrivez le choix dans {file}, puis {apply}",
        )

    def measure(self, exercise: str) -> Text:
        """Return the remedy that applies what is in the file and measures again."""
        file, apply = self.file(exercise), f"`make lab-{self._code}`"
        again = f"`lab compare {self._code} --only {exercise}`"
        return Text(
            en=f"apply {file} with {apply}, then run {again}", fr=f"appliquez {file} avec {apply}, puis lancez {again}"
        )

    def file(self, exercise: str) -> str:
        """Return the file that the trainee edits."""
        return f"labs/{self._folder}/manifests/work/{exercise}.yaml"

    def _put_back(self, exercise: str) -> Text:
        file, apply = self.file(exercise), f"`make lab-{self._code}`"
        return Text(
            en=f"put it back into {file} (manifests/start has the original), then {apply}",
            fr=f"remettez-le dans {file} (l'original est dans manifests/start), puis {apply}",
        )

    def _failed(self, exercise: str, error: str) -> Missing:
        again = f"`lab compare {self._code} --only {exercise}`"
        return Missing(
            Text(
                en=f"the last run of experiment {exercise} failed: {error}",
                fr=f"la dernière expérience {exercise} a échoué : {error}",
            ),
            Text(
                en=f"put right what it names (`lab status` shows what stands), then {again}",
                fr=f"réparez ce qu'elle nomme (`lab status` montre l'état), puis {again}",
            ),
        )


def together(*runs: Finding) -> Finding:
    """Return what `Exercises.measured` found of several exercises as one finding: the first unmet one says why."""
    first = next((run for run in runs if not run.met), runs[0])
    return need(
        "measured", all(run.met for run in runs), " ".join(run.evidence for run in runs), first.reason, first.remedy
    )


def shown(number: float) -> str:
    """Return a figure as evidence shows it: no digits that mean nothing."""
    return f"{number:.4g}" if abs(number) < 1000 else f"{number:.0f}"  # noqa: PLR2004  four digits are enough


def figure(place: View) -> str:
    """Return a figure as evidence shows it, where the experiment may have had nothing to measure.

    Raises:
        Missing: it is neither a number nor null.

    """
    return "null" if place.value is None else shown(place.number())


def _same(one: View, other: View) -> bool:
    try:
        return one.number() == other.number()
    except Missing:
        return str(one.value) == str(other.value)
