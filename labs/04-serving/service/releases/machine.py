"""The life of a release as a pure function: (state, observation, clock) -> (state, actions).

Nothing here reads a clock, speaks to anybody or keeps anything: a controller that dies at any point and starts anew
with the last state that was kept goes on as if it had not died.
"""

from msgspec.structs import replace

from releases import reasons
from releases.analysis import Assessment, Progress, Verdict, assessed
from releases.criteria import Criteria
from releases.errors import NoMetrics
from releases.evidence import begun, with_interval
from releases.findings import findings
from releases.plan import Plan
from releases.samples import Observation, Sample
from releases.state import Action, Alias, Decision, Later, Phase, State, Tell, Weigh
from releases.words import Words

_KEPT = 20  # decisions that the state keeps
_FROZEN = 30.0  # requests that the canary would have had by its weight, of which not one was counted
_REASONS = {
    Verdict.PROMOTE: ("StageDone", False),
    Verdict.HOLD: ("Waiting", False),
    Verdict.PAUSE: ("NoMetrics", True),
    Verdict.ROLL_BACK: ("RolledBack", True),
}
Moved = tuple[State, tuple[Action, ...]]


def start(plan: Plan, clock: float) -> Moved:
    """A release that begins now: with the stable version alone."""
    state = State(plan=plan, phase=Phase.RUNNING, started=clock, stage=0, since=clock, looked=clock)
    words = Words(
        f"release of {plan.model} version {plan.version} begins: {len(plan.stages()) - 1} stages after a baseline",
        f"livraison de {plan.model} version {plan.version} commencée : {len(plan.stages()) - 1} étapes après une base",
    )
    named = Alias(plan.model, plan.candidate, plan.version)
    told = Tell(0, "Started", warning=False, words=words)
    return replace(state, pending=(named, told)), (state.route, named, told)


def advance(state: State, observation: Observation, clock: float) -> Moved:
    """What follows from what was seen between the last look and now.

    Args:
        state: as it was kept.
        observation: of both sides from `state.looked` to `clock`.
        clock: seconds since 1970.

    Returns:
        The state to keep, and what is to be done; both as before where it is not yet time to look.
    """
    if not state.due(clock):
        return state, ()
    if state.phase is Phase.PROMOTING:
        return _settled(state, clock)
    seen = _compared(state, observation)
    looked, seen = _looked(state, seen, clock)
    judged = assessed(state.plan, state.here, _progress(looked, seen, clock), looked.findings)
    return _decided(looked, judged, clock)


def abort(state: State, clock: float, why: Words) -> Moved:
    """Roll back because somebody says so; nothing where the release has ended."""
    if state.over or state.phase is Phase.PROMOTING:
        return state, ()
    return _decided(state, Assessment(Verdict.ROLL_BACK, (why,), state.findings), clock)


def halt(state: State, clock: float) -> Moved:
    """Stay at this stage because somebody says so; nothing where it stays already, or has its verdict."""
    if state.over or state.phase is Phase.PROMOTING or state.halted:
        return state, ()
    return _spoken(replace(state, halted=True), "Halted", reasons.halted(), clock)


def resume(state: State, clock: float) -> Moved:
    """Go on after `halt`; patience begins anew, since the looks meanwhile could lead to nothing."""
    if not state.halted:
        return state, ()
    words = Words("somebody has resumed it", "quelqu'un l'a reprise")
    return _spoken(replace(state, halted=False, looks=0), "Resumed", words, clock)


def done(state: State) -> State:
    """The state once everything that was pending is done."""
    return replace(state, pending=())


def _compared(state: State, observation: Observation) -> Observation:
    """What the canary is compared with; `missing` names what cannot be seen."""
    stage = state.here
    if stage.recorded:
        recorded = state.recorded[0] if state.recorded else Sample()
        observation = replace(observation, stable=recorded)
    if observation.stable is None:
        return replace(observation, missing=observation.missing or "the stable version has none")
    if stage.name == "baseline":
        return replace(observation, missing="")
    if observation.canary is None:
        return replace(observation, missing=observation.missing or "the canary has none")
    if _frozen(state, observation.canary, observation.stable):
        return replace(observation, missing="the canary's stand still while it gets requests")
    return replace(observation, missing=_unmeasured(state.plan.criteria, observation.canary))


def _unmeasured(criteria: Criteria, canary: Sample) -> str:
    """What the canary does not measure, though it must be shown good in it."""
    if canary.answers.total and criteria.latency.need == "required" and canary.latency is None:
        return "the canary does not measure its latency"
    if canary.answers.total and criteria.outputs.need == "required" and canary.outputs is None:
        return "the canary does not measure its predictions"
    return ""


def _frozen(state: State, canary: Sample, stable: Sample) -> bool:
    """Whether the canary counted nothing though, by its weight, it would have had to."""
    stage = state.here
    if canary.answers.total or stage.mode == "header":  # how many ask for B is their affair
        return False
    if stage.mode == "mirror" or stage.recorded:
        return stable.answers.total >= _FROZEN
    return stable.answers.total * stage.weight / (100 - stage.weight) >= _FROZEN


