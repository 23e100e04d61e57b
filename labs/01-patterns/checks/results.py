"""What the experiments measured: each one's last result, and whether it was measured with today's settings."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Missing, Text, View, need

from . import work


def result(bundle: Bundle, exercise: str) -> View:
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
        raise Missing(reason, work.measure(exercise)) from missing
    error = answer.maybe("error")
    if error is not None and error.value is not None:
        raise _failed(exercise, str(error.value))
    return answer


def measured(bundle: Bundle, exercise: str) -> Finding:
    """Find whether the last result was measured with the settings that the cluster has now.

    Raises:
        Missing: a setting is not there, in the cluster or in the result.

    """
    now = work.settings(bundle, exercise)
    run = result(bundle, exercise)
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
        work.measure(exercise),
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


def _failed(exercise: str, error: str) -> Missing:
    return Missing(
        Text(
            en=f"the last run of experiment {exercise} failed: {error}",
            fr=f"la dernière expérience {exercise} a échoué : {error}",
        ),
        Text(
            en=f"put right what it names (`lab status` shows what stands), then `lab compare 01 --only {exercise}`",
            fr=f"réparez ce qu'elle nomme (`lab status` montre l'état), puis `lab compare 01 --only {exercise}`",
        ),
    )
