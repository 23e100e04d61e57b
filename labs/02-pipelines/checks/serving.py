"""Exercise `serving-view`: one answer from two layers, changed over where the batch layer really ends."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, figure, need, shown

from .work import WORK

_EXERCISE = "serving-view"
_SERVING, _HANDOVER = "merged", "batch-horizon"
_AGE = 60
"""Seconds of event time by which the newest event of the answer may be behind."""
_FEWEST, _FEWEST_NEW = 1000, 100


@check
def serving_view(bundle: Bundle) -> Findings:
    """Find whether both layers are served, joined at the batch layer's horizon, and agree with a replay."""
    now = WORK.settings(bundle, _EXERCISE)
    yield _merged(now["serving"])
    yield _handover(now["handover"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _agree(run)
    yield _once(run)
    yield _fresh(run)
    yield _enough(run)


def _merged(serving: View) -> Finding:
    seen = f"{serving.where}={serving.value}"
    return need(
        "merged",
        serving.value == _SERVING,
        seen,
        Text(
            en=f"{seen}: the batch layer alone ends at its last run, the speed layer alone begins there",
            fr=f"{seen} : la couche batch seule s'arrête à son dernier passage, la couche rapide seule y commence",
        ),
        WORK.edit(
            _EXERCISE,
            en="let TARMAC_SERVING take both layers for one answer",
            fr="faites prendre à TARMAC_SERVING les deux couches pour une seule réponse",
        ),
    )


def _handover(handover: View) -> Finding:
    seen = f"{handover.where}={handover.value}"
    return need(
        "handover",
        handover.value == _HANDOVER,
        seen,
        Text(
            en=f"{seen}: the serving view supposes where the batch layer ends; a run that failed leaves a gap, "
            "a run that came late is counted twice",
            fr=f"{seen} : la vue de service suppose où finit la couche batch ; un passage manqué laisse un trou, "
            "un passage tardif est compté deux fois",
        ),
        WORK.edit(
            _EXERCISE,
            en="let TARMAC_HANDOVER ask the batch layer how far it knows",
            fr="faites demander par TARMAC_HANDOVER à la couche batch jusqu'où elle sait",
        ),
    )


def _agree(run: View) -> Finding:
    cells, missing, twice = (run.number(f"served.{name}") for name in ("cells", "missing", "twice"))
    seen = f"cells={shown(cells)} missing={shown(missing)} twice={shown(twice)}"
    return need(
        "agree",
        cells == missing == twice == 0,
        seen,
        Text(
            en=f"the answer differs from a replay of all events: {shown(cells)} carriers have other figures, "
            f"{shown(missing)} arrivals are missing, {shown(twice)} are counted twice",
            fr=f"la réponse diffère d'un rejeu de tous les événements : {shown(cells)} compagnies ont d'autres "
            f"chiffres, {shown(missing)} arrivées manquent, {shown(twice)} sont comptées deux fois",
        ),
        WORK.edit(
            _EXERCISE,
            en="find in `answers` the way of serving that has no difference",
            fr="trouvez dans `answers` la façon de servir qui n'a aucun écart",
        ),
    )


def _once(run: View) -> Finding:
    twice, missing = run.number("served_after_rerun.twice"), run.number("served_after_rerun.missing")
    return need(
        "once",
        twice == missing == 0,
        f"after_rerun: twice={shown(twice)} missing={shown(missing)}",
        Text(
            en=f"once the batch layer has caught up, {shown(twice)} arrivals are counted twice and {shown(missing)} "
            "are missing: the two layers do not meet where the batch layer ends",
            fr=f"une fois la couche batch rattrapée, {shown(twice)} arrivées sont comptées deux fois et "
            f"{shown(missing)} manquent : les deux couches ne se rejoignent pas là où finit la couche batch",
        ),
        WORK.edit(
            _EXERCISE,
            en="find in `answers_after_rerun` the handover that counts each arrival once",
            fr="trouvez dans `answers_after_rerun` la jonction qui compte chaque arrivée une fois",
        ),
    )


def _fresh(run: View) -> Finding:
    age = run.at("served.age_s")
    return need(
        "fresh",
        age.value is not None and 0 <= age.number() <= _AGE,
        f"age_s={figure(age)} <= {_AGE}",
        Text(
            en=f"the newest arrival in the answer is {figure(age)} s behind the newest of all; {_AGE} s are allowed",
            fr=f"l'arrivée la plus récente de la réponse a {figure(age)} s de retard sur la dernière de toutes ; "
            f"{_AGE} s sont permises",
        ),
        WORK.edit(
            _EXERCISE,
            en="serve the layer that knows the last hours as well",
            fr="servez aussi la couche qui connaît les dernières heures",
        ),
    )


def _enough(run: View) -> Finding:
    events, new = run.number("events"), run.number("speed_events")
    return need(
        "enough",
        events >= _FEWEST and new >= _FEWEST_NEW,
        f"events={shown(events)} speed_events={shown(new)}",
        Text(
            en=f"{shown(events)} arrivals in the window, {shown(new)} of them after the batch layer's horizon: too few "
            "for a verdict on both layers",
            fr=f"{shown(events)} arrivées dans la fenêtre, dont {shown(new)} après l'horizon de la couche batch : trop "
            "peu pour juger les deux couches",
        ),
        WORK.measure(_EXERCISE),
    )
