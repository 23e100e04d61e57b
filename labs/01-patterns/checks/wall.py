"""Exercise `bulkhead`: what a hanging `delays` leaves of the gateway for the other questions."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from . import work
from .work import measured, result

_EXERCISE = "bulkhead"
_STORM_FACTOR = 5
_STORM_MS = 300
"""Milliseconds below which a slower answer is the machine's noise, not the storm's."""


@check
def bulkhead(bundle: Bundle) -> Findings:
    """Find whether calls to delays kept to their share of the threads, so that weather stayed as fast as ever."""
    now = work.settings(bundle, _EXERCISE)
    yield _wall(now["delays_threads"], now["pool_threads"])
    yield measured(bundle, _EXERCISE)
    run = result(bundle, _EXERCISE)
    yield _isolated(run)
    yield _all_weather(run)
    yield _rejected(run)


def _wall(share: View, pool: View) -> Finding:
    threads, of = shown(share.number()), shown(pool.number())
    return need(
        "wall",
        1 <= share.number() < pool.number(),
        f"{share.where}={threads} {pool.where}={of}",
        Text(
            en=f"there is no wall: {share.where} is {threads} of {of} threads (TARMAC_POOL_THREADS); 0 and all of "
            "them let calls to delays take the whole pool",
            fr=f"il n'y a pas de cloison : {share.where} vaut {threads} threads sur {of} (TARMAC_POOL_THREADS) ; 0, "
            "ou tous, laissent les appels à delays prendre le pool entier",
        ),
        work.edit(
            _EXERCISE,
            en="leave calls to delays a share of the pool, and the rest to the other questions",
            fr="laissez aux appels à delays une part du pool, et le reste aux autres questions",
        ),
    )


def _isolated(run: View) -> Finding:
    calm, storm = run.number("calm_p95_ms"), run.number("storm_p95_ms")
    limit = max(_STORM_FACTOR * calm, _STORM_MS)
    return need(
        "isolated",
        storm <= limit,
        f"calm_p95_ms={shown(calm)} storm_p95_ms={shown(storm)} <= {shown(limit)}",
        Text(
            en=f"weather questions take {shown(storm)} ms (storm_p95_ms) while delays hangs, {shown(calm)} ms when all "
            f"is well: more than the {shown(limit)} ms that a wall would allow",
            fr=f"les questions de météo prennent {shown(storm)} ms (storm_p95_ms) quand delays bloque, et "
            f"{shown(calm)} ms quand tout va bien : plus que les {shown(limit)} ms que permettrait une cloison",
        ),
        work.edit(
            _EXERCISE,
            en="lower TARMAC_DELAYS_THREADS so that enough threads are left for weather",
            fr="baissez TARMAC_DELAYS_THREADS pour qu'il reste assez de threads à la météo",
        ),
    )


def _all_weather(run: View) -> Finding:
    asked, answered = run.number("weather_asked"), run.number("weather_answered")
    return need(
        "answered",
        answered == asked > 0,
        f"weather_asked={shown(asked)} weather_answered={shown(answered)}",
        Text(
            en=f"of {shown(asked)} weather questions during the storm, {shown(answered)} were answered",
            fr=f"sur {shown(asked)} questions de météo pendant la tempête, {shown(answered)} ont reçu une réponse",
        ),
        work.edit(
            _EXERCISE,
            en="a question that finds no free thread gives up: leave weather more of them",
            fr="une question qui ne trouve aucun thread libre abandonne : laissez-en plus à la météo",
        ),
    )


def _rejected(run: View) -> Finding:
    rejected = run.number("rejected")
    return need(
        "rejected",
        rejected > 0,
        f"rejected={shown(rejected)}",
        Text(
            en="no call to delays was turned away (rejected=0): the wall was never reached, calls queued instead",
            fr="aucun appel à delays n'a été refusé (rejected=0) : la cloison n'a jamais servi, les appels ont attendu",
        ),
        work.edit(
            _EXERCISE,
            en="make TARMAC_DELAYS_THREADS smaller than the number of callers in a storm",
            fr="rendez TARMAC_DELAYS_THREADS plus petit que le nombre d'appelants dans une tempête",
        ),
    )
