"""The three use cases. Each has an answer even when what it depends on has none: the last good one, marked as such.

recommendation   a passenger asks for another airline to the same place: `delays`
punctuality      an airline's year, month by month: `analyst`
weather          an airport's last reading: the airport's own site, else `centre`
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from patterns.gateway_dependency import Dependency, outcome_of
from runtime.errors import Temporary
from runtime.peer import Refused

_KEPT = 1000  # last good answers that are remembered, the longest unused is given up

Json = dict[str, Any]


class NoAnswer(Temporary):
    """Neither the dependency nor the memory has an answer."""


class LastGood:
    """The last good answer to each question; safe to use from several threads."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[float, Json]] = OrderedDict()

    def keep(self, question: str, answer: Json) -> None:
        """Remember an answer."""
        with self._lock:
            self._answers[question] = (time.monotonic(), answer)
            self._answers.move_to_end(question)
            if len(self._answers) > self._kept:
                self._answers.popitem(last=False)

    def find(self, question: str) -> tuple[float, Json] | None:
        """Its age in seconds and the answer, or None."""
        with self._lock:
            found = self._answers.get(question)
        return (time.monotonic() - found[0], found[1]) if found else None


class UseCases:
    """Answers to passengers, airlines and airports.

    Args:
        delays: where recommendations come from.
        analyst: where punctuality comes from.
        sites: station -> the site there.
        centre: who is asked for the weather of a site that does not answer.
    """

    def __init__(
        self, delays: Dependency, analyst: Dependency, sites: Mapping[str, Dependency], centre: Dependency
    ) -> None:
        self.delays = delays
        self.sites = sites
        self._analyst = analyst
        self._centre = centre
        self._last = LastGood()

    def recommend(self, origin: str, dest: str, through: Dependency | None = None) -> Json:
        """Airlines from `origin` to `dest`, the most punctual first; never fails for want of `delays`."""
        path = f"/alternatives/{origin}/{dest}"
        route = {"origin": origin, "dest": dest}
        try:
            answer = (through or self.delays).ask(path)
        except Temporary as failure:
            return {**route, **self._remembered(path, failure), "outcome": outcome_of(failure)}
        live = {"alternatives": answer["alternatives"], "window": answer.get("window")}
        self._last.keep(path, live)
        return {**route, "source": "live", **live, "outcome": "ok", "reason": ""}

    def _remembered(self, path: str, failure: Temporary) -> Json:
        found = self._last.find(path)
        if found is None:
            reason = f"{failure.what}; nobody asked for this route before"
            return {"source": "fallback", "alternatives": [], "window": None, "reason": reason}
        age, live = found
        return {"source": "fallback", **live, "reason": f"{failure.what}; as it was {age:.0f} s ago"}

    def punctuality(self, carrier: str) -> Json:
        """An airline's punctuality; `source` says whether it is the analyst's present answer or the last good one.

        Raises:
            Refused: the analyst does not know the airline.
            NoAnswer: the analyst does not answer and never did for this airline.
        """
        path = f"/punctuality/{carrier}"
        try:
            answer: Json = self._analyst.ask(path)
        except Temporary as failure:
            _reraise_mistake(failure)
            found = self._last.find(path)
            if found is None:
                raise NoAnswer(f"{failure.what}; nobody asked for {carrier} before", "ask again later") from failure
            return {**found[1], "source": "fallback", "reason": f"{failure.what}; as it was {found[0]:.0f} s ago"}
        self._last.keep(path, answer)
        return {**answer, "source": "live"}

    def weather(self, station: str) -> Json:
        """The last reading of a station, from its own site, else from the centre.

        Raises:
            Refused: there is no such station.
            NoAnswer: neither the site nor the centre has a reading.
        """
        path = f"/weather/{station}"
        try:
            answer: Json = self.sites[station].ask(path)
        except Temporary as failure:
            _reraise_mistake(failure)
            return self._from_centre(path, failure)
        return answer

    def _from_centre(self, path: str, first: Temporary) -> Json:
        try:
            answer: Json = self._centre.ask(path)
        except Temporary as failure:
            raise NoAnswer(f"{first.what}; {failure.what}", "ask again once one of them is well") from failure
        return answer


def _reraise_mistake(failure: Temporary) -> None:
    """Hand a caller's own mistake back to the caller: no fallback makes it right."""
    if isinstance(failure, Refused) and failure.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise failure
