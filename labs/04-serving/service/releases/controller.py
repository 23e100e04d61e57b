"""The loop around the machine: read the route, look, decide, write, do what follows; one glance at a time.

The order makes it safe to die anywhere. A decision is first kept, together with the weights and with what is still to
be done for it (alias, events); only then is that done, each of which may be done twice without harm; then it is crossed
off. Whoever starts anew finds either no decision, and looks again, or one with what is left of it.
"""

import logging
import time
from collections.abc import Callable

from releases import machine, refusals
from releases.errors import ApiFailure, Conflict, NoMetrics
from releases.events import Events
from releases.figures import Figures
from releases.plan import BlueGreen, Plan
from releases.prometheus import Prometheus
from releases.registry import Registry
from releases.route import Held, Route
from releases.rules import weights
from releases.samples import Observation
from releases.state import Alias, State, Tell
from releases.words import Words

log = logging.getLogger(__name__)

_TRIES = 5  # times that an order is given when somebody else writes the route at the same moment


class Controller:
    """Carries out the release that the route tells of.

    Args:
        route: weights and state.
        prometheus: what can be seen.
        registry: where the alias is.
        events: where decisions are explained.
        figures: the controller's own metrics.
        clock: seconds since 1970.
    """

    def __init__(  # noqa: PLR0913  the adapters meet here
        self,
        route: Route,
        prometheus: Prometheus,
        registry: Registry,
        events: Events,
        *,
        figures: Figures,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._route = route
        self._prometheus = prometheus
        self._registry = registry
        self._events = events
        self._figures = figures
        self._clock = clock

    def glance(self) -> State | None:
        """Do what is due, if anything; the release as it then is, None where there is none.

        Raises:
            ApiFailure: the route can be neither read nor written; Conflict: somebody else did first.
            NoRegistry: the alias cannot be moved; it is tried again at the next glance.
        """
        held = self._route.read()
        self._figures.dealt(weights(held.rules))
        if held.state is None:
            self._figures.show(None)
            return None
        before = held.state
        self._leveled(before)
        held = self._finished(held, before)
        state = held.state
        if state is not None and not state.over:
            state = self._looked(held, state)
        if state is not None and state != before:
            self._leveled(state)
        self._figures.show(state)
        return state

    def state(self) -> State | None:
        """The release as it is kept.

        Raises:
            ApiFailure: the route cannot be read.
        """
        return self._route.read().state

    def start(self, plan: Plan) -> State:
        """Begin a release.

        Raises:
            BadPlan: MLflow has no such version.
            NotNow: another one is under way.
            NoRegistry: MLflow does not say.
            ApiFailure: the route can be neither read nor written.
        """

        def begun(before: State | None) -> State:
            if before is not None and not before.over:
                raise refusals.busy(before)
            return machine.start(plan, self._clock())[0]

        self._registry.require(plan.model, plan.version)
        return self._ordered(begun)  # what is pending is done at the next glance

    def abort(self) -> State:
        """Roll back what is under way.

        Raises:
            NotNow: nothing is, or it is promoted already.
            ApiFailure: the route can be neither read nor written.
        """
        words = Words("somebody has asked for it", "quelqu'un l'a demandé")
        return self._ordered(lambda state: machine.abort(refusals.open_(state), self._clock(), words)[0])

    def halt(self) -> State:
        """Let what is under way stay at its stage; it is looked at as before, and still goes back when it is worse.

        Raises:
            NotNow: nothing is, it is promoted already, or it cannot stay.
            ApiFailure: the route can be neither read nor written.
        """

        def halted(state: State | None) -> State:
            under_way = refusals.open_(state)
            if isinstance(under_way.plan, BlueGreen):
                raise refusals.compared(under_way)
            return machine.halt(under_way, self._clock())[0]

        return self._ordered(halted)

    def resume(self) -> State:
        """Go on with what was halted.

        Raises:
            NotNow: nothing is under way, or it is not halted.
            ApiFailure: the route can be neither read nor written.
        """

        def resumed(state: State | None) -> State:
            under_way = refusals.open_(state)
            if not under_way.halted:
                raise refusals.unpaused(under_way)
            return machine.resume(under_way, self._clock())[0]

        return self._ordered(resumed)

    def _ordered(self, change: Callable[[State | None], State]) -> State:
        """Keep what an order makes of the release; the loop may write at the same moment, then it is made anew.

        Raises:
            Conflict: somebody else was first each time.
        """
        for left in reversed(range(_TRIES)):
            held = self._route.read()
            state = change(held.state)
            if state == held.state:
                break
            try:
                self._route.write(held, state)
            except Conflict:
                if not left:
                    raise
            else:
                break
        return state

    def _looked(self, held: Held, state: State) -> State:
        clock = self._clock()
        if not state.due(clock):
            return self._repaired(held, state)
        after, _ = machine.advance(state, self._observation(state, clock), clock)
        if after == state:
            return state
        written = self._written(held, after)
        if after.decisions:
            self._figures.count(after.decisions[-1].verdict)
        return written

    def _observation(self, state: State, clock: float) -> Observation:
        try:
            return self._prometheus.observe(state.plan, state.looked, clock)
        except NoMetrics as failure:
            log.warning(failure.what, extra={"remedy": failure.remedy})
            return Observation(missing=failure.what)

    def _written(self, held: Held, state: State) -> State:
        """Keep it, then do what follows; what cannot be done now stays pending in what was kept."""
        kept = self._route.write(held, state)
        log.info("decided", extra={"phase": state.phase, "weight": state.route.weight, "stage": state.here.name})
        return self._finished(kept, state).state or state

    def _finished(self, held: Held, state: State) -> Held:
        """Do what is pending, and cross it off."""
        if not state.pending:
            return held
        for action in state.pending:
            if isinstance(action, Alias):
                self._registry.point(action.model, action.alias, action.version)
            else:
                self._told(held, state, action)
        return self._route.write(held, machine.done(state))

    def _told(self, held: Held, state: State, told: Tell) -> None:
        log.info(told.words.en, extra={"reason": told.reason, "decision": told.number})
        try:
            self._events.tell(state, held.uid, told)
        except ApiFailure as failure:
            # A release goes on, and above all goes back, whether or not it can be told of.
            log.warning(failure.what, extra={"remedy": failure.remedy})

    def _leveled(self, state: State) -> None:
        """Let gRPC go where HTTP goes; a release goes on, and above all goes back, though that cannot be done yet."""
        try:
            self._route.level(state)
        except ApiFailure as failure:
            log.warning(failure.what, extra={"remedy": failure.remedy})

    def _repaired(self, held: Held, state: State) -> State:
        """Give the route back what the release says, where somebody else has changed it."""
        if held.rules != self._route.wanted(held.rules, state):
            log.warning("the route said something else than its release", extra={"weight": state.route.weight})
            self._route.write(held, state)
        return state