def _looked(state: State, seen: Observation, clock: float) -> tuple[State, Observation]:
    """The state with this look in it, and the observation, which is blind where it cannot be compared."""
    if not seen.missing:
        try:
            return _gathered(state, seen, clock), seen
        except NoMetrics as failure:
            seen = replace(seen, missing=failure.what)
    return replace(state, looked=clock, looks=state.looks + 1, blind=state.blind + 1), seen


def _gathered(state: State, seen: Observation, clock: float) -> State:
    stable, canary = seen.stable or Sample(), seen.canary or Sample()
    looked = replace(
        state,
        looked=clock,
        looks=state.looks + 1,
        blind=0,
        stable=state.stable + stable.answers.total,
        canary=state.canary + canary.answers.total,
    )
    if state.here.name == "baseline":
        more = (stable,) if state.plan.stages()[1].recorded else ()
        return replace(looked, evidence=begun(state.plan, stable), recorded=(*state.recorded, *more))
    evidence = with_interval(state.evidence, seen, state.plan.criteria)
    rest = state.recorded[1:] if state.here.recorded else state.recorded
    return replace(looked, evidence=evidence, recorded=rest, findings=findings(evidence, state.plan))


def _progress(state: State, seen: Observation, clock: float) -> Progress:
    return Progress(
        state.looks, state.blind, clock - state.since, state.canary, state.stable, seen.missing, state.halted
    )


def _decided(state: State, judged: Assessment, clock: float) -> Moved:
    """The state after a verdict, with the decision kept and told."""
    before, state = state.number, _kept(state, judged, clock)
    after, actions = _moved(state, judged.verdict, clock)
    told = _told(state, judged) if state.number > before else ()
    later: tuple[Later, ...] = (*(each for each in actions if not isinstance(each, Weigh)), *told)
    return replace(after, pending=later), (*(each for each in actions if isinstance(each, Weigh)), *later)


def _spoken(state: State, reason: str, words: Words, clock: float) -> Moved:
    """The state after somebody's word, kept as a decision of its own and told."""
    number = state.number + 1
    decision = Decision(number, clock, _stage(state), Verdict.HOLD, (words,))
    told = Tell(number, reason, warning=False, words=words)
    decisions = (*state.decisions, decision)[-_KEPT:]
    return replace(state, number=number, decisions=decisions, pending=(*state.pending, told)), (told,)


def _stage(state: State) -> str:
    return f"{state.here.name} {state.here.weight} %"


def _moved(state: State, verdict: Verdict, clock: float) -> Moved:
    if verdict is Verdict.PROMOTE:
        return _promoted(state, clock)
    if verdict is Verdict.ROLL_BACK:
        return replace(state, phase=Phase.ROLLED_BACK, since=clock, route=Weigh()), (Weigh(),)
    return replace(state, phase=Phase.PAUSED if verdict is Verdict.PAUSE else Phase.RUNNING), ()


def _kept(state: State, judged: Assessment, clock: float) -> State:
    """A verdict that is not the one before is a new decision; a repeated one takes its place, with newer figures."""
    last = state.decisions[-1] if state.decisions else None
    stage = _stage(state)
    repeated = last is not None and (last.stage, last.verdict) == (stage, judged.verdict) != (stage, Verdict.PROMOTE)
    number = state.number if repeated else state.number + 1
    decision = Decision(number, clock, stage, judged.verdict, judged.reasons)
    older = state.decisions[:-1] if repeated else state.decisions
    return replace(state, number=number, decisions=(*older, decision)[-_KEPT:])


def _told(state: State, judged: Assessment) -> tuple[Tell, ...]:
    reason, warning = _REASONS[judged.verdict]
    words = judged.reasons[0]
    for more in judged.reasons[1:]:
        words += more
    return (Tell(state.number, reason, warning, words),)


def _promoted(state: State, clock: float) -> Moved:
    stages = state.plan.stages()
    if state.stage + 1 < len(stages):
        following = stages[state.stage + 1]
        route = Weigh(following.weight, following.mode)
        moved = replace(
            state, phase=Phase.RUNNING, stage=state.stage + 1, since=clock, route=route, looks=0, canary=0, stable=0
        )
        return moved, (route,)
    if not state.plan.promotes:
        return replace(state, phase=Phase.FINISHED, route=Weigh()), (Weigh(),)
    alias = Alias(state.plan.model, state.plan.alias, state.plan.version)
    return replace(state, phase=Phase.PROMOTING, since=clock), (alias,)


def _settled(state: State, clock: float) -> Moved:
    """An interval after the alias has moved the stable version has the new model: everything goes to it again."""
    if state.pending:
        return state, ()
    words = Words(
        f"{state.plan.model} version {state.plan.version} is {state.plan.alias}, and all requests go to it",
        f"{state.plan.model} version {state.plan.version} est {state.plan.alias}, et toutes les requêtes y vont",
    )
    told = Tell(state.number + 1, "Promoted", warning=False, words=words)
    ended = replace(
        state, phase=Phase.PROMOTED, since=clock, looked=clock, route=Weigh(), number=state.number + 1, pending=(told,)
    )
    return ended, (Weigh(), told)
