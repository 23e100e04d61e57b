"""The conductor: one run at a time, in order, and a failure that is told instead of ending the run."""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from patterns.experiments.programme import ExperimentFailed, programme
from patterns.experiments.stage import Stage
from runtime.conductor import Conductor
from runtime.figures import Result, percentile, row, wait_for
from runtime.peer import Peer
from runtime.process import Stop
from runtime.tracing import Tracing
from unit.patterns.servers import Reply, serving

_WAIT = 10.0


def conductor(**experiments: Callable[[], Result]) -> Conductor:
    """One that conducts these, in this order."""
    return Conductor(experiments, Tracing.off(), Stop())


def run(it: Conductor, body: Any = None) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """Begin a run, wait for its end, and give its state."""
    status, answer = it.ordered((), body)
    assert status is HTTPStatus.ACCEPTED
    ended = wait_for(lambda: None if it.state()["running"] else it.state(), _WAIT, Stop(), 0.01)
    assert ended is not None
    assert ended["run"] == answer["run"]
    return ended


def test_experiments_run_in_their_order_and_their_last_results_stay() -> None:
    """Whatever order was asked for, the programme's is kept; each result carries name, run and seconds."""
    order: list[str] = []

    def experiment(name: str) -> Callable[[], Result]:
        return lambda: order.append(name) or {"settings": {"a": 1}, "figures": [], "own": len(order)}  # type: ignore[func-returns-value]

    it = conductor(first=experiment("first"), second=experiment("second"), third=experiment("third"))
    assert run(it, {"only": ["third", "first"]})["done"] == ["first", "third"]
    assert order == ["first", "third"]
    status, result = it.told(("third",))
    assert status is HTTPStatus.OK
    assert (result["name"], result["run"], result["own"], result["settings"]) == ("third", 1, 2, {"a": 1})
    assert it.told(("second",))[0] is HTTPStatus.NOT_FOUND
    assert run(it)["asked"] == ["first", "second", "third"]
    assert it.told(("third",))[1]["run"] == 2


def test_a_failing_experiment_is_told_and_the_rest_go_on() -> None:
    """A named failure and one that nobody named both become the result's `error`; the next experiment runs."""

    def named() -> Result:
        raise ExperimentFailed("http://centre:8080: no flights", "see its log")

    def unnamed() -> Result:
        raise KeyError("link")

    it = conductor(named=named, unnamed=unnamed, well=lambda: {"figures": []})
    assert run(it)["done"] == ["named", "unnamed", "well"]
    assert it.told(("named",))[1]["error"] == "http://centre:8080: no flights: see its log"
    assert it.told(("unnamed",))[1]["error"] == "KeyError: 'link'"
    assert it.told(("named",))[1]["figures"] == []
    assert "error" not in it.told(("well",))[1]


def test_a_second_run_is_refused_while_one_is_under_way() -> None:
    """409, and the state says what is running; afterwards a run can begin again."""
    go_on = threading.Event()
    it = conductor(slow=lambda: {"waited": go_on.wait(_WAIT)})
    assert it.ordered((), None)[0] is HTTPStatus.ACCEPTED
    status, answer = it.ordered((), {"only": ["slow"]})
    assert status is HTTPStatus.CONFLICT
    assert "under way" in answer["error"]
    assert wait_for(lambda: it.state()["current"], _WAIT, Stop(), 0.01) == "slow"
    go_on.set()
    assert wait_for(lambda: None if it.state()["running"] else True, _WAIT, Stop(), 0.01)
    assert run(it)["run"] == 2


@pytest.mark.parametrize("body", [{"only": ["tide"]}, {"only": "slow"}, [1], "slow", 7])
def test_an_order_that_makes_no_sense_begins_nothing(body: object) -> None:
    """400 with the names there are."""
    it = conductor(slow=dict)
    status, answer = it.ordered((), body)
    assert status is HTTPStatus.BAD_REQUEST
    assert "slow" in answer["error"]
    assert it.state()["run"] == 0


def test_a_run_ends_early_when_the_process_is_to_end() -> None:
    """The experiment under way is finished, the next one is not begun."""
    stop = Stop()
    it = Conductor({"one": lambda: {"set": stop.set()}, "two": dict}, Tracing.off(), stop)  # type: ignore[func-returns-value]
    assert run(it)["done"] == ["one"]


def elsewhere(answer: Callable[[], Reply]) -> tuple[str, Result]:
    """What `processing-modes` gives when the analyst answers so, and the path that was asked."""
    with serving(lambda *_: answer()) as server:
        peer = Peer(server.address)
        none: Any = None
        stage = Stage(
            cases=none, failures=0, pause_seconds=0, timeout_seconds=1, pool_threads=1, delays_threads=0, delays=peer,
            delays_direct=peer, analyst=peer, centre=peer, scaler=peer, worker="", sites={}, sender=none, stop=Stop(),
        )  # fmt: skip
        result = programme(stage)["processing-modes"]()
        return server.calls[0][1], result


def test_an_experiment_of_another_role_is_asked_for_over_http() -> None:
    """POST /experiments/NAME at the role that has it; its answer is the result."""
    path, result = elsewhere(lambda: (200, {"agree": True, "figures": []}))
    assert path == "/experiments/processing-modes"
    assert result["agree"] is True


def test_an_answer_without_a_result_is_a_failure_that_says_where() -> None:
    """`{"error": ...}` with status 200 is no result: the reason is told with the role's address."""
    with pytest.raises(ExperimentFailed, match="no events"):
        elsewhere(lambda: (200, {"error": "no events"}))


def test_percentiles_are_values_that_were_measured() -> None:
    """Nearest rank: the 95th percentile of 1 to 20 is 19; of nothing there is none."""
    assert percentile(list(range(1, 21)), 0.95) == 19
    assert percentile([7.0], 0.5) == 7.0
    assert percentile([], 0.5) is None


def test_a_row_has_every_column_and_null_where_one_does_not_apply() -> None:
    """The comparison's columns are always there."""
    made = row("discovery", "recommendation", seconds=[0.001, 0.002, 0.003])
    assert made["latency_ms"] == 2.0
    assert made["latency_p95_ms"] == 3.0
    assert [key for key, value in made.items() if value is None] == [
        "staleness_s", "throughput_per_s", "cpu_s_per_1000", "recovery_s",
    ]  # fmt: skip


def test_waiting_ends_with_the_condition_or_with_the_time() -> None:
    """What is found is given at once; otherwise None, not much after the time is over."""
    assert wait_for(lambda: "there", 5, Stop()) == "there"
    begun = time.monotonic()
    assert wait_for(lambda: None, 0.1, Stop(), 0.01) is None
    assert time.monotonic() - begun < 5
