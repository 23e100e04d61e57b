"""The life of a release as a pure function."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from releases import machine
from releases import state as states
from releases.analysis import Verdict
from releases.plan import Plan
from releases.samples import Histogram, Observation, Sample, Share
from releases.state import Action, Alias, Phase, State, Tell, Weigh
from releases.words import Words
from unit.releases.worlds import Version, World, lived, plan

FAST, OTHER = Histogram((0.1, 0.5), (70, 5, 0)), Histogram((0.1, 1.0), (200, 25, 0))
SHORT = {"interval": 15, "requests": 20}
CANARY = plan(steps=[{"weight": 25, "seconds": 30}, {"weight": 50, "seconds": 30}], criteria=SHORT)


class Kept:
    """A controller as the machine needs it: keeps the state as JSON, does what is asked, and may die at any point.

    Args:
        what: the plan.
        world: what happens.
        dies: at the point of this number it dies, and another one goes on.
    """

    def __init__(self, what: Plan, world: World, dies: Callable[[int], bool] = lambda _: False) -> None:
        self.world = world
        self.done: list[Action] = []
        self.points = 0
        self._dies = dies
        self.clock = 1000.0
        state, _ = machine.start(what, self.clock)
        self.text = states.written(state)

    def live(self) -> State:
        """To the end."""
        while True:
            try:
                state = states.read(self.text)
                if state.over and not state.pending:
                    return state
                self._act(state)
            except Died:
                pass

    def _act(self, state: State) -> None:
        if state.pending:
            for action in state.pending:
                self._point()
                if action not in self.done:  # an alias, or an event of that name, is there already
                    self.done.append(action)
            self._point()
            self._keep(machine.done(state))
            return
        clock = state.looked + state.plan.criteria.interval
        seen = self.world.between(state.looked, clock, state.route)
        after, actions = machine.advance(state, seen, clock)
        self._point()
        self._keep(after)
        self.done += [action for action in actions if isinstance(action, Weigh)]
        self._point()

    def _keep(self, state: State) -> None:
        self.text = states.written(state)

    def _point(self) -> None:
        self.points += 1
        if self._dies(self.points):
            raise Died


class Died(Exception):
    """The controller has ended in the middle of something."""


@pytest.mark.parametrize("strategy", ["canary", "blue-green", "ab", "shadow"])
@pytest.mark.parametrize("canary", [Version(error=9.0), Version(errors=0.3)])
@settings(max_examples=15, deadline=None)
@given(dead=st.sets(st.integers(1, 60), max_size=12))
def test_dying_anywhere_changes_nothing(strategy: str, canary: Version, dead: set[int]) -> None:
    """Wherever a controller dies, the one after it ends with the same state and has done the same things once."""
    what = plan(strategy=strategy, criteria={**SHORT, "patience": 12, "errors": {"margin": 0.1}})
    calm, shaken = Kept(what, World(1, canary)), Kept(what, World(1, canary), lambda point: point in dead)
    assert calm.live() == shaken.live()
    assert calm.done == shaken.done


def test_a_canary_goes_step_by_step() -> None:
    """Weights rise as planned, the alias moves once at the end, and then the stable Service gets everything again."""
    kept = Kept(CANARY, World(2))
    assert kept.live().phase is Phase.PROMOTED
    assert [action.weight for action in kept.done if isinstance(action, Weigh)] == [25, 50, 0]
    assert [action.alias for action in kept.done if isinstance(action, Alias)] == ["challenger", "champion"]
    told = [action.reason for action in kept.done if isinstance(action, Tell)]
    assert (told[0], told[-1]) == ("Started", "Promoted")
    assert [action for action in kept.done if not isinstance(action, Tell)][-1] == Weigh(0)


def test_a_bad_canary_gets_nothing_and_the_alias_stays() -> None:
    """Back to the stable version in one action; nothing else is touched."""
    kept = Kept(CANARY, World(3, Version(errors=0.4)))
    assert kept.live().phase is Phase.ROLLED_BACK
    named = Alias("delay-boosting", "challenger", "7")
    assert [action for action in kept.done if not isinstance(action, Tell)] == [named, Weigh(25), Weigh(0)]


def test_blue_green_switches_at_once_and_back() -> None:
    """All or nothing; the new version is compared with what was recorded before."""
    good, _ = lived(plan(strategy="blue-green"), World(4))
    bad, looks = lived(plan(strategy="blue-green"), World(4, Version(errors=0.2)))
    assert good.phase is Phase.PROMOTED
    assert (bad.phase, looks) == (Phase.ROLLED_BACK, 1)
    assert good.evidence.errors.stable.total > 1000


def test_a_shadow_moves_nothing() -> None:
    """A shadow that ends well is told, and promoted only where the plan says so."""
    assert lived(plan(strategy="shadow"), World(5))[0].phase is Phase.FINISHED
    assert lived(plan(strategy="shadow", promote=True), World(5))[0].phase is Phase.PROMOTED


def test_b_is_promoted_for_being_better() -> None:
    """An equal B is given up when patience ends; one whose errors are smaller by a third is taken."""
    test = {"strategy": "ab", "criteria": {"patience": 20}}
    assert lived(plan(**test), World(6))[0].phase is Phase.ROLLED_BACK
    assert lived(plan(**test), World(6, Version(error=10.0)))[0].phase is Phase.PROMOTED


def test_metrics_that_come_back_end_a_pause() -> None:
    """Two looks without metrics pause the release; with the third it goes on where it was."""
    state, clock = _at_first_step()
    world = World(7)
    for look in range(2):
        clock += 15
        state, _ = machine.advance(machine.done(state), Observation(missing="Prometheus is away"), clock)
        assert (state.phase, state.blind) == (Phase.PAUSED, look + 1)
    state, _ = machine.advance(machine.done(state), world.between(clock, clock + 15, state.route), clock + 15)
    assert (state.phase, state.blind) == (Phase.RUNNING, 0)
    assert state.route.weight >= 25


def test_without_metrics_it_goes_back_after_the_threshold() -> None:
    """Three looks in a row without metrics: back, and the reason says what was missing."""
    state, clock = _at_first_step()
    for _ in range(3):
        clock += 15
        state, _ = machine.advance(machine.done(state), Observation(missing="Prometheus is away"), clock)
    assert state.phase is Phase.ROLLED_BACK
    assert "Prometheus is away" in state.decisions[-1].reasons[0].en


@pytest.mark.parametrize(
    "seen",
    [
        Observation(canary=None, stable=Sample(Share(3, 225))),
        Observation(canary=Sample(Share(0, 75)), stable=None),
        Observation(canary=Sample(Share(0, 0)), stable=Sample(Share(3, 225))),
        Observation(canary=Sample(Share(0, 75)), stable=Sample(Share(3, 225))),
        Observation(canary=Sample(Share(0, 75), FAST, FAST), stable=Sample(Share(3, 225), OTHER, OTHER)),
    ],
    ids=[
        "no canary",
        "no stable version",
        "a canary that counts nothing",
        "a canary that measures no latency",
        "other buckets",
    ],
)
def test_missing_is_not_zero(seen: Observation) -> None:
    """Whatever cannot be seen of a version that gets requests is a pause, never a good sign."""
    state, clock = _at_first_step()
    state, _ = machine.advance(machine.done(state), seen, clock + 15)
    assert state.phase is Phase.PAUSED
    assert state.decisions[-1].verdict is Verdict.PAUSE


def test_a_quiet_hour_is_not_missing() -> None:
    """Where hardly anybody asks, a canary without requests is waited for."""
    state, clock = _at_first_step()
    seen = Observation(canary=Sample(), stable=Sample(Share(0, 5)))
    state, _ = machine.advance(machine.done(state), seen, clock + 15)
    assert (state.phase, state.blind) == (Phase.RUNNING, 0)


def test_nothing_happens_before_its_time() -> None:
    """Between two looks the state stays as it is."""
    state, clock = _at_first_step()
    assert machine.advance(state, Observation(), clock + 14.9) == (state, ())


def test_the_alias_moves_before_the_canary_leaves() -> None:
    """While the alias is not moved, nothing else goes on."""
    state, clock = _at_first_step()
    waiting = replace(state, phase=Phase.PROMOTING, pending=(Alias("delay-boosting", "champion", "7"),))
    assert machine.advance(waiting, Observation(), clock + 60) == (waiting, ())
    ended, actions = machine.advance(machine.done(waiting), Observation(), clock + 60)
    assert (ended.phase, actions[0]) == (Phase.PROMOTED, Weigh(0))


def test_it_can_be_given_up() -> None:
    """Asked to, it goes back at once; what has ended stays as it ended."""
    state, clock = _at_first_step()
    gone, actions = machine.abort(state, clock, Words("enough", "assez"))
    assert (gone.phase, actions[0]) == (Phase.ROLLED_BACK, Weigh(0))
    assert machine.abort(gone, clock, Words("enough", "assez")) == (gone, ())


def test_a_verdict_is_told_once() -> None:
    """A verdict that is given again is the same decision with newer figures: nobody is told again."""
    state, clock = _at_first_step()
    few = Observation(canary=Sample(), stable=Sample(Share(0, 5)))
    first, told = machine.advance(machine.done(state), few, clock + 15)
    again, silent = machine.advance(machine.done(first), few, clock + 30)
    assert [action.reason for action in told if isinstance(action, Tell)] == ["Waiting"]
    assert silent == ()
    assert (again.number, len(again.decisions)) == (first.number, len(first.decisions))
    assert again.decisions[-1].at == clock + 30


def _at_first_step() -> tuple[State, float]:
    """A canary release that has just given a quarter of the requests to the new version."""
    state, _ = machine.start(CANARY, 1000.0)
    state, _ = machine.advance(machine.done(state), World(9).between(1000, 1015, Weigh()), 1015.0)
    assert state.route == Weigh(25)
    return state, 1015.0
