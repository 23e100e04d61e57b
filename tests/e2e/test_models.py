"""The model half of the stack on the cluster: it converges, and an event is followed to a prediction."""

from __future__ import annotations

import httpx
import pytest

from driver import Driver, measured

pytestmark = [pytest.mark.cluster, pytest.mark.stands("04"), pytest.mark.timeout(2400)]

_MODELS = ("delay-boosting", "delay-linear", "delay-network", "delay-network-int8", "delay-network-pruned")
_FLIGHT = {
    "carrier": "UA", "flight": 1545, "origin": "EWR", "dest": "IAH", "scheduled_departure": "2013-01-01T10:15:00Z",
}  # fmt: skip


@pytest.fixture(scope="module")
def models(lab: Driver) -> dict[str, object]:
    """Return what `lab up 04` told, after the labs before."""
    told: dict[str, object] = lab.json("up", "04")
    return told


def test_the_probe_followed_one_event_to_a_prediction(models: dict[str, object]) -> None:
    """The next prediction through the gateway stands on the event, in one trace with it."""
    assert models["verdict"] == "converged"
    proof = models["proof"]
    assert isinstance(proof, dict)
    assert 0 < proof["online_seconds"] <= proof["prediction_seconds"] < 60
    assert proof["trace"]


def test_every_model_was_trained_judged_and_is_served(lab: Driver, models: dict[str, object]) -> None:
    """Each passed the gate, is the champion of its name, and answers through the gateway."""
    assert models
    gateway = f"http://127.0.0.1:{lab.port(8800)}"
    for name in _MODELS:
        told = httpx.get(f"{gateway}/v2/models/{name}/ready", timeout=10)
        assert told.status_code == httpx.codes.OK, name
    told = httpx.post(f"{gateway}/flights/predict", json=_FLIGHT, timeout=10)
    assert told.status_code == httpx.codes.OK, told.text
    assert told.json()["model"] == "delay-boosting"


def test_people_see_what_is_served(lab: Driver, models: dict[str, object]) -> None:
    """The page and `lab status` name the model."""
    assert models
    page = httpx.get(f"http://127.0.0.1:{lab.port(8804)}/", timeout=20)
    assert page.status_code == httpx.codes.OK
    assert "delay-boosting" in page.text
    assert "delay-boosting" in lab.run("status").stdout


def test_at_the_start_no_exercise_is_done(lab: Driver, models: dict[str, object]) -> None:
    """All fourteen are open, each with a reason in both languages."""
    assert models
    told = lab.json("check", "04", code=1)
    assert (told["done"], told["exercises"]) == (0, 14)
    for result in told["results"]:
        assert result["reason"]["en"] != result["reason"]["fr"], result["exercise"]


def test_a_reset_brings_back_a_kind_that_a_trainee_took_away(lab: Driver, models: dict[str, object]) -> None:
    """Its definition is deleted, and with it every route; afterwards all is as at the start."""
    assert models
    lab.run("reset", "04")
    there = lab.json("fingerprint", "04")
    lab.kubectl("delete", "customresourcedefinition", "httproutes.gateway.networking.k8s.io")
    told = lab.json("reset", "04")
    measured("04", "reset-kept", told["seconds"])
    assert told["residue"] == []
    assert lab.differences("04", there) == []
