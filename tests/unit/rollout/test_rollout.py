"""`lab release`: plans from files, and the real controller's words in the user's language."""

from __future__ import annotations

import dataclasses
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import releases.errors
from lab import rollout
from lab.commands import release
from lab.errors import BadInput, LabError, NotConverged
from lab.rollout.ask import PORT
from lab.rollout.reasons import REASONS, UNKNOWN
from lab.settings import PORTS, Settings
from releases import plan as plans
from releases.desk import Desk
from releases.errors import NotNow
from runtime.errors import ServiceError
from runtime.health import Health
from runtime.web import Web
from unit.patterns.servers import Reply, serving
from unit.releases.cluster import Cluster, standing
from unit.releases.worlds import World

NAMED: dict[str, Any] = {"model": None, "version": None, "strategy": None}


class TestPlans:
    """What the trainee hands over."""

    def test_a_file_is_read_and_options_go_before_it(self, tmp_path: Path) -> None:
        """YAML or JSON; model, version and strategy of the command take the place of the file's."""
        file = tmp_path / "plan.yaml"
        file.write_text("strategy: shadow\nmodel: delay-boosting\nversion: 7\nseconds: 60\n")
        told = rollout.plan(file, **{**NAMED, "version": "8"})
        assert told == {"strategy": "shadow", "model": "delay-boosting", "version": "8", "seconds": 60}
        file.write_text(json.dumps({"model": "m", "version": "1"}))
        assert rollout.plan(file, **NAMED) == {"strategy": "canary", "model": "m", "version": "1"}

    def test_the_plan_that_the_help_shows_can_be_carried_out(self, tmp_path: Path) -> None:
        """What `lab release start --help` prints is a plan that the controller takes."""
        file = tmp_path / "plan.yaml"
        file.write_text("".join(release._EXAMPLE.splitlines(keepends=True)[2:]))
        told = plans.read(rollout.plan(file, **NAMED))
        assert (told.model, told.version, told.criteria.labels.need) == ("delay-boosting", "7", "required")
        assert [stage.weight for stage in told.stages()] == [0, 10, 50]

    def test_without_a_file_a_model_and_a_version_are_enough(self) -> None:
        """A canary, as the controller has it without further words."""
        told = rollout.plan(None, model="m", version="3", strategy=None)
        assert told == {"strategy": "canary", "model": "m", "version": "3"}

    @pytest.mark.parametrize("given", [NAMED, {**NAMED, "model": "m"}, {**NAMED, "version": "3"}])
    def test_what_is_named_nowhere_is_told_with_its_option(self, given: dict[str, Any]) -> None:
        """The field, where it is missing, and the option that gives it."""
        missing = "version" if given["model"] else "model"
        with pytest.raises(BadInput) as told:
            rollout.plan(None, **given)
        assert f"there is no {missing}" in told.value.what.en
        assert f"--{missing}" in told.value.remedy.fr

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"steps: [\n", "line 2"),
            (b"- canary\n", "list, not fields"),
            (b"", "NoneType, not fields"),
            (b"\xff\xfe\x00", "decode"),
        ],
    )
    def test_a_file_that_is_no_plan_is_told(self, tmp_path: Path, content: bytes, words: str) -> None:
        """The file and why, in both languages, as an error of the input."""
        file = tmp_path / "plan.yaml"
        file.write_bytes(content)
        with pytest.raises(BadInput) as told:
            rollout.plan(file, **NAMED)
        for text in (told.value.what.en, told.value.what.fr):
            assert str(file) in text
            assert words in text

    def test_a_file_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        """By its path."""
        with pytest.raises(BadInput, match=r"plan .*nowhere\.yaml: No such file"):
            rollout.plan(tmp_path / "nowhere.yaml", **NAMED)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Kubernetes, Prometheus and MLflow at the wire."""
    with standing(World(51), tmp_path) as made:
        yield made


@pytest.fixture
def settings(cluster: Cluster) -> Iterator[Settings]:
    """Settings whose port of the controller leads to a real one."""
    web = Web(0, Health(), cluster.registry, orders={}, host="127.0.0.1")
    desk = Desk(cluster.controller())
    web.questions, web.orders = {"release": desk.told}, {"release": desk.ordered}
    web.start()
    try:
        yield _led_to(web.port)
    finally:
        web.close()


def _led_to(port: int) -> Settings:
    """Settings with the offset that makes `port` the controller's."""
    return dataclasses.replace(Settings.load({}), port_offset=port - PORTS[PORT])


