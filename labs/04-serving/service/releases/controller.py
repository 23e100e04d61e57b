"""The loop around the machine: read the route, look, decide, write, do what follows; one glance at a time.

The order makes it safe to die anywhere. A decision is first kept, together with the weights and with what is still to
be done for it (alias, events); only then is that done, each of which may be done twice without harm; then it is crossed
off. Whoever starts anew finds either no decision, and looks again, or one with what is left of it.
"""

import logging
import time
from collections.abc import Callable

from releases import machine
from releases.errors import ApiFailure, BadPlan, Conflict, NoMetrics
from releases.events import Events
from releases.measures import Measures
from releases.plan import Plan
from releases.prometheus import Prometheus
from releases.registry import Registry
from releases.route import Held, Route
from releases.samples import Observation
from releases.state import Alias, State, Tell
from releases.words import Words

log = logging.getLogger(__name__)


class Controller:
    """Carries out the release that the route tells of.

    Args:
        route: weights and state.
        prometheus: what can be seen.
        registry: where the alias is.
        events: where decisions are explained.
        measures: the controller's own metrics.
        clock: seconds since 1970.
    """

    def __init__(  # noqa: PLR0913  the adapters meet here
        self,
        route: Route,
        prometheus: Prometheus,
        registry: Registry,
        events: Events,
        *,
        measures: Measures,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._route = route
        self._prometheus = prometheus
        self._registry = registry
        self._events = events
        self._measures = measures
        self._clock = clock

    def glance(self) -> State | None:
        """Do what is due, if anything; the release as it then is, None where there is none.

        Raises:
            ApiFailure: the route can be neither read nor written; Conflict: somebody else did first.
            NoRegistry: the alias cannot be moved; it is tried again at the next glance.
        """
        held = self._route.read()
        if held.state is None:
            return None
        held = self._finished(held, held.state)
        state = held.state
        if state is not None and not state.over:
            state = self._looked(held, state)
        self._measures.show(state)
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
            Conflict: another one is under way, or somebody else has just begun one.
            ApiFailure: the route can be neither read nor written.
        """
        held = self._route.read()
        if held.state is not None and not held.state.over:
            what = f"release of {held.state.plan.model} version {held.state.plan.version} is {held.state.phase}"
            raise Conflict(what, "wait for its end, or abort it")
        state, _ = machine.start(plan, self._clock())
        self._route.write(held, state)  # what is pending is done at the next glance
        return state

    def abort(self) -> State:
        """Roll back what is under way.

        Raises:
            BadPlan: nothing is.
            ApiFailure: the route can be neither read nor written.
        """
        held = self._route.read()
        if held.state is None or held.state.over:
            raise BadPlan("no release is under way", "start one with POST /release")
        words = Words("somebody has asked for it", "quelqu'un l'a demandé")
        state, _ = machine.abort(held.state, self._clock(), words)
        self._route.write(held, state)
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
            self._measures.count(after.decisions[-1].verdict)
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

    def _repaired(self, held: Held, state: State) -> State:
        """Give the route back what the release says, where somebody else has changed it."""
        if held.rules != self._route.wanted(held.rules, state):
            log.warning("the route said something else than its release", extra={"weight": state.route.weight})
            self._route.write(held, state)
        return state
