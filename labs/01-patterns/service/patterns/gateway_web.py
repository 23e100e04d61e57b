"""The gateway's HTTP side: questions of the use cases, and the switches that cut a link or break `delays` by hand."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter

from patterns.usecases import Json, NoAnswer, UseCases
from runtime.peer import Peer, PeerFailure, Refused
from runtime.tracing import Tracing
from runtime.web import Answer, Order, Question

_SECONDS = 3.0  # time limit of a switch
_ROUTE = 2  # segments of /recommend/JFK/LAX


class Desk:
    """Answers the use cases' questions.

    Args:
        cases: what is asked.
        tracing: draws the questions whose way is traced.
        registry: takes the metrics.
    """

    def __init__(self, cases: UseCases, tracing: Tracing, registry: CollectorRegistry) -> None:
        self._cases = cases
        self._tracing = tracing
        self._answers = Counter(
            "lab_gateway_answers", "Answers, by use case and source.", ["use_case", "source"], registry=registry
        )
        self.questions: dict[str, Question] = {
            "recommend": self._recommend,
            "punctuality": self._punctuality,
            "weather": self._weather,
        }

    def _recommend(self, segments: tuple[str, ...]) -> Answer:
        if len(segments) != _ROUTE:
            return HTTPStatus.NOT_FOUND, {"error": "ask for a route: /recommend/JFK/LAX"}
        return self._answered("recommendation", lambda: self._cases.recommend(segments[0], segments[1]))

    def _punctuality(self, segments: tuple[str, ...]) -> Answer:
        if len(segments) != 1:
            return HTTPStatus.NOT_FOUND, {"error": "ask for an airline: /punctuality/UA"}
        return self._answered("punctuality", lambda: self._cases.punctuality(segments[0]))

    def _weather(self, segments: tuple[str, ...]) -> Answer:
        if len(segments) != 1 or segments[0] not in self._cases.sites:
            return HTTPStatus.NOT_FOUND, {"error": f"ask for one of {', '.join(self._cases.sites)}: /weather/JFK"}
        return self._answered("weather", lambda: self._cases.weather(segments[0]))

    def _answered(self, case: str, ask: Callable[[], Json]) -> Answer:
        with traced(self._tracing, case):
            try:
                answer = ask()
            except Refused as failure:
                self._answers.labels(case, "refused").inc()
                return failure.status, {"error": failure.what}
            except NoAnswer as failure:
                self._answers.labels(case, "none").inc()
                return HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"{failure.what}: {failure.remedy}"}
        self._answers.labels(case, str(answer.get("source") or answer.get("from"))).inc()
        return HTTPStatus.OK, answer


@contextmanager
def traced(tracing: Tracing, name: str) -> Iterator[None]:
    """A span that begins a trace, where none is there and this one is drawn."""
    if trace.get_current_span().get_span_context().is_valid or not tracing.drawn():
        yield
        return
    with tracing.root(name):
        yield


class Switches:
    """Breaks and mends by hand: the link of a site, and `delays`.

    Args:
        sites: station -> the site there.
        delays: the pods of `delays`, whatever its Service selects.
    """

    def __init__(self, sites: Mapping[str, Peer], delays: Peer) -> None:
        self._sites = sites
        self._delays = delays
        self.questions: dict[str, Question] = {"link": self._links, "edge": self._edge, "fault": self._fault}
        self.orders: dict[str, Order] = {"link": self._switch_link, "fault": self._break}

    def _links(self, _: tuple[str, ...]) -> Answer:
        """GET /link: each site's link; null where the site does not answer."""
        return HTTPStatus.OK, {station: self._link(site) for station, site in self._sites.items()}

    def _link(self, site: Peer) -> bool | None:
        try:
            return bool(site.get("/site", _SECONDS)["link"])
        except PeerFailure:
            return None

    def _edge(self, segments: tuple[str, ...]) -> Answer:
        return self._at_site(segments, lambda site: site.get("/site", _SECONDS))

    def _switch_link(self, segments: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        return self._at_site(segments, lambda site: site.post("/link", body, _SECONDS))

    def _at_site(self, segments: tuple[str, ...], call: Callable[[Peer], Any]) -> Answer:
        if len(segments) != 1 or segments[0] not in self._sites:
            return HTTPStatus.NOT_FOUND, {"error": f"name one site: {', '.join(self._sites)}"}
        return _passed_on(lambda: call(self._sites[segments[0]]))

    def _fault(self, _: tuple[str, ...]) -> Answer:
        return _passed_on(lambda: self._delays.get("/fault", _SECONDS))

    def _break(self, _: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        return _passed_on(lambda: self._delays.post("/fault", body, _SECONDS))


def _passed_on(call: Callable[[], Any]) -> Answer:
    """Another role's answer, as if it were ours."""
    try:
        return HTTPStatus.OK, call()
    except Refused as failure:
        return failure.status, failure.body
    except PeerFailure as failure:
        return HTTPStatus.BAD_GATEWAY, {"error": f"{failure.what}: {failure.remedy}"}
