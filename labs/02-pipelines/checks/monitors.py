"""Exercise `quality-monitors`: the damage is found, and good days seldom raise an alarm."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Seeded, Text, View, check, need, order, shown

from .work import WORK

_EXERCISE = "quality-monitors"
_MONITORS = ("volume", "silence", "nulls", "range", "drift", "mix")
_DAMAGE = ("lost-rows", "empty-column", "other-unit")
_MOST = 1
"""Good days of the two weeks on which an alarm may be raised all the same."""
_FEWEST = 10


def _order(seed: str) -> list[str]:
    """Return what each damage is, beginning with the first."""
    return order(seed, _EXERCISE, _DAMAGE)


_WHICH = Seeded(WORK, _EXERCISE, "damage", "pipelines", _order)


@check
def quality_monitors(bundle: Bundle) -> Findings:
    """Find whether the chosen monitors exist, find every damage, leave good days alone, and were understood."""
    yield _known(WORK.settings(bundle, _EXERCISE)["monitors"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _found(run, _names(run))
    yield _quiet(run)
    yield _judged(run)
    yield from _WHICH.found(
        bundle,
        run,
        Text(
            en="what damage-1, damage-2 and damage-3 are on this workstation",
            fr="ce que sont damage-1, damage-2 et damage-3 sur ce poste",
        ),
        Text(
            en="read under `monitors` in the JSON output which monitor finds which damage: each looks at one thing",
            fr="lisez sous `monitors`, dans la sortie JSON, quel moniteur trouve quel dégât : chacun regarde une seule "
            "chose",
        ),
    )


def _names(run: View) -> list[str]:
    """Return what the last experiment called the kinds of damage."""
    if not _WHICH.measured(run):  # States of before there were seeds call each what it is.
        return list(_DAMAGE)
    return [f"damage-{number}" for number, _ in enumerate(_DAMAGE, 1)]


def _known(monitors: View) -> Finding:
    names = [name for each in monitors.text().split(",") if (name := each.strip())]
    unknown = ", ".join(name for name in names if name not in _MONITORS)
    known = ", ".join(_MONITORS)
    return need(
        "known",
        bool(names) and not unknown,
        f"{monitors.where}={monitors.text()}",
        Text(
            en=f"{monitors.where} is '{monitors.text()}': there is no monitor {unknown or 'in it'}, so nothing is "
            "watched under that name",
            fr=f"{monitors.where} vaut '{monitors.text()}' : il n'y a pas de moniteur {unknown or 'dedans'}, donc rien "
            "n'est surveillé sous ce nom",
        ),
        WORK.edit(
            _EXERCISE,
            en=f"name some of {known}, separated by commas",
            fr=f"nommez-en parmi {known}, séparés par des virgules",
        ),
    )


def _found(run: View, names: list[str]) -> Finding:
    missed = ", ".join(kind for kind in names if not run.flag(f"found[{kind}]"))
    return need(
        "found",
        not missed,
        " ".join(f"found[{kind}]={str(run.flag(f'found[{kind}]')).lower()}" for kind in names),
        Text(
            en=f"the chosen monitors stay quiet on a day with {missed}: that day goes into training as if it were good",
            fr=f"les moniteurs choisis se taisent un jour avec {missed} : ce jour part à l'entraînement comme s'il "
            "était bon",
        ),
        WORK.edit(
            _EXERCISE,
            en="add the monitor that finds it (`monitors` in the result says which does)",
            fr="ajoutez le moniteur qui le trouve (`monitors`, dans le résultat, dit lequel)",
        ),
    )


def _quiet(run: View) -> Finding:
    alarms, days = run.number("false_alarms"), run.number("days")
    return need(
        "quiet",
        alarms <= _MOST,
        f"false_alarms={shown(alarms)} days={shown(days)}",
        Text(
            en=f"{shown(alarms)} of {shown(days)} good days raised an alarm, and at most {_MOST} may: what is false "
            "that often is soon read by nobody",
            fr=f"{shown(alarms)} bons jours sur {shown(days)} ont levé une alarme, or {_MOST} au plus le peut : ce qui "
            "est faux si souvent n'est bientôt plus lu par personne",
        ),
        WORK.edit(
            _EXERCISE,
            en="leave out a monitor that alarms on good days and finds nothing that another one does not find",
            fr="retirez un moniteur qui alerte sur de bons jours et ne trouve rien qu'un autre ne trouve aussi",
        ),
    )


def _judged(run: View) -> Finding:
    days = run.number("days")
    return need(
        "judged",
        days >= _FEWEST,
        f"days={shown(days)}",
        Text(
            en=f"only {shown(days)} good days were judged: too few to speak of false alarms",
            fr=f"seuls {shown(days)} bons jours ont été jugés : trop peu pour parler de fausses alarmes",
        ),
        WORK.measure(_EXERCISE),
    )
