"""Exercise `blue-green`: the way back from a bad version is the route, at once and without a failed request."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "blue-green"
_RIGHT, _OTHER = "route", "deploy"
_SECONDS = 5.0


@check
def blue_green(bundle: Bundle) -> Findings:
    """Find whether the way back is the route, and whether it took everybody back at once."""
    yield _way(WORK.settings(bundle, _EXERCISE)["way_back"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    chosen = run.at(f"ways.{run.text('settings.way_back')}")
    yield _bad_before(chosen)
    yield _instant(chosen)
    yield _sooner(run)
    yield _served(chosen)


def _way(way: View) -> Finding:
    return need(
        "way",
        way.text() == _RIGHT,
        f"{way.where}={way.text()}",
        Text(
            en=f"{way.where} is {way.text()}: the old version has to be fetched, examined and loaded while the bad one "
            "goes on answering",
            fr=f"{way.where} vaut {way.text()} : l'ancienne version doit être récupérée, examinée et chargée pendant "
            "que la mauvaise continue de répondre",
        ),
        WORK.edit(
            _EXERCISE,
            en="go back to servers that have had the old version all the time",
            fr="revenez aux serveurs qui ont gardé l'ancienne version tout du long",
        ),
    )


def _bad_before(chosen: View) -> Finding:
    bad = chosen.number("bad_before")
    return need(
        "bad-before",
        bad > 0,
        f"bad_before={shown(bad)}",
        Text(
            en="nobody got the bad version before the way back was taken: there was nothing to come back from",
            fr="personne n'a reçu la mauvaise version avant le retour : il n'y avait rien à quitter",
        ),
        WORK.measure(_EXERCISE),
    )


def _instant(chosen: View) -> Finding:
    seconds, bad = chosen.number("seconds"), chosen.number("bad_after")
    return need(
        "instant",
        seconds <= _SECONDS,
        f"seconds={shown(seconds)} <= {_SECONDS:g} bad_after={shown(bad)}",
        Text(
            en=f"it took {shown(seconds)} s until all answers were the old version's, and {shown(bad)} more were bad; "
            f"{_SECONDS:g} s are allowed",
            fr=f"il a fallu {shown(seconds)} s pour que toutes les réponses soient celles de l'ancienne version, et "
            f"{shown(bad)} de plus étaient mauvaises ; {_SECONDS:g} s sont permises",
        ),
        WORK.edit(
            _EXERCISE,
            en="compare `seconds` of the two ways under `ways` in the JSON output",
            fr="comparez `seconds` des deux voies sous `ways` dans la sortie JSON",
        ),
    )


def _sooner(run: View) -> Finding:
    route, deploy = run.number(f"ways.{_RIGHT}.seconds"), run.number(f"ways.{_OTHER}.seconds")
    return need(
        "sooner",
        route < deploy,
        f"{_RIGHT}={shown(route)} {_OTHER}={shown(deploy)}",
        Text(
            en=f"by the route it took {shown(route)} s, by deploying {shown(deploy)} s: this run shows no difference",
            fr=f"par la route il a fallu {shown(route)} s, par le déploiement {shown(deploy)} s : cette expérience ne "
            "montre pas de différence",
        ),
        WORK.measure(_EXERCISE),
    )


def _served(chosen: View) -> Finding:
    failed, answers = chosen.number("failed"), chosen.number("answers")
    return need(
        "served",
        failed == 0 < answers,
        f"failed={shown(failed)} answers={shown(answers)}",
        Text(
            en=f"{shown(failed)} of {shown(answers)} requests failed on the way back",
            fr=f"{shown(failed)} requêtes sur {shown(answers)} ont échoué pendant le retour",
        ),
        WORK.measure(_EXERCISE),
    )
