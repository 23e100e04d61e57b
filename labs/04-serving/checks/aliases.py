"""Exercise `model-aliases`: callers of an alias leave a bad version with the registry, and lose no request."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, figure, need, shown

from .work import WORK

_EXERCISE = "model-aliases"
_RIGHT = "alias"
_SECONDS = 15
"""In which callers must have left the bad version: the server looks at the registry each second, and loads."""


@check
def model_aliases(bundle: Bundle) -> Findings:
    """Find whether callers name an alias, and whether that brought all of them back to the good version."""
    yield _reference(WORK.settings(bundle, _EXERCISE)["reference"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    caller = run.at(f"callers.{run.text('settings.reference')}")
    yield _bad_before(caller)
    yield _back(caller)
    yield _soon(caller)
    yield _served(caller)


def _reference(reference: View) -> Finding:
    return need(
        "reference",
        reference.text() == _RIGHT,
        f"{reference.where}={reference.text()}",
        Text(
            en=f"{reference.where} is {reference.text()}: whoever asks for a number gets that version, whatever the "
            "registry has learnt about it since",
            fr=f"{reference.where} vaut {reference.text()} : qui demande un numéro reçoit cette version, quoi que le "
            "registre ait appris d'elle depuis",
        ),
        WORK.edit(
            _EXERCISE,
            en="let callers name what the registry can move",
            fr="faites nommer par les appelants ce que le registre peut déplacer",
        ),
    )


def _bad_before(caller: View) -> Finding:
    bad = caller.number("bad_before")
    return need(
        "bad-before",
        bad > 0,
        f"bad_before={shown(bad)}",
        Text(
            en="no caller got the bad version before the alias moved back: there was nothing to come back from",
            fr="aucun appelant n'a reçu la mauvaise version avant le retour de l'alias : il n'y avait rien à quitter",
        ),
        WORK.measure(_EXERCISE),
    )


def _back(caller: View) -> Finding:
    bad, answers = caller.number("bad_after"), caller.number("answers_after")
    return need(
        "back",
        bad == 0 < answers,
        f"bad_after={shown(bad)} answers_after={shown(answers)}",
        Text(
            en=f"{shown(bad)} of {shown(answers)} answers were still the bad version's after the server had followed "
            "the alias back",
            fr=f"{shown(bad)} réponses sur {shown(answers)} venaient encore de la mauvaise version après que le "
            "serveur eut suivi le retour de l'alias",
        ),
        WORK.edit(
            _EXERCISE,
            en="find under `callers` in the JSON output the kind of caller whose `bad_after` is 0",
            fr="trouvez sous `callers`, dans la sortie JSON, la sorte d'appelant dont `bad_after` est 0",
        ),
    )


def _soon(caller: View) -> Finding:
    seconds = caller.at("seconds_to_good")
    return need(
        "soon",
        # Where bad answers do not end, `back` tells of it.
        seconds.value is None or seconds.number() <= _SECONDS,
        f"seconds_to_good={figure(seconds)} <= {_SECONDS}",
        Text(
            en=f"the last bad answer came {figure(seconds)} s after the alias had moved; {_SECONDS} s are allowed",
            fr=f"la dernière mauvaise réponse est venue {figure(seconds)} s après le déplacement de l'alias ; "
            f"{_SECONDS} s sont permises",
        ),
        WORK.measure(_EXERCISE),
    )


def _served(caller: View) -> Finding:
    failed, answers = caller.number("failed"), caller.number("answers")
    return need(
        "served",
        failed == 0 < answers,
        f"failed={shown(failed)} answers={shown(answers)}",
        Text(
            en=f"{shown(failed)} of {shown(answers)} requests failed while the version changed: a swap is to lose none",
            fr=f"{shown(failed)} requêtes sur {shown(answers)} ont échoué pendant le changement de version : il ne "
            "doit s'en perdre aucune",
        ),
        WORK.measure(_EXERCISE),
    )
