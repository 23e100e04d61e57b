"""What the page says of a moment: figures as Prometheus has them, and no figure where it has none."""

from __future__ import annotations

from typing import Any

import pytest

from page import figures
from page.errors import Away
from page.figures import as_json, courses, gathered, traces
from page.jaeger import Jaeger
from page.prometheus import Prometheus
from unit.page.sources import CANARY, NOW, SERIES, STABLE, TRACE, jaeger, prometheus, standing
from unit.patterns.servers import Reply, nobody, serving


def _gathered(answer: Any) -> figures.Figures:  # noqa: ANN401  the fake's signature
    with serving(answer) as server:
        return gathered(Prometheus(server.address, 5), lambda: NOW)


def test_each_version_has_its_row() -> None:
    """By track, model and version, in the units of the page: per cent, milliseconds, minutes."""
    canary, stable = _gathered(prometheus()).versions
    assert (canary.track, canary.model, canary.version) == tuple(CANARY.values())
    assert (stable.track, stable.model, stable.version) == tuple(STABLE.values())
    assert stable.figures == pytest.approx(
        {"rate": 18.25, "errors": 0, "p50": 1.1, "p95": 4.2, "p99": 12.5, "prediction": 7.5, "error": 11.26,
         "labels": 1234}
    )  # fmt: skip


def test_no_figure_is_not_zero() -> None:
    """A series that is not there, or is no number, is no figure."""
    canary, _ = _gathered(prometheus()).versions
    assert canary.figures["p50"] is None
    assert canary.figures["error"] is None
    assert canary.figures["errors"] == 12.5


def test_envoys_figures_stand_beside_the_servers() -> None:
    """Of each track and, last, of what callers got; `/figures` has them as well, and without Envoy there are none."""
    seen = _gathered(prometheus())
    assert [(each.track, each.figures["gateway_rate"]) for each in seen.gateway] == [
        ("canary", 2.1), ("stable", 18.5), ("", 21.7),
    ]  # fmt: skip
    canary, stable, callers = as_json(seen)["gateway"]
    assert canary == {"track": "canary", "rate": 2.1, "errors": pytest.approx(13), "p95": None}
    assert stable == {"track": "stable", "rate": 18.5, "errors": 0, "p95": 6.25}
    assert callers["track"] == ""
    assert _gathered(prometheus({"rate": SERIES["rate"]})).gateway == []


def test_the_release_is_told_from_its_metrics() -> None:
    """The route's weights, phase, stage and evidence; without a release none of the last three."""
    seen = _gathered(prometheus())
    assert (seen.phase, seen.stage, seen.lost) == ("running", 1, 0.5)
    assert seen.weights == {"serving-stable": 90, "serving-canary": 10}
    assert seen.evidence == pytest.approx({"errors": 42.5})
    without = _gathered(prometheus({"step": [({}, "0")], "weights": SERIES["weights"]}))
    assert (without.phase, without.stage, without.evidence, without.lost) == (None, None, {}, None)


@pytest.mark.parametrize(
    "reply",
    [(503, "starting"), (400, {"status": "error"}), (200, "<html>"), (200, []), (200, {"data": {"result": [1]}})],
)
def test_an_answer_that_cannot_be_read_is_told(reply: Reply) -> None:
    """Another program at the address, or an error: no figures, and why; nothing is raised."""
    seen = _gathered(lambda *_: reply)
    assert seen.away is not None
    assert "Prometheus" in seen.away.what
    assert as_json(seen)["prometheus"] == {"answers": False, "error": str(seen.away)}


def test_nobody_there_is_told() -> None:
    """No Prometheus and no Jaeger: both are said to be away."""
    with nobody() as address:
        assert isinstance(gathered(Prometheus(address, 5)).away, Away)
        assert isinstance(traces(Jaeger(address, 5), "serving"), Away)
        with pytest.raises(Away):
            courses(Prometheus(address, 5))


def test_courses_end_now() -> None:
    """One course for each track, over a quarter of an hour, in the units of the page."""
    with serving(prometheus()) as server:
        found = courses(Prometheus(server.address, 5), lambda: NOW)
    stable = next(each for each in found["p99"] if each.labels["track"] == "stable")
    assert len(stable.points) == 61
    assert stable.points[-1][0] == pytest.approx(NOW, abs=15)
    assert {value for _, value in stable.points} == {12.5}


def test_programs_read_the_question_behind_each_figure() -> None:
    """`/figures` holds values, units and PromQL of each."""
    told = as_json(_gathered(prometheus()))
    assert told["versions"][1]["p99"] == 12.5
    assert set(told["queries"]) == set(told["units"]) >= {"rate", "errors", "p99", "weights", "alerts"}
    assert told["release"] == {"phase": "running", "stage": 1}
    assert told["alerts"][0]["alertname"] == "ServingErrors"


class TestTraces:
    """What Jaeger keeps."""

    def test_spans_stand_below_their_parents(self) -> None:
        """In the order of their beginnings, with their depth, times since the trace's own beginning, and failures."""
        with serving(jaeger()) as server:
            (trace,) = Jaeger(server.address, 5).latest("serving")
        told = [(each.service, each.operation, each.depth, each.failed) for each in trace.spans]
        assert told == [
            ("ingest", "flight.departed.v1", 0, False),
            ("serving", "POST /flights/predict", 1, False),
            ("serving", "run <model>", 2, True),
        ]
        assert [round(each.begin * 1e6) for each in trace.spans] == [0, 200, 400]
        assert trace.seconds == pytest.approx(0.001)

    def test_a_trace_that_is_gone_is_none(self) -> None:
        """Jaeger forgets: that is no failure, but one of its own is."""
        with serving(jaeger()) as server:
            asked = Jaeger(server.address, 5)
            found = asked.trace(TRACE["traceID"])
            assert found is not None
            assert asked.trace("cd") is None
        with serving(lambda *_: (500, {})) as server, pytest.raises(Away):
            Jaeger(server.address, 5).trace("cd")

    def test_a_loop_of_spans_ends(self) -> None:
        """Spans that name each other as parents are shown, not followed for ever."""
        loop = [
            {
                "spanID": one, "operationName": one, "processID": "p1", "startTime": 1, "duration": 1,
                "references": [{"refType": "CHILD_OF", "spanID": other}],
            }
            for one, other in (("a", "b"), ("b", "a"))
        ]  # fmt: skip
        with serving(jaeger([{**TRACE, "spans": loop}])) as server:
            (trace,) = Jaeger(server.address, 5).latest("serving")
        assert len(trace.spans) == 2


def test_settings_point_at_both() -> None:
    """The fakes of these tests are what settings say."""
    with standing() as settings:
        assert settings.prometheus != settings.jaeger
