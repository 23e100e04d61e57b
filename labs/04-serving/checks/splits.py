"""Exercise `ab-test`: each passenger sees one version, and the test ends when it was planned to."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "ab-test"
_ASSIGNMENT, _STOPPING = "passenger", ("planned", "sequential")
_LOW, _HIGH = 0.3, 0.7
_ALARMS, _FOUND = 0.1, 0.5
_PASSENGERS, _TESTS = 30, 100


@check
def ab_test(bundle: Bundle) -> Findings:
    """Find whether passengers stay with their version, and whether the test keeps what it promises."""
    now = WORK.settings(bundle, _EXERCISE)
    yield _assignment(now["assignment"])
    yield _stopping(now["stopping"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    split = run.at(f"split.{run.text('settings.assignment')}")
    yield _sticky(split)
    yield _routed(split)
    yield _alarms(run)
    yield _power(run)
    yield _enough(run, split)


def _assignment(chosen: View) -> Finding:
    return need(
        "assignment",
        chosen.text() == _ASSIGNMENT,
        f"{chosen.where}={chosen.text()}",
        Text(
            en=f"{chosen.where} is {chosen.text()}: the same passenger gets A now and B a minute later, so that nobody "
            "can say which of them was liked",
            fr=f"{chosen.where} vaut {chosen.text()} : le même passager reçoit A puis B une minute après, et nul ne "
            "peut dire laquelle a plu",
        ),
        WORK.edit(
            _EXERCISE,
            en="draw once for whoever is asked whether they liked it",
            fr="tirez une seule fois pour qui l'on interroge ensuite",
        ),
    )


def _stopping(chosen: View) -> Finding:
    return need(
        "stopping",
        chosen.text() in _STOPPING,
        f"{chosen.where}={chosen.text()}",
        Text(
            en=f"{chosen.where} is {chosen.text()}: a test that is looked at until it is significant gets there in the "
            "end, with or without a difference",
            fr=f"{chosen.where} vaut {chosen.text()} : un test regardé jusqu'à ce qu'il soit significatif finit par "
            "l'être, avec ou sans différence",
        ),
        WORK.edit(
            _EXERCISE,
            en="fix beforehand when the test ends, or take one that is made to be looked at",
            fr="fixez d'avance la fin du test, ou prenez-en un qui est fait pour être regardé",
        ),
    )


def _sticky(split: View) -> Finding:
    mixed, passengers = split.number("mixed"), split.number("passengers")
    return need(
        "sticky",
        mixed == 0,
        f"mixed={shown(mixed)} passengers={shown(passengers)}",
        Text(
            en=f"{shown(mixed)} of {shown(passengers)} passengers were answered by both versions",
            fr=f"{shown(mixed)} passagers sur {shown(passengers)} ont reçu des réponses des deux versions",
        ),
        WORK.edit(
            _EXERCISE,
            en="compare `mixed` under `split` in the JSON output",
            fr="comparez `mixed` sous `split` dans la sortie JSON",
        ),
    )


def _routed(split: View) -> Finding:
    wrong, share, failed = (split.number(name) for name in ("misrouted", "share_b", "failed"))
    return need(
        "routed",
        wrong == failed == 0 and _LOW <= share <= _HIGH,
        f"misrouted={shown(wrong)} failed={shown(failed)} share_b={shown(share)}",
        Text(
            en=f"{shown(wrong)} requests went to another version than was drawn, {shown(failed)} failed, and B got "
            f"{shown(100 * share)} % of the answers where half was planned",
            fr=f"{shown(wrong)} requêtes sont allées à une autre version que la version tirée, {shown(failed)} ont "
            f"échoué, et B a donné {shown(100 * share)} % des réponses au lieu de la moitié",
        ),
        WORK.measure(_EXERCISE),
    )


def _alarms(run: View) -> Finding:
    chosen = run.text("settings.stopping")
    rate, tests = run.number(f"false_alarms.{chosen}"), run.number("tests")
    return need(
        "alarms",
        rate <= _ALARMS,
        f"false_alarms.{chosen}={shown(rate)} <= {_ALARMS:g}",
        Text(
            en=f"of {shown(tests)} tests of two versions that are equally good, {shown(100 * rate)} % found one of "
            "them better; one in twenty is what 5 % means",
            fr=f"sur {shown(tests)} tests de deux versions également bonnes, {shown(100 * rate)} % en ont trouvé une "
            "meilleure ; 5 % veut dire une fois sur vingt",
        ),
        WORK.edit(
            _EXERCISE,
            en="compare the rules under `false_alarms` in the JSON output",
            fr="comparez les règles sous `false_alarms` dans la sortie JSON",
        ),
    )


def _power(run: View) -> Finding:
    chosen = run.text("settings.stopping")
    rate = run.number(f"found_real.{chosen}")
    return need(
        "power",
        rate >= _FOUND,
        f"found_real.{chosen}={shown(rate)} >= {_FOUND:g}",
        Text(
            en=f"only {shown(100 * rate)} % of the tests found a difference that was there: a test that never speaks "
            "raises no false alarm either",
            fr=f"seuls {shown(100 * rate)} % des tests ont trouvé une différence qui existait : un test qui ne dit "
            "jamais rien ne donne pas de fausse alarme non plus",
        ),
        WORK.measure(_EXERCISE),
    )


def _enough(run: View, split: View) -> Finding:
    passengers, tests = split.number("passengers"), run.number("tests")
    return need(
        "enough",
        passengers >= _PASSENGERS and tests >= _TESTS,
        f"passengers={shown(passengers)} tests={shown(tests)}",
        Text(
            en=f"{shown(passengers)} passengers and {shown(tests)} simulated tests: too few for a verdict",
            fr=f"{shown(passengers)} passagers et {shown(tests)} tests simulés : trop peu pour un verdict",
        ),
        WORK.measure(_EXERCISE),
    )
