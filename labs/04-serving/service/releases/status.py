"""The status of a release: as JSON for programs, and as text for people in both languages."""

import datetime as dt
from typing import Any

import msgspec

from releases import reasons
from releases.plan import AB, BlueGreen, Canary, Plan, Shadow
from releases.state import Alias, Decision, Phase, State
from releases.statistics.outcome import Finding, Outcome
from releases.words import Words

_PHASES = {
    Phase.RUNNING: Words("running", "en cours"),
    Phase.PAUSED: Words("paused: there are no metrics", "en pause : il n'y a pas de métriques"),
    Phase.PROMOTING: Words("being promoted", "en promotion"),
    Phase.PROMOTED: Words("promoted", "promue"),
    Phase.FINISHED: Words("ended well, nothing was moved", "bien finie, rien n'a été déplacé"),
    Phase.ROLLED_BACK: Words("rolled back", "annulée"),
}
_HALTED = Words("paused by somebody", "suspendue par quelqu'un")
_VERDICTS = {
    "promote": Words("promote", "promouvoir"),
    "hold": Words("hold", "attendre"),
    "roll back": Words("roll back", "revenir en arrière"),
    "pause": Words("pause", "suspendre"),
}
_STRATEGIES: dict[type[Plan], Words] = {
    Canary: Words("canary", "canari"),
    BlueGreen: Words("blue-green", "bleu-vert"),
    AB: Words("A/B test", "test A/B"),
    Shadow: Words("shadow", "ombre"),
}
_SHOWN_SO_FAR = Words("shown so far:", "montré jusqu'ici :")
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
        "test": state.test or None,
        "halted": state.halted,
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
    phase = _PHASES[state.phase] if not state.halted or state.over else _HALTED
    title = Words(
        f"{state.plan.model} version {state.plan.version}: {phase.en}; "
        f"stage {state.stage} of {len(state.plan.stages()) - 1} ({state.here.name}), canary {state.route.weight} %",
        f"{state.plan.model} version {state.plan.version} : {phase.fr} ; "
        f"étape {state.stage} sur {len(state.plan.stages()) - 1} ({state.here.name}), canari {state.route.weight} %",
    )
    lines = [_in(title, language), _in(_seen(state), language)]
    for decision in state.decisions[-_SHOWN:]:
        lines += _lines(decision, language)
    if state.findings:
        lines.append(_in(_SHOWN_SO_FAR, language))
        lines += [f"    {_in(_finding(each), language)}" for each in state.findings]
    lines += [_in(_awaited(each), language) for each in state.pending if isinstance(each, Alias)]
    return "\n".join(lines)


def _lines(decision: Decision, language: str) -> list[str]:
    at = dt.datetime.fromtimestamp(decision.at, dt.UTC).strftime("%H:%M:%S")
    head = f"{at}  {decision.stage}: {_in(_VERDICTS[decision.verdict.value], language)}"
    return [head, *(f"    {_in(reason, language)}" for reason in decision.reasons)]


def _seen(state: State) -> Words:
    """The strategy, and what has been seen of this stage."""
    strategy, looks = _STRATEGIES[type(state.plan)], state.looks
    at = dt.datetime.fromtimestamp(state.looked, dt.UTC).strftime("%H:%M:%S")
    return Words(
        f"{strategy.en}; this stage: {looks} looks, the last at {at} UTC; requests: canary {state.canary}, "
        f"stable {state.stable}",
        f"{strategy.fr} ; cette étape : {looks} observations, la dernière à {at} UTC ; requêtes : canari "
        f"{state.canary}, stable {state.stable}",
    )


def _finding(finding: Finding) -> Words:
    say = {Outcome.WORSE: reasons.worse, Outcome.BETTER: reasons.better}.get(finding.outcome, reasons.unshown)
    return say(finding)


def _awaited(alias: Alias) -> Words:
    """What is still to be done, where it takes longer than a moment: MLflow may be away."""
    return Words(
        f"waiting for MLflow: {alias.alias} of {alias.model} is to name version {alias.version}",
        f"en attente de MLflow : {alias.alias} de {alias.model} doit nommer la version {alias.version}",
    )


def _in(words: Words, language: str) -> str:
    return words.fr if language == "fr" else words.en
