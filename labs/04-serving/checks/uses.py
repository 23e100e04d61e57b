"""Exercise `sync-async`: each use has the way that keeps its promise: quick, never lost, or many at once."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "sync-async"
_PUSHBACK, _REBOOKING, _REPORT = "http", "topic", "job"
_SECONDS, _LATE = 0.25, 60.0


@check
def sync_async(bundle: Bundle) -> Findings:
    """Find whether each use is asked in the way whose figures keep its promise."""
    now = WORK.settings(bundle, _EXERCISE)
    yield _pushback(now["pushback"])
    yield _rebooking(now["rebooking"])
    yield _report(now["report"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _quick(run)
    yield _away(run)
    yield _lost(run)
    yield _in_time(run)
    yield _many(run)


def _pushback(chosen: View) -> Finding:
    return need(
        "pushback",
        chosen.text() == _PUSHBACK,
        f"{chosen.where}={chosen.text()}",
        Text(
            en=f"{chosen.where} is {chosen.text()}: somebody stands at the gate and waits for this one answer",
            fr=f"{chosen.where} vaut {chosen.text()} : quelqu'un est à la porte et attend cette réponse",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose for the push-back the way in which the answer comes with the request",
            fr="choisissez pour le repoussage la voie où la réponse vient avec la requête",
        ),
    )


def _rebooking(chosen: View) -> Finding:
    return need(
        "rebooking",
        chosen.text() == _REBOOKING,
        f"{chosen.where}={chosen.text()}",
        Text(
            en=f"{chosen.where} is {chosen.text()}: a wave must survive a server that is away, and still be answered "
            "within the minute",
            fr=f"{chosen.where} vaut {chosen.text()} : une vague doit survivre à l'absence du serveur, et avoir quand "
            "même ses réponses dans la minute",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose for the rebookings the way that keeps requests while nobody answers",
            fr="choisissez pour les réacheminements la voie qui garde les requêtes tant que personne ne répond",
        ),
    )


def _report(chosen: View) -> Finding:
    return need(
        "report",
        chosen.text() == _REPORT,
        f"{chosen.where}={chosen.text()}",
        Text(
            en=f"{chosen.where} is {chosen.text()}: a report of many rows needs no answer to each of them, it needs "
            "all by the morning",
            fr=f"{chosen.where} vaut {chosen.text()} : un rapport de nombreuses lignes ne demande pas une réponse à "
            "chacune, il les veut toutes au matin",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose for the report the way that computes rows by the hundred",
            fr="choisissez pour le rapport la voie qui calcule les lignes par centaines",
        ),
    )


def _quick(run: View) -> Finding:
    chosen = run.text("settings.pushback")
    seconds = run.number(f"pushback.{chosen}.seconds_p95")
    return need(
        "quick",
        seconds <= _SECONDS,
        f"pushback.{chosen}.seconds_p95={shown(seconds)} <= {_SECONDS:g}",
        Text(
            en=f"at push-back 19 of 20 answers took up to {shown(seconds)} s by {chosen}; {_SECONDS:g} s is promised",
            fr=f"au repoussage, 19 réponses sur 20 ont pris jusqu'à {shown(seconds)} s par {chosen} ; {_SECONDS:g} s "
            "est promise",
        ),
        WORK.edit(
            _EXERCISE,
            en="compare the ways under `pushback` in the JSON output; let the machine rest if all are slow",
            fr="comparez les voies sous `pushback` dans la sortie JSON ; laissez la machine se reposer si toutes sont "
            "lentes",
        ),
    )


def _away(run: View) -> Finding:
    lost = run.number(f"rebooking.{_PUSHBACK}.lost")
    return need(
        "away",
        lost > 0,
        f"rebooking.{_PUSHBACK}.lost={shown(lost)}",
        Text(
            en="even over HTTP nothing was lost: the server was not away while the wave came, so nothing was tested",
            fr="même en HTTP rien ne s'est perdu : le serveur n'était pas absent pendant la vague, rien n'a donc été "
            "éprouvé",
        ),
        WORK.measure(_EXERCISE),
    )


def _lost(run: View) -> Finding:
    chosen = run.text("settings.rebooking")
    lost, sent = (run.number(f"rebooking.{chosen}.{name}") for name in ("lost", "requests"))
    return need(
        "lost",
        lost == 0 < sent,
        f"rebooking.{chosen}.lost={shown(lost)} requests={shown(sent)}",
        Text(
            en=f"{shown(lost)} of {shown(sent)} rebookings by {chosen} had no answer, then or later",
            fr=f"{shown(lost)} réacheminements sur {shown(sent)} par {chosen} n'ont eu aucune réponse, ni alors ni "
            "plus tard",
        ),
        WORK.edit(
            _EXERCISE,
            en="compare `lost` of the ways under `rebooking` in the JSON output",
            fr="comparez `lost` des voies sous `rebooking` dans la sortie JSON",
        ),
    )


def _in_time(run: View) -> Finding:
    chosen = run.text("settings.rebooking")
    seconds = run.number(f"rebooking.{chosen}.seconds_p95")
    return need(
        "in-time",
        seconds <= _LATE,
        f"rebooking.{chosen}.seconds_p95={shown(seconds)} <= {_LATE:g}",
        Text(
            en=f"19 of 20 rebookings waited up to {shown(seconds)} s for their answer; a minute is promised",
            fr=f"19 réacheminements sur 20 ont attendu jusqu'à {shown(seconds)} s leur réponse ; une minute est "
            "promise",
        ),
        WORK.measure(_EXERCISE),
    )


def _many(run: View) -> Finding:
    chosen = run.text("settings.report")
    rates = {name: each.number("rows_per_second") for name, each in run.entries("report").items()}
    seen = " ".join(f"{name}={shown(rate)}" for name, rate in rates.items())
    return need(
        "many",
        rates.get(chosen, 0.0) >= max(rates.values()),
        f"rows_per_second: {seen}",
        Text(
            en=f"the report by {chosen} is not the quickest by these figures (rows/s): {seen}",
            fr=f"le rapport par {chosen} n'est pas le plus rapide d'après ces chiffres (lignes/s) : {seen}",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose for the report the way with the most rows a second",
            fr="choisissez pour le rapport la voie qui a le plus de lignes par seconde",
        ),
    )
