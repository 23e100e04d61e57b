"""Exercise `choose-patterns`: for each use case, a pattern that meets its need, by the figures of this cluster."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown, together

from . import work
from .edge import answered_offline
from .modes import MODES
from .work import measured, result

_DECISION = "decision"
_FRESH_SECONDS = 1
"""How old a recommendation's figures may be."""
_NEAR_CHEAPEST = 1.25
"""CPU within a quarter of the least counts as the least: on a small busy machine the rest is noise."""


@check
def choose_patterns(bundle: Bundle) -> Findings:
    """Find whether each use case's pattern meets what the use case needs, by the figures measured here."""
    chosen = bundle.object("ConfigMap", _DECISION, work.NAMESPACE)
    yield together(measured(bundle, "processing-modes"), measured(bundle, "edge-offline"))
    modes, edge = result(bundle, "processing-modes"), result(bundle, "edge-offline")
    yield _recommendation(chosen.at("data.recommendation"), modes)
    yield _punctuality(chosen.at("data.punctuality"), modes)
    yield _weather(chosen.at("data.weather"), edge)


def _recommendation(chosen: View, run: View) -> Finding:
    staleness = {mode: run.number(f"modes[{mode}].staleness_p95_s") for mode in MODES}
    seen = _figures("staleness_p95_s", staleness)
    return need(
        "recommendation",
        staleness.get(_name(chosen), float("inf")) <= _FRESH_SECONDS,
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: a passenger who waits needs figures of at most {_FRESH_SECONDS} s "
            f"of staleness. Measured: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : un passager qui attend demande des chiffres de "
            f"{_FRESH_SECONDS} s de retard au plus. Mesuré : {seen}",
        ),
        work.decide(
            en=f"take for recommendation, of {', '.join(MODES)}, one that is fresh enough",
            fr=f"prenez pour recommendation, parmi {', '.join(MODES)}, un mode assez frais",
        ),
    )


def _punctuality(chosen: View, run: View) -> Finding:
    cost = {mode: run.number(f"modes[{mode}].cpu_s_per_1000") for mode in MODES}
    seen = _figures("cpu_s_per_1000", cost)
    return need(
        "punctuality",
        cost.get(_name(chosen), float("inf")) <= _NEAR_CHEAPEST * min(cost.values()),
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: a monthly report is fresh enough in every mode, so the least CPU "
            f"decides. Measured: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : un rapport mensuel est assez frais dans tous les modes, le moins "
            f"de CPU décide donc. Mesuré : {seen}",
        ),
        work.decide(
            en=f"take for punctuality, of {', '.join(MODES)}, the one that costs least",
            fr=f"prenez pour punctuality, parmi {', '.join(MODES)}, le mode qui coûte le moins",
        ),
    )


def _weather(chosen: View, run: View) -> Finding:
    shows = answered_offline(run)
    seen = (
        f"asked_offline={shown(run.number('asked_offline'))} answered_offline={shown(run.number('answered_offline'))}"
    )
    return need(
        "weather",
        chosen.value == "edge" and shows,
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: weather is asked at the airport, also while the link is cut, and "
            f"edge-offline must show that the pattern answers then. Measured: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : la météo se demande à l'aéroport, même lien coupé, et "
            f"edge-offline doit montrer que le pattern répond alors. Mesuré : {seen}",
        ),
        work.decide(
            en="do exercise edge-offline first, then take for weather the pattern whose answers need no link",
            fr="faites d'abord l'exercice edge-offline, puis prenez pour weather le pattern qui répond sans lien",
        ),
    )


def _name(chosen: View) -> str:
    return chosen.value if isinstance(chosen.value, str) else ""


def _figures(field: str, figures: dict[str, float]) -> str:
    return f"{field}: " + " ".join(f"{mode}={shown(value)}" for mode, value in figures.items())
