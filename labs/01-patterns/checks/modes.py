"""Exercise `processing-modes`: batch, micro-batch and streaming over the same arrivals."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from . import work
from .work import measured, result

MODES = ("batch", "micro-batch", "streaming")
_EXERCISE = "processing-modes"
_LONGEST_WINDOW = 5
"""Seconds: what the question's readers accept."""
_LATEST = 2
"""Seconds: a slow machine may finish late, by a window or this much, whichever is less."""


@check
def processing_modes(bundle: Bundle) -> Findings:
    """Find whether micro-batches give the same figures as the other modes, only seconds old."""
    window = work.settings(bundle, _EXERCISE)["window_seconds"]
    yield _window(window)
    yield measured(bundle, _EXERCISE)
    run = result(bundle, _EXERCISE)
    yield _agree(run)
    yield _fresh(run, window.number())


def _window(window: View) -> Finding:
    seconds = window.number()
    return need(
        "window",
        0 < seconds <= _LONGEST_WINDOW,
        f"{window.where}={shown(seconds)}",
        Text(
            en=f"{window.where} is {shown(seconds)} s: a micro-batch can be no fresher than its window, "
            f"and the figure is wanted every {_LONGEST_WINDOW} s or sooner",
            fr=f"{window.where} vaut {shown(seconds)} s : un micro-batch n'est jamais plus frais que sa fenêtre, "
            f"et le chiffre est attendu toutes les {_LONGEST_WINDOW} s ou plus tôt",
        ),
        work.edit(
            _EXERCISE,
            en=f"choose a TARMAC_WINDOW_SECONDS above 0 that leaves time to compute within {_LONGEST_WINDOW} s",
            fr=f"choisissez un TARMAC_WINDOW_SECONDS supérieur à 0, calcul compris dans les {_LONGEST_WINDOW} s",
        ),
    )


def _agree(run: View) -> Finding:
    digests = {mode: run.text(f"modes[{mode}].digest") for mode in MODES}
    events = run.number("events")
    seen = " ".join(f"{mode}={digest[:8]}" for mode, digest in digests.items())
    return need(
        "agree",
        run.flag("agree") and len(set(digests.values())) == 1 and events > 0,
        f"events={shown(events)} {seen}",
        Text(
            en=f"the three modes do not give the same figures for the same {shown(events)} arrivals: {seen}",
            fr=f"les trois modes ne donnent pas les mêmes chiffres pour les mêmes {shown(events)} arrivées : {seen}",
        ),
        Text(
            en="a mode that was interrupted has read less: see `kubectl -n lab-01 logs deployment/analyst`, "
            f"then `lab compare 01 --only {_EXERCISE}`",
            fr="un mode interrompu a lu moins : voyez `kubectl -n lab-01 logs deployment/analyst`, "
            f"puis `lab compare 01 --only {_EXERCISE}`",
        ),
    )


def _fresh(run: View, window: float) -> Finding:
    staleness = run.number("modes[micro-batch].staleness_p95_s")
    limit = _LONGEST_WINDOW + min(max(window, 0), _LATEST)
    return need(
        "fresh",
        staleness <= limit,
        f"micro-batch staleness_p95_s={shown(staleness)} <= {shown(limit)}",
        Text(
            en=f"what micro-batch shows is {shown(staleness)} s old (staleness_p95_s), more than {shown(limit)} s: "
            f"the window of {shown(window)} s and the time to compute add up",
            fr=f"ce que montre le micro-batch a {shown(staleness)} s de retard (staleness_p95_s), plus de "
            f"{shown(limit)} s : la fenêtre de {shown(window)} s et le temps du calcul s'ajoutent",
        ),
        work.edit(
            _EXERCISE,
            en="shorten TARMAC_WINDOW_SECONDS; if it is short already, let the machine come to rest",
            fr="raccourcissez TARMAC_WINDOW_SECONDS ; s'il est déjà court, laissez la machine se reposer",
        ),
    )
