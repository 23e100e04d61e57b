"""Exercise `online-freshness`: features are in the online store within a second of their event."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "online-freshness"
_SECONDS = 1.0
"""How old a feature may be when a prediction reads it."""
_FEWEST = 10
_LAG = 1000


@check
def online_freshness(bundle: Bundle) -> Findings:
    """Find whether the speed layer writes often enough, was measured so, and keeps up."""
    yield _pause(WORK.settings(bundle, _EXERCISE)["online_seconds"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _fresh(run)
    yield _enough(run)
    yield _keeps_up(bundle)


def _pause(seconds: View) -> Finding:
    return need(
        "pause",
        0 <= seconds.number() < _SECONDS,
        f"{seconds.where}={shown(seconds.number())}",
        Text(
            en=f"{seconds.where} is {shown(seconds.number())} s: a row waits that long before it is written, "
            f"and it has to be there within {_SECONDS:g} s of its event",
            fr=f"{seconds.where} vaut {shown(seconds.number())} s : une ligne attend ce temps avant d'être écrite, "
            f"or elle doit être là moins de {_SECONDS:g} s après son événement",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose a pause clearly below a second",
            fr="choisissez une pause nettement inférieure à une seconde",
        ),
    )


def _fresh(run: View) -> Finding:
    seconds = run.number("seconds_p95")
    return need(
        "fresh",
        seconds <= _SECONDS,
        f"seconds_p95={shown(seconds)}",
        Text(
            en=f"19 of 20 readings were in the online store after {shown(seconds)} s; {_SECONDS:g} s is wanted",
            fr=f"19 relevés sur 20 étaient dans le magasin en ligne après {shown(seconds)} s ; "
            f"il en faut {_SECONDS:g} au plus",
        ),
        WORK.edit(
            _EXERCISE,
            en="shorten the pause; if it is short already, let the machine rest (`lab status`) and measure again",
            fr="raccourcissez la pause ; si elle l'est déjà, laissez la machine se reposer (`lab status`) et "
            "mesurez de nouveau",
        ),
    )


def _enough(run: View) -> Finding:
    events = run.number("events")
    return need(
        "enough",
        events >= _FEWEST,
        f"events={shown(events)}",
        Text(
            en=f"only {shown(events)} readings were measured: too few for a verdict",
            fr=f"seuls {shown(events)} relevés ont été mesurés : trop peu pour conclure",
        ),
        WORK.measure(_EXERCISE),
    )


def _keeps_up(bundle: Bundle) -> Finding:
    lag = bundle.lag("lab-02-speed")
    return need(
        "keeps-up",
        lag <= _LAG,
        f"lag={shown(lag)}",
        Text(
            en=f"the speed layer is {shown(lag)} events behind the log: what it writes is fresh for no flight of now",
            fr=f"la couche rapide a {shown(lag)} événements de retard sur le journal : ce qu'elle écrit n'est frais "
            "pour aucun vol de maintenant",
        ),
        Text(
            en="see `lab kubectl logs -n lab-02 deploy/speed`, wait until it has caught up, then check again",
            fr="voyez `lab kubectl logs -n lab-02 deploy/speed`, attendez qu'elle ait rattrapé, puis revérifiez",
        ),
    )
