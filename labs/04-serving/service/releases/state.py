"""The state of a release, all of it JSON: what a controller that starts anew needs in order to go on in mid-step."""

from enum import StrEnum

import msgspec

from releases.analysis import Verdict
from releases.evidence import Evidence
from releases.plan import Mode, Plan, Stage
from releases.samples import Sample
from releases.statistics.outcome import Finding
from releases.words import Words


class Phase(StrEnum):
    """Where a release is in its life."""

    RUNNING = "running"
    """It is looked at, stage by stage."""
    PAUSED = "paused"
    """The same without metrics at present."""
    PROMOTING = "promoting"
    """The alias moves; the canary serves on until the stable version has taken the new model."""
    PROMOTED = "promoted"
    """The new model is the one in use. The end."""
    FINISHED = "finished"
    """A shadow has ended well, and moves nothing. The end."""
    ROLLED_BACK = "rolled back"
    """The old model is the one in use. The end."""


OVER = frozenset({Phase.PROMOTED, Phase.FINISHED, Phase.ROLLED_BACK})


class Weigh(msgspec.Struct, frozen=True, tag="weigh"):
    """Send the canary so many per cent of the requests, in this way."""

    weight: int = 0
    mode: Mode = "weight"


class Alias(msgspec.Struct, frozen=True, tag="alias"):
    """Let `alias` of `model` point to `version`."""

    model: str
    alias: str
    version: str


class Tell(msgspec.Struct, frozen=True, tag="tell"):
    """Explain a decision to whoever looks.

    Attributes:
        number: of the decision, by which telling it twice is avoided.
        reason: one word, as Kubernetes' events have it.
        warning: whether somebody should look.
        words: the explanation.
    """

    number: int
    reason: str
    warning: bool
    words: Words


Action = Weigh | Alias | Tell
Later = Alias | Tell
"""Actions that reach further than the route, and are therefore kept until they are done."""


class Decision(msgspec.Struct, frozen=True):
    """A verdict as it was given.

    Attributes:
        number: from 1.
        at: seconds since 1970.
        stage: name of the stage, with its weight.
        verdict: what was decided.
        reasons: why.
    """

    number: int
    at: float
    stage: str
    verdict: Verdict
    reasons: tuple[Words, ...]


class State(msgspec.Struct, frozen=True):
    """A release.

    Attributes:
        plan: what it does.
        phase: where it is in its life.
        started: when, in seconds since 1970, as all instants here.
        stage: index of the stage in `plan.stages()`.
        since: when the stage began, or the promotion.
        looked: until when everything has been looked at.
        route: what the route sends where at present.
        looks: at this stage.
        halted: whether somebody has paused it: it is looked at and may go back, but does not go on.
        blind: looks in a row without metrics.
        canary: requests of the canary in this stage.
        stable: requests of the stable version in this stage.
        evidence: what has been seen since the canary's first request.
        recorded: the stable version's samples of the baseline that are not compared with yet.
        findings: of the last look.
        decisions: the latest ones; equal ones in a row are kept once.
        number: of the last decision.
        pending: what is still to be done of it.
    """

    plan: Plan
    phase: Phase
    started: float
    stage: int
    since: float
    looked: float
    route: Weigh = Weigh()
    looks: int = 0
    halted: bool = False
    blind: int = 0
    canary: int = 0
    stable: int = 0
    evidence: Evidence = Evidence()
    recorded: tuple[Sample, ...] = ()
    findings: tuple[Finding, ...] = ()
    decisions: tuple[Decision, ...] = ()
    number: int = 0
    pending: tuple[Later, ...] = ()

    @property
    def here(self) -> Stage:
        """The stage that it is at."""
        return self.plan.stages()[self.stage]

    @property
    def test(self) -> str:
        """Name of the A/B test in which units are dealt now, empty where none are; each release deals anew."""
        return f"{self.plan.model}/{self.plan.version}/{self.started:.3f}" if self.route.mode == "header" else ""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.phase in OVER

    def due(self, clock: float) -> bool:
        """Whether it is to be looked at now."""
        return not self.over and clock >= self.looked + self.plan.criteria.interval


def written(state: State) -> str:
    """The state as JSON."""
    return msgspec.json.encode(state).decode()


def read(text: str) -> State:
    """The state in JSON.

    Raises:
        msgspec.DecodeError: it is no JSON, or no state.
    """
    return msgspec.json.decode(text, type=State)
