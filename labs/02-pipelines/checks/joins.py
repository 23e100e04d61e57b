"""Exercise `point-in-time`: a training set holds what was known at each prediction, and nothing of later."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "point-in-time"
_RIGHT = "as-of"
_WORSE = 0.05
"""Share by which a model may be worse when it serves than it was offline: the days differ a little."""
_FEWEST_TRAINING, _FEWEST_HELD_OUT = 1000, 200


@check
def point_in_time(bundle: Bundle) -> Findings:
    """Find whether features are joined at the time of each prediction, so that the offline error holds in serving."""
    yield _join(WORK.settings(bundle, _EXERCISE)["join"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _past(run)
    yield _holds(run)
    yield _enough(run)


def _join(join: View) -> Finding:
    return need(
        "join",
        join.text() == _RIGHT,
        f"{join.where}={join.text()}",
        Text(
            en=f"{join.where} is {join.text()}: a flight is given rows that were not there yet when it was predicted",
            fr=f"{join.where} vaut {join.text()} : un vol reçoit des lignes qui n'existaient pas encore quand on l'a "
            "prédit",
        ),
        WORK.edit(
            _EXERCISE,
            en="take, for each flight, the row that was the newest at the time of its prediction",
            fr="prenez, pour chaque vol, la ligne qui était la plus récente à l'instant de sa prédiction",
        ),
    )


def _past(run: View) -> Finding:
    chosen = run.text("settings.join")
    future = run.number(f"future_rows[{chosen}]")
    return need(
        "past",
        future == 0,
        f"future_rows[{chosen}]={shown(future)}",
        Text(
            en=f"with {chosen}, {shown(future)} rows hold a feature that became known after their prediction",
            fr=f"avec {chosen}, {shown(future)} lignes ont une feature connue seulement après leur prédiction",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose the join after which no row looks into the future",
            fr="choisissez la jointure après laquelle aucune ligne ne regarde dans l'avenir",
        ),
    )


def _holds(run: View) -> Finding:
    chosen = run.text("settings.join")
    offline, served = run.number(f"offline_rmse[{chosen}]"), run.number(f"served_rmse[{chosen}]")
    return need(
        "holds",
        0 < served <= offline * (1 + _WORSE),
        f"offline_rmse[{chosen}]={shown(offline)} served_rmse[{chosen}]={shown(served)}",
        Text(
            en=f"with {chosen}, the error is {shown(offline)} minutes offline and {shown(served)} when the model "
            f"serves: more than {_WORSE:.0%} worse than promised",
            fr=f"avec {chosen}, l'erreur est de {shown(offline)} minutes hors ligne et de {shown(served)} quand le "
            f"modèle sert : plus de {_WORSE * 100:.0f} % de plus que promis",
        ),
        WORK.edit(
            _EXERCISE,
            en="train on what serving will have: the two errors then agree",
            fr="entraînez sur ce que le service aura : les deux erreurs s'accordent alors",
        ),
    )


def _enough(run: View) -> Finding:
    training, held_out = run.number("rows.training"), run.number("rows.held_out")
    return need(
        "enough",
        training >= _FEWEST_TRAINING and held_out >= _FEWEST_HELD_OUT,
        f"rows.training={shown(training)} rows.held_out={shown(held_out)}",
        Text(
            en=f"{shown(training)} flights to train on and {shown(held_out)} to test on are too few for a verdict: "
            f"{_FEWEST_TRAINING} and {_FEWEST_HELD_OUT} are needed",
            fr=f"{shown(training)} vols pour l'entraînement et {shown(held_out)} pour l'essai : trop peu pour "
            f"conclure, il en faut {_FEWEST_TRAINING} et {_FEWEST_HELD_OUT}",
        ),
        WORK.measure(_EXERCISE),
    )
