"""The three use cases: an answer even when what they depend on has none, and true words on where it is from."""

from typing import Any

import pytest

from patterns.usecases import LastGood, NoAnswer
from runtime.peer import Refused
from unit.patterns.gateways import gateway
from unit.patterns.servers import Reply, nobody, serving

BEST = [{"carrier": "AA", "mean_delay": -2.5, "flights": 4}]


def well(_: str, path: str, __: Any) -> Reply:  # noqa: ANN401  any JSON
    """Delays, analyst, site and centre in one, all well."""
    if path.startswith("/alternatives"):
        return 200, {"window": "3h", "alternatives": BEST}
    if path.startswith("/punctuality"):
        return 200, {"carrier": "UA", "months": []}
    return 200, {"station": "JFK", "from": "site", "reading": {"temp": 50.0}}


def test_a_recommendation_is_live_while_delays_is_well() -> None:
    """The alternatives come as delays ranks them, marked as live."""
    with serving(well) as server, gateway(delays=server.address) as it:
        answer = it.cases.recommend("JFK", "LAX")
        assert (answer["source"], answer["alternatives"]) == ("live", BEST)
        assert server.calls == [("GET", "/alternatives/JFK/LAX", None)]
        assert it.figure("lab_gateway_calls_total", dependency="delays", outcome="ok") == 1


def test_the_last_good_answer_stands_in_and_says_why() -> None:
    """When delays fails, the route's last live answer comes back as a fallback, with the reason."""
    with serving(well) as server, gateway(delays=server.address) as it:
        it.cases.recommend("JFK", "LAX")
        server.answer = lambda *_: (503, {"error": "out of order"})
        answer = it.cases.recommend("JFK", "LAX")
        assert (answer["source"], answer["outcome"], answer["alternatives"]) == ("fallback", "refused", BEST)
        assert "out of order" in answer["reason"]
        other = it.cases.recommend("LGA", "ORD")
        assert (other["source"], other["alternatives"]) == ("fallback", [])


def test_after_so_many_failures_delays_is_asked_no_more() -> None:
    """The breaker opens: further passengers get the fallback and delays hears nothing of them; metrics say so."""
    with serving(lambda *_: (500, {})) as server, gateway(delays=server.address, failures=3) as it:
        outcomes = [it.cases.recommend("JFK", "LAX")["outcome"] for _ in range(6)]
        assert outcomes == ["refused"] * 3 + ["open"] * 3
        assert len(server.calls) == 3
        assert it.figure("lab_gateway_breaker_state", dependency="delays") == 2
        assert it.figure("lab_gateway_breaker_opened_total", dependency="delays") == 1
        assert it.figure("lab_gateway_calls_total", dependency="delays", outcome="open") == 3
        assert it.figure("lab_gateway_call_seconds_count", dependency="delays") == 6


def test_an_unknown_airline_is_the_askers_mistake() -> None:
    """404 of the analyst goes back as it is: no fallback, and the breaker stays closed however often it happens."""
    with (
        serving(lambda *_: (404, {"error": "no airline ZZ"})) as server,
        gateway(delays=server.address, analyst=server.address, failures=1) as it,
    ):
        for _ in range(3):
            with pytest.raises(Refused, match="no airline ZZ"):
                it.cases.punctuality("ZZ")
        assert len(server.calls) == 3


def test_punctuality_falls_back_to_the_last_good_answer_or_says_that_there_is_none() -> None:
    """Live, then the same as fallback; for an airline never asked for there is honestly no answer."""
    with serving(well) as server, gateway(delays=server.address, analyst=server.address) as it:
        assert it.cases.punctuality("UA")["source"] == "live"
        server.answer = lambda *_: (500, {})
        assert it.cases.punctuality("UA")["source"] == "fallback"
        with pytest.raises(NoAnswer, match="DL"):
            it.cases.punctuality("DL")


def test_weather_comes_from_the_site_and_else_from_the_centre() -> None:
    """A site that is away is stood in for by the centre; when both are away that is said."""

    def centre(*_: object) -> Reply:
        return 200, {"station": "JFK", "from": "centre", "reading": {}}

    with serving(well) as site, serving(centre) as other, nobody() as away:
        with gateway(delays=away, site=site.address, centre=other.address) as it:
            assert it.cases.weather("JFK")["from"] == "site"
        with gateway(delays=away, site=away, centre=other.address) as it:
            assert it.cases.weather("JFK")["from"] == "centre"
        with gateway(delays=away, site=away, centre=away) as it, pytest.raises(NoAnswer):
            it.cases.weather("JFK")


def test_the_memory_of_good_answers_is_bounded() -> None:
    """It forgets the one that was not kept for longest, and never grows beyond its bound."""
    memory = LastGood(kept=2)
    for question in ("a", "b", "a", "c"):
        memory.keep(question, {"to": question})
    assert memory.find("b") is None
    found = memory.find("a")
    assert found is not None
    assert found[1] == {"to": "a"}
