"""Exercise `federated-learning`: one model from three airports, whose flights stay where they are."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from . import work
from .work import measured, result

_EXERCISE = "federated-learning"
_FEWEST_ROUNDS = 5
_CLOSE = 1.05
"""Federated error over the error of a model trained on all flights in one place."""


@check
def federated_learning(bundle: Bundle) -> Findings:
    """Find whether the shared model comes close to the central one without a flight leaving its site."""
    now = work.settings(bundle, _EXERCISE)
    yield _weighting(now["weights"])
    yield _rounds(now["rounds"])
    yield measured(bundle, _EXERCISE)
    run = result(bundle, _EXERCISE)
    yield _close(run)
    yield _private(run)


def _weighting(weights: View) -> Finding:
    seen = f"{weights.where}={weights.value}"
    return need(
        "weighting",
        weights.value == "samples",
        seen,
        Text(
            en=f"{seen}: the site with the fewest flights pulls the shared model as hard as the one with the most",
            fr=f"{seen} : le site qui a le moins de vols tire le modèle commun aussi fort que celui qui en a le plus",
        ),
        work.edit(
            _EXERCISE,
            en="let TARMAC_WEIGHTS count what each site has learned from",
            fr="faites compter à TARMAC_WEIGHTS ce dont chaque site a appris",
        ),
    )


def _rounds(rounds: View) -> Finding:
    count = rounds.number()
    return need(
        "rounds",
        count >= _FEWEST_ROUNDS,
        f"{rounds.where}={shown(count)}",
        Text(
            en=f"{rounds.where} is {shown(count)}: in fewer than {_FEWEST_ROUNDS} rounds the sites hardly learn "
            "from each other",
            fr=f"{rounds.where} vaut {shown(count)} : en moins de {_FEWEST_ROUNDS} tours, les sites n'apprennent "
            "guère les uns des autres",
        ),
        work.edit(
            _EXERCISE,
            en="raise TARMAC_ROUNDS until `ratio` no longer falls; bytes_sent shows what a round costs",
            fr="augmentez TARMAC_ROUNDS tant que `ratio` baisse ; bytes_sent montre ce que coûte un tour",
        ),
    )


def _close(run: View) -> Finding:
    ratio = run.number("ratio")
    federated, central = shown(run.number("rmse_federated")), shown(run.number("rmse_central"))
    seen = f"rmse_federated={federated} rmse_central={central} ratio={shown(ratio)} <= {_CLOSE}"
    return need(
        "close",
        0 < ratio <= _CLOSE,
        seen,
        Text(
            en=f"the shared model is further from the central one than {_CLOSE - 1:.0%} of its error: {seen}",
            fr=f"le modèle commun s'écarte du modèle central de plus de {round((_CLOSE - 1) * 100)} % de son erreur : "
            f"{seen}",
        ),
        work.edit(
            _EXERCISE,
            en="more rounds bring it closer, and so does a mean that weighs the sites by their flights",
            fr="plus de tours le rapprochent, de même qu'une moyenne qui pèse les sites selon leurs vols",
        ),
    )


def _private(run: View) -> Finding:
    rows, sent = run.number("rows_sent"), shown(run.number("bytes_sent"))
    return need(
        "private",
        rows == 0,
        f"rows_sent={shown(rows)} bytes_sent={sent}",
        Text(
            en=f"{shown(rows)} flights left their site: only parameters may travel",
            fr=f"{shown(rows)} vols ont quitté leur site : seuls des paramètres peuvent voyager",
        ),
        Text(
            en=f"put StatefulSet/edge and Deployment/centre back with `make lab-01`, then "
            f"`lab compare 01 --only {_EXERCISE}`",
            fr=f"rétablissez le StatefulSet/edge et le Deployment/centre avec `make lab-01`, puis "
            f"`lab compare 01 --only {_EXERCISE}`",
        ),
    )
