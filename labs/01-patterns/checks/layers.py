"""Exercise `lambda-kappa`: one business rule in two layers, against one code path that replays the log."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from . import work
from .work import measured, result

_EXERCISE = "lambda-kappa"
_ON_TIME = 15
"""Minutes late up to which a flight counts as on time: the industry's rule."""


@check
def lambda_kappa(bundle: Bundle) -> Findings:
    """Find whether both layers of Lambda apply the one rule, and give what Kappa's replay gives."""
    now = work.settings(bundle, _EXERCISE)
    batch, speed = now["batch_on_time_minutes"], now["speed_on_time_minutes"]
    yield _one_rule(batch, speed)
    yield _rule(batch)
    yield measured(bundle, _EXERCISE)
    run = result(bundle, _EXERCISE)
    yield _agree(run)
    yield _replayed(run)


def _one_rule(batch: View, speed: View) -> Finding:
    first, second = shown(batch.number()), shown(speed.number())
    return need(
        "one-rule",
        batch.number() == speed.number(),
        f"{batch.where}={first} {speed.where}={second}",
        Text(
            en=f"the two layers hold two rules: {batch.where} is {first} minutes, {speed.where} is {second}",
            fr=f"les deux couches tiennent deux règles : {batch.where} vaut {first} minutes, {speed.where} {second}",
        ),
        work.edit(
            _EXERCISE,
            en="let both variables agree on how late a flight may be and still count as on time",
            fr="accordez les deux variables sur le retard que peut avoir un vol encore à l'heure",
        ),
    )


def _rule(batch: View) -> Finding:
    minutes = shown(batch.number())
    return need(
        "rule",
        batch.number() == _ON_TIME,
        f"{batch.where}={minutes}",
        Text(
            en=f"{batch.where} is {minutes} minutes, but the industry counts a flight as on time up to a quarter "
            "of an hour: figures that nobody can compare",
            fr=f"{batch.where} vaut {minutes} minutes, or le secteur compte un vol à l'heure jusqu'à un quart "
            "d'heure : des chiffres que personne ne peut comparer",
        ),
        work.edit(
            _EXERCISE,
            en="use the industry's quarter of an hour, in minutes",
            fr="reprenez le quart d'heure du secteur, en minutes",
        ),
    )


def _agree(run: View) -> Finding:
    cells, merged, replayed = run.number("differences"), run.text("lambda.digest"), run.text("kappa.digest")
    return need(
        "agree",
        run.flag("agree") and cells == 0 and merged == replayed,
        f"differences={shown(cells)} lambda={merged[:8]} kappa={replayed[:8]}",
        Text(
            en=f"Lambda and Kappa differ in {shown(cells)} cells (airline, month): lambda.digest {merged[:8]}, "
            f"kappa.digest {replayed[:8]}",
            fr=f"Lambda et Kappa diffèrent dans {shown(cells)} cases (compagnie, mois) : lambda.digest {merged[:8]}, "
            f"kappa.digest {replayed[:8]}",
        ),
        work.edit(
            _EXERCISE,
            en="look for the layer whose rule is not the one of the other",
            fr="cherchez la couche dont la règle n'est pas celle de l'autre",
        ),
    )


def _replayed(run: View) -> Finding:
    replayed, events = run.number("kappa.replayed"), run.number("events")
    return need(
        "replayed",
        replayed == events > 0,
        f"kappa.replayed={shown(replayed)} events={shown(events)}",
        Text(
            en=f"Kappa replayed {shown(replayed)} events from topic lab-01.modes, but {shown(events)} were published: "
            "Kappa is right only as long as the log still holds everything",
            fr=f"Kappa a rejoué {shown(replayed)} événements du topic lab-01.modes, mais {shown(events)} ont été "
            "publiés : Kappa n'est juste que tant que le journal contient tout",
        ),
        Text(
            en="see that retention.ms of topic lab-01.modes is longer than a run (`make lab-01` sets it as lab.yaml "
            f"declares it), then `lab compare 01 --only {_EXERCISE}`",
            fr="voyez si retention.ms du topic lab-01.modes dépasse la durée d'une expérience (`make lab-01` le remet "
            f"comme dans lab.yaml), puis `lab compare 01 --only {_EXERCISE}`",
        ),
    )
