"""The status of a release: as JSON for programs, and as text for people in both languages."""

import datetime as dt
from typing import Any

import msgspec

from releases.state import Decision, Phase, State
from releases.words import Words

_PHASES = {
    Phase.RUNNING: Words("running", "en cours"),
    Phase.PAUSED: Words("paused: there are no metrics", "en pause : il n'y a pas de métriques"),
    Phase.PROMOTING: Words("being promoted", "en promotion"),
    Phase.PROMOTED: Words("promoted", "promue"),
    Phase.FINISHED: Words("ended well, nothing was moved", "bien finie, rien n'a été déplacé"),
    Phase.ROLLED_BACK: Words("rolled back", "annulée"),
}
_VERDICTS = {
    "promote": Words("promote", "promouvoir"),
    "hold": Words("hold", "attendre"),
    "roll back": Words("roll back", "revenir en arrière"),
    "pause": Words("pause", "suspendre"),
}
_SHOWN = 5  # decisions in the text


def status(state: State | None) -> dict[str, Any]:
    """The status as JSON; `text` holds it for people, by language."""
    if state is None:
        none = Words("no release has been made", "aucune livraison n'a été faite")
        return {"phase": "none", "text": {"en": none.en, "fr": none.fr}}
    here = state.here
    return {
        "phase": state.phase.value,
        "strategy": msgspec.to_builtins(state.plan)["strategy"],
        "model": state.plan.model,
        "version": state.plan.version,
        "stage": {"number": state.stage, "of": len(state.plan.stages()) - 1, "name": here.name, "mode": here.mode},
        "weight": state.route.weight,
        "looks": {"stage": state.looks, "blind": state.blind, "all": state.evidence.looks},
        "requests": {"canary": state.canary, "stable": state.stable},
        "started": state.started,
        "looked": state.looked,
        "findings": msgspec.to_builtins(state.findings),
        "decisions": msgspec.to_builtins(state.decisions),
        "pending": msgspec.to_builtins(state.pending),
        "text": {"en": text(state, "en"), "fr": text(state, "fr")},
    }


def text(state: State, language: str) -> str:
    """The status in words, in `en` or `fr`."""
    title = Words(
        f"{state.plan.model} version {state.plan.version}: {_PHASES[state.phase].en}; "
        f"stage {state.stage} of {len(state.plan.stages()) - 1} ({state.here.name}), canary {state.route.weight} %",
        f"{state.plan.model} version {state.plan.version} : {_PHASES[state.phase].fr} ; "
        f"étape {state.stage} sur {len(state.plan.stages()) - 1} ({state.here.name}), canari {state.route.weight} %",
    )
    lines = [_in(title, language)]
    for decision in state.decisions[-_SHOWN:]:
        lines += _lines(decision, language)
    return "\n".join(lines)


def _lines(decision: Decision, language: str) -> list[str]:
    at = dt.datetime.fromtimestamp(decision.at, dt.UTC).strftime("%H:%M:%S")
    head = f"{at}  {decision.stage}: {_in(_VERDICTS[decision.verdict.value], language)}"
    return [head, *(f"    {_in(reason, language)}" for reason in decision.reasons)]


def _in(words: Words, language: str) -> str:
    return words.fr if language == "fr" else words.en