START = {"strategy": "canary", "model": "delay-boosting", "version": "7"}


def test_a_release_is_begun_paused_resumed_and_taken_back(cluster: Cluster, settings: Settings) -> None:
    """Each order is carried out by the real controller; its words are there in both languages."""
    assert rollout.ask(settings)["phase"] == "none"
    told = rollout.order(settings, "start", rollout.plan(None, **{**NAMED, "model": "delay-boosting", "version": "7"}))
    assert (told["phase"], told["strategy"], told["weight"]) == ("running", "canary", 0)
    assert "delay-boosting version 7 : en cours" in told["text"]["fr"]
    assert rollout.order(settings, "pause")["halted"] is True
    assert "paused by somebody" in rollout.ask(settings)["text"]["en"]
    assert rollout.order(settings, "resume")["halted"] is False
    assert rollout.order(settings, "abort")["phase"] == "rolled back"
    assert cluster.weight() == 0


def test_what_does_not_fit_is_told_in_both_languages(settings: Settings) -> None:
    """No release, another one under way, a field of the plan, a version that is not there: exit code 2, and why."""
    for act in ("abort", "pause", "resume"):
        with pytest.raises(BadInput) as told:
            rollout.order(settings, act)
        assert told.value.render("en").startswith("no release is under way\nWhat to do: start one")
        assert told.value.render("fr").startswith("aucune livraison n'est en cours\nQue faire : commencez-en une")
    with pytest.raises(BadInput) as told:
        rollout.order(settings, "start", {**START, "steps": []})
    assert told.value.what.fr.startswith("le plan ne peut pas être exécuté : plan, steps: ")
    with pytest.raises(BadInput, match="no version 99"):
        rollout.order(settings, "start", {**START, "version": "99"})
    rollout.order(settings, "start", START)
    with pytest.raises(BadInput) as told:
        rollout.order(settings, "start", START)
    assert "lab release back" in told.value.remedy.fr


@pytest.mark.parametrize(("away", "words"), [("route", "sa route"), ("registry", "MLflow")])
def test_what_the_controller_needs_and_has_not_is_told(
    cluster: Cluster, settings: Settings, away: str, words: str
) -> None:
    """Kubernetes or MLflow away: exit code 5, and what to look at."""
    cluster.away.add(away)
    with pytest.raises(NotConverged) as told:
        rollout.order(settings, "start", START)
    assert words in told.value.what.fr


def test_a_controller_that_is_away_is_told_with_what_brings_it_back() -> None:
    """Nobody at the port: the address, the reason, the commands that help; exit code 5."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = _led_to(int(free.getsockname()[1]))
    with pytest.raises(NotConverged) as told:
        rollout.ask(settings)
    for text in (told.value.render("en"), told.value.render("fr")):
        assert f"http://127.0.0.1:{settings.port(PORT)}" in text
        assert "lab up 04" in text
        assert "Deployment/releases" in text


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((200, "<html>"), NotConverged),
        ((200, []), NotConverged),
        ((500, {"error": "KeyError: 'x'"}), NotConverged),
        ((404, {"error": "nothing to do at /release"}), NotConverged),
        ((409, {"kind": "Conflict", "error": "somebody else was first", "remedy": "read it again"}), BadInput),
    ],
)
def test_an_answer_of_something_else_is_no_status(reply: Reply, kind: type[LabError]) -> None:
    """Another program at the port, or a failure that nobody named: told as such, never taken for a release."""
    with serving(lambda *_: reply) as server, pytest.raises(kind) as told:
        rollout.ask(_led_to(int(server.address.rsplit(":", 1)[1])))
    assert told.value.what.fr != told.value.what.en


def test_every_error_of_the_controller_has_its_words() -> None:
    """Each class that an order can meet, in both languages; what it says to trainees in both is its own affair."""
    met = {
        name
        for name, kind in vars(releases.errors).items()
        if isinstance(kind, type) and issubclass(kind, ServiceError) and kind.__module__ == releases.errors.__name__
    }
    assert met - {NotNow.__name__, "NoAccount", "NoMetrics"} == set(REASONS)
    for reason in (*REASONS.values(), UNKNOWN):
        assert reason.what.en != reason.what.fr
        assert reason.remedy.en != reason.remedy.fr
