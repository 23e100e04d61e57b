"""Exercise `circuit-breaker`: what the gateway does while `delays` hangs, and afterwards."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, figure, need, shown

from . import work
from .work import measured, result

_EXERCISE = "circuit-breaker"
_LONGEST_CALL = 2
"""Seconds that a waiting passenger may be kept by one call."""
_MOST_FAILURES = 20
_SHORTEST_PAUSE = 0.5
"""Seconds that a dependency needs at least to get its breath back."""
_AT_ONCE_MS = 150
"""Milliseconds: an answer without a call, on a slow and busy machine."""


@check
def circuit_breaker(bundle: Bundle) -> Findings:
    """Find whether the breaker opened while delays hung, answered at once meanwhile, and closed by itself."""
    now = work.settings(bundle, _EXERCISE)
    yield _timeout(now["timeout_seconds"])
    yield _threshold(now["failures"])
    yield _pause(now["pause_seconds"])
    yield measured(bundle, _EXERCISE)
    run = result(bundle, _EXERCISE)
    yield _opened(run)
    yield _fast(run)
    yield _recovered(run)


def _timeout(timeout: View) -> Finding:
    seconds = timeout.number()
    return need(
        "timeout",
        0 < seconds <= _LONGEST_CALL,
        f"{timeout.where}={shown(seconds)}",
        Text(
            en=f"{timeout.where} is {shown(seconds)} s: a call to delays must end, and after {_LONGEST_CALL} s "
            "at most, before the passenger gives up",
            fr=f"{timeout.where} vaut {shown(seconds)} s : un appel à delays doit finir, et en {_LONGEST_CALL} s "
            "au plus, avant que le passager ne renonce",
        ),
        work.edit(
            _EXERCISE,
            en="set TARMAC_CALL_TIMEOUT_SECONDS a few times above what a good call takes",
            fr="réglez TARMAC_CALL_TIMEOUT_SECONDS à quelques fois la durée d'un appel réussi",
        ),
    )


def _threshold(failures: View) -> Finding:
    count = failures.number()
    return need(
        "threshold",
        1 <= count <= _MOST_FAILURES,
        f"{failures.where}={shown(count)}",
        Text(
            en=f"{failures.where} is {shown(count)}: 0 means that there is no breaker, and above {_MOST_FAILURES} "
            "it opens when everybody has waited already",
            fr=f"{failures.where} vaut {shown(count)} : 0 signifie aucun disjoncteur, et au-delà de "
            f"{_MOST_FAILURES} il s'ouvre quand tout le monde a déjà attendu",
        ),
        work.edit(
            _EXERCISE,
            en="choose TARMAC_BREAKER_FAILURES so that one bad call does not open the breaker, but a fault soon does",
            fr="choisissez TARMAC_BREAKER_FAILURES pour qu'un seul échec n'ouvre pas le disjoncteur, "
            "mais qu'une panne l'ouvre vite",
        ),
    )


def _pause(pause: View) -> Finding:
    seconds = pause.number()
    return need(
        "pause",
        seconds >= _SHORTEST_PAUSE,
        f"{pause.where}={shown(seconds)}",
        Text(
            en=f"{pause.where} is {shown(seconds)} s: an open breaker that tries again sooner than after "
            f"{_SHORTEST_PAUSE} s leaves delays no peace",
            fr=f"{pause.where} vaut {shown(seconds)} s : un disjoncteur ouvert qui réessaie avant "
            f"{_SHORTEST_PAUSE} s ne laisse aucun répit à delays",
        ),
        work.edit(
            _EXERCISE,
            en="set TARMAC_BREAKER_PAUSE_SECONDS to the time in which a dependency may get well, not much longer",
            fr="réglez TARMAC_BREAKER_PAUSE_SECONDS au temps qu'il faut à une dépendance pour se remettre, guère plus",
        ),
    )


def _opened(run: View) -> Finding:
    opened, calls, reached = run.number("opened"), run.number("calls"), run.number("reached")
    seen = f"opened={shown(opened)} calls={shown(calls)} reached={shown(reached)}"
    return need(
        "opened",
        opened >= 1,
        seen,
        Text(
            en=f"the breaker never opened while delays hung, so {shown(reached)} calls ran into the fault: {seen}",
            fr=f"le disjoncteur ne s'est jamais ouvert pendant le blocage de delays, et {shown(reached)} appels "
            f"ont rencontré la panne : {seen}",
        ),
        work.edit(
            _EXERCISE,
            en="fewer failures must suffice to open it, and a call must count as failed sooner",
            fr="moins d'échecs doivent suffire à l'ouvrir, et un appel doit compter plus tôt comme un échec",
        ),
    )


def _fast(run: View) -> Finding:
    place = run.at("open_p95_ms")
    took = figure(place)
    return need(
        "fast",
        place.value is not None and place.number() <= _AT_ONCE_MS,
        f"open_p95_ms={took} <= {_AT_ONCE_MS}",
        Text(
            en=f"while the breaker was open, answers should come at once: open_p95_ms is {took}, "
            f"{_AT_ONCE_MS} at most are wanted (null: it was never open)",
            fr=f"disjoncteur ouvert, les réponses devraient venir aussitôt : open_p95_ms vaut {took}, "
            f"{_AT_ONCE_MS} au plus sont attendues (null : il n'a jamais été ouvert)",
        ),
        work.edit(
            _EXERCISE,
            en="a pause that is too short lets too many calls try again; if it is long enough, "
            "let the machine come to rest",
            fr="une pause trop courte laisse trop d'appels réessayer ; si elle est assez longue, "
            "laissez la machine se reposer",
        ),
    )


def _recovered(run: View) -> Finding:
    seen = f"closed_again={str(run.flag('closed_again')).lower()} recovery_s={figure(run.at('recovery_s'))}"
    return need(
        "recovered",
        run.flag("closed_again"),
        seen,
        Text(
            en=f"delays was well again, but the breaker did not close before the experiment ended: {seen}",
            fr=f"delays était rétabli, mais le disjoncteur ne s'est pas refermé avant la fin de l'expérience : {seen}",
        ),
        work.edit(
            _EXERCISE,
            en="shorten TARMAC_BREAKER_PAUSE_SECONDS, or give the trial call more time with "
            "TARMAC_CALL_TIMEOUT_SECONDS",
            fr="raccourcissez TARMAC_BREAKER_PAUSE_SECONDS, ou laissez plus de temps à l'appel d'essai avec "
            "TARMAC_CALL_TIMEOUT_SECONDS",
        ),
    )
