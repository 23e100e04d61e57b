"""A component as a Helm release: installed once, kept as declared, recovered when a command was cut off."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from lab.api import Object
from lab.errors import BadInput
from lab.process import CommandFailed
from lab.settings import Settings
from lab.spec import Component, Definitions
from lab.stack.release import Release
from lab.stack.values import values_for
from lab.text import Text
from unit.stack.conftest import Server
from unit.wire import Wire

HELM = """
record(stdin=sys.stdin.read())
if ARGS[:2] == ["template", "definitions"]:
    print(told("definitions"))
elif ARGS[0] == "template":
    fail(told("refuses")) if told("refuses") else print(told("manifests"))
elif ARGS[0] == "upgrade" and told("fails"):
    fail(told("fails"))
"""
OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "thing"}, "spec": {"ports": [{"port": 80}]}},
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "thing", "labels": {"app": "thing"}},
        "spec": {"template": {"spec": {"containers": [{"name": "a", "resources": {"limits": {"memory": "1024Mi"}}}]}}},
    },
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "thing"}, "rules": []},
]
COMPONENT = Component(namespace="platform", images={"image": "thing"}, ports={"external.port": "kafka"})


@pytest.fixture
def release(wire: Wire, settings: Settings) -> Release:
    """Return a release whose Helm is the fake."""
    helm = wire.program("helm", HELM)
    wire.tell("manifests", yaml.safe_dump_all(OBJECTS))
    return Release("thing", COMPONENT, helm, {"image": "tarmac.local/thing:1"}, settings)


def _again(release: Release, **values: object) -> Release:
    """Return the release as another command would see it."""
    return Release(release.name, release.component, release.helm, {**release.values, **values}, release.settings)


def test_values_are_the_images_and_the_ports_of_this_cluster(settings: Settings) -> None:
    """A dotted name leads into a section; host ports move with LAB_PORT_OFFSET."""
    values = values_for(COMPONENT, {"thing": "tarmac.local/thing:1"}, settings)
    assert values == {"image": "tarmac.local/thing:1", "external": {"port": 9192}}


def _installed(release: Release, server: Server) -> None:
    """Install a release that has no jobs."""
    release.install(server, lambda _: None)  # type: ignore[arg-type]
    release.settled(server)  # type: ignore[arg-type]


def _record(server: Server, status: str, version: str) -> None:
    """Hold a record of Helm's."""
    labels = {"owner": "helm", "name": "thing", "status": status, "version": version}
    name = f"sh.helm.release.v1.thing.v{version}"
    server.held["Secret", "platform", name] = {"kind": "Secret", "metadata": {"name": name, "labels": labels}}


def test_what_was_not_settled_is_begun_anew(release: Release, server: Server) -> None:
    """Installed, but its jobs were not run to their end: the next run does both again."""
    release.install(server, lambda _: None)  # type: ignore[arg-type]
    assert not _again(release).stands(server)  # type: ignore[arg-type]


def test_a_release_that_was_installed_stands(release: Release, server: Server) -> None:
    """A second run sees that there is nothing to do."""
    assert not release.stands(server)  # type: ignore[arg-type]
    _installed(release, server)
    assert _again(release).stands(server)  # type: ignore[arg-type]


def test_helm_works_on_the_tools_own_cluster_with_values_on_standard_input(
    release: Release, server: Server, wire: Wire
) -> None:
    """Namespace and kubeconfig are named every time; values are on no command line."""
    _installed(release, server)
    (upgrade,) = wire.calls("helm", "upgrade", "--install", "thing")
    assert yaml.safe_load(upgrade["stdin"]) == {"image": "tarmac.local/thing:1"}
    for call in wire.calls("helm"):
        words = call["args"]
        assert words[words.index("--namespace") + 1] == "platform"
        assert Path(words[words.index("--kubeconfig") + 1]) == release.settings.kubeconfig
        assert not any("tarmac.local" in word for word in words)


@pytest.mark.parametrize("kind", ["Service", "Deployment", "ClusterRole"])
def test_what_was_taken_away_is_missed_and_comes_back(kind: str, release: Release, server: Server) -> None:
    """Any one object, of a namespace or of the cluster."""
    _installed(release, server)
    (key,) = [each for each in server.held if each[0] == kind]
    del server.held[key]
    assert not _again(release).stands(server)  # type: ignore[arg-type]
    _installed(_again(release), server)
    assert key in server.held
    assert _again(release).stands(server)  # type: ignore[arg-type]


def test_what_helm_knows_already_it_is_not_told_again(release: Release, server: Server, wire: Wire) -> None:
    """An object that is missing is made as Helm would make it; another release, or one cut off, is Helm's work."""
    _installed(release, server)
    del server.held["Service", "platform", "thing"]
    _installed(_again(release), server)
    assert len(wire.calls("helm", "upgrade")) == 1
    meta = server.held["Service", "platform", "thing"]["metadata"]
    assert meta["labels"] == {"app.kubernetes.io/managed-by": "Helm"}
    assert meta["annotations"] == {
        "meta.helm.sh/release-name": "thing", "meta.helm.sh/release-namespace": "platform",
    }  # fmt: skip
    _record(server, "pending-upgrade", "2")
    _installed(_again(release), server)
    assert len(wire.calls("helm", "upgrade")) == 2


def test_a_repair_that_was_cut_off_is_done_again(
    release: Release, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the release was before: its jobs may not have run since."""
    _installed(release, server)
    del server.held["Service", "platform", "thing"]

    def cut(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(server, "apply", cut)
        with pytest.raises(KeyboardInterrupt):
            _again(release).install(server, lambda _: None)  # type: ignore[arg-type]
    assert not _again(release).stands(server)  # type: ignore[arg-type]
    _installed(_again(release), server)
    assert _again(release).stands(server)  # type: ignore[arg-type]


def test_what_was_changed_by_hand_is_put_right(release: Release, server: Server) -> None:
    """A port that somebody changed is seen and comes back."""
    _installed(release, server)
    service = server.held["Service", "platform", "thing"]
    service["spec"]["ports"][0]["port"] = 81
    assert not _again(release).stands(server)  # type: ignore[arg-type]
    _installed(_again(release), server)
    assert server.held["Service", "platform", "thing"]["spec"]["ports"][0]["port"] == 80


def test_what_the_cluster_adds_or_writes_differently_is_no_change(release: Release, server: Server) -> None:
    """Defaults appear, and 1024Mi comes back as 1Gi: the release stands all the same."""
    release.install(server, lambda _: None)  # type: ignore[arg-type]
    server.held["Service", "platform", "thing"]["spec"]["ports"][0]["protocol"] = "TCP"
    (container,) = server.held["Deployment", "platform", "thing"]["spec"]["template"]["spec"]["containers"]
    container["imagePullPolicy"] = "Always"
    container["resources"]["limits"]["memory"] = "1Gi"
    release.settled(server)  # type: ignore[arg-type]
    assert _again(release).stands(server)  # type: ignore[arg-type]
    container["resources"]["limits"]["memory"] = "2Gi"
    assert not _again(release).stands(server)  # type: ignore[arg-type]


def test_what_was_added_by_hand_to_a_workload_goes(release: Release, server: Server) -> None:
    """A node selector of somebody else's is seen, and taken away with all that is not declared."""
    _installed(release, server)
    spec = server.held["Deployment", "platform", "thing"]["spec"]
    server.held["Deployment", "platform", "thing"]["spec"] = {**spec, "paused": True}
    assert not _again(release).stands(server)  # type: ignore[arg-type]
    _installed(_again(release), server)
    assert "paused" not in server.held["Deployment", "platform", "thing"]["spec"]
    assert _again(release).stands(server)  # type: ignore[arg-type]


def test_what_was_added_before_a_command_was_cut_off_goes_too(release: Release, server: Server) -> None:
    """Nothing says any more how the workload was: what was changed since it was made is made as declared."""
    _installed(release, server)
    held = server.held["Deployment", "platform", "thing"]
    held["spec"] = {**held["spec"], "paused": True}
    held["metadata"]["generation"] = 2
    del server.held["ConfigMap", "platform", "release-thing"]
    _installed(_again(release), server)
    assert "paused" not in server.held["Deployment", "platform", "thing"]["spec"]


def test_what_was_changed_and_changed_back_stands(release: Release, server: Server) -> None:
    """As when a workload was scaled down and up again."""
    _installed(release, server)
    held = server.held["Deployment", "platform", "thing"]
    held["spec"]["replicas"] = 0
    assert not _again(release).stands(server)  # type: ignore[arg-type]
    del held["spec"]["replicas"]
    assert _again(release).stands(server)  # type: ignore[arg-type]


def test_a_release_that_an_earlier_version_settled_stands(release: Release, server: Server) -> None:
    """Its record says nothing of workloads."""
    _installed(release, server)
    del server.held["ConfigMap", "platform", "release-thing"]["data"]["workloads"]
    assert _again(release).stands(server)  # type: ignore[arg-type]


def test_other_manifests_are_another_release(release: Release, server: Server, wire: Wire) -> None:
    """A new image or value changes what Helm makes, and so is installed."""
    _installed(release, server)
    wire.tell("manifests", yaml.safe_dump_all(OBJECTS[:2]))
    assert not _again(release).stands(server)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "revision", "verb"),
    [
        ("pending-install", "1", "uninstall"),
        ("uninstalling", "4", "uninstall"),
        ("pending-upgrade", "3", "rollback"),
        ("pending-rollback", "4", "rollback"),
        ("deployed", "2", None),
        ("failed", "1", None),
    ],
)
def test_a_command_that_was_cut_off_is_recovered_from(  # noqa: PLR0913, PLR0917  three of a case, three fixtures
    status: str, revision: str, verb: str | None, release: Release, server: Server, wire: Wire
) -> None:
    """Ctrl-C or a power cut in the middle of Helm's work never needs hands: the next run goes on."""
    _record(server, "superseded", "0")
    _record(server, status, revision)
    _installed(release, server)
    done = [call["args"][0] for call in wire.calls("helm") if call["args"][0] in ("uninstall", "rollback")]
    assert done == ([verb] if verb else [])
    assert wire.calls("helm", "upgrade")


@pytest.mark.parametrize(
    ("words", "times"), [("Internal error: etcdserver: request timed out", 3), ("the server has no such kind", 1)]
)
def test_a_store_without_time_is_asked_again(  # noqa: PLR0913, PLR0917  two of a case, four fixtures
    words: str, times: int, release: Release, server: Server, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times, with what was begun taken back between; then, and at once where it is something else, it is told."""
    monkeypatch.setattr("lab.stack.release._PAUSE", 0)
    wire.tell("fails", words)
    _record(server, "pending-upgrade", "2")
    with pytest.raises(CommandFailed, match=words):
        release.install(server, lambda _: None)  # type: ignore[arg-type]
    assert len(wire.calls("helm", "upgrade")) == times
    assert len(wire.calls("helm", "rollback")) == times


def test_a_store_that_has_time_again_is_no_failure(
    release: Release, server: Server, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said why it takes longer, and the release stands."""
    monkeypatch.setattr("lab.stack.release._PAUSE", 0)
    wire.tell("fails", "etcdserver: leader changed")
    said: list[str] = []

    def say(text: Text) -> None:
        said.append(text.en)
        if "busy" in text.en:
            wire.tell("fails", "")

    release.install(server, say)  # type: ignore[arg-type]
    assert said == ["installing", "the cluster's store is busy: again"]
    assert len(wire.calls("helm", "upgrade")) == 2


def test_a_value_that_does_not_fit_is_told_by_its_name(release: Release, wire: Wire) -> None:
    """Helm's words become chart, value and remedy, in both languages."""
    wire.tell("refuses", "Error: values don't meet…\nthing:\n- at '/external/port': got string, want integer\n")
    with pytest.raises(BadInput) as told:
        _ = release.manifests
    assert "chart thing" in told.value.what.en
    assert "external.port: got string, want integer" in told.value.what.en
    assert "external.port" in told.value.what.fr
    assert "platform/helm/thing/values.yaml" in told.value.remedy.fr


def test_a_chart_that_is_broken_is_not_blamed_on_a_value(release: Release, wire: Wire) -> None:
    """A mistake in a template keeps Helm's own words."""
    wire.tell("refuses", "Error: parse error at (thing/templates/x.yaml:3): unclosed action")
    with pytest.raises(CommandFailed, match="unclosed action"):
        _ = release.manifests


ROUTE: dict[str, Any] = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "thing", "annotations": {"tarmac.dev/made-once": "true"}},
    "spec": {"rules": [{"backendRefs": [{"name": "a", "weight": 100}, {"name": "b", "weight": 0}]}]},
}


def test_what_is_made_once_is_somebody_elses_afterwards(release: Release, server: Server, wire: Wire) -> None:
    """Weights that a release moved stay, while the rest is kept as declared; the object taken away comes back."""
    wire.tell("manifests", yaml.safe_dump_all([*OBJECTS, ROUTE]))
    _installed(release, server)
    route = server.held["HTTPRoute", "platform", "thing"]
    route["spec"]["rules"][0]["backendRefs"] = [{"name": "b", "weight": 1}]
    assert _again(release).stands(server)  # type: ignore[arg-type]
    server.held["Service", "platform", "thing"]["spec"]["ports"][0]["port"] = 81
    _installed(_again(release), server)
    assert server.held["HTTPRoute", "platform", "thing"]["spec"]["rules"][0]["backendRefs"] == [
        {"name": "b", "weight": 1}
    ]
    assert server.held["Service", "platform", "thing"]["spec"]["ports"][0]["port"] == 80
    del server.held["HTTPRoute", "platform", "thing"]
    assert not _again(release).stands(server)  # type: ignore[arg-type]
    _installed(_again(release), server)
    assert server.held["HTTPRoute", "platform", "thing"]["spec"] == ROUTE["spec"]


def test_a_class_of_gateways_stands_in_no_namespace(release: Release, server: Server, wire: Wire) -> None:
    """It is applied and looked for as what belongs to the whole cluster."""
    one = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "thing"}}
    wire.tell("manifests", yaml.safe_dump_all([one]))
    _installed(release, server)
    assert ("GatewayClass", None, "thing") in server.held


def test_what_a_controller_makes_is_waited_for(release: Release) -> None:
    """Beside the chart's own workloads."""
    component = COMPONENT.model_copy(update={"makes": ["proxies"]})
    found = Release("thing", component, release.helm, release.values, release.settings).workloads()
    assert [(each["kind"], each["metadata"]["name"]) for each in found] == [
        ("Deployment", "thing"), ("Deployment", "proxies"),
    ]  # fmt: skip


class TestDefinitions:
    """A component that brings kinds of its own."""

    WANTED = Definitions(
        module="example.org/ways", version="v1.0.0", chart="charts/kinds", kinds={"ways.example.org/v1": ["Way"]}
    )
    KIND: ClassVar[dict[str, Any]] = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "ways"},
        "spec": {"group": "ways.example.org", "names": {"kind": "Way"}, "versions": [{"name": "v1"}]},
    }  # fmt: skip

    @pytest.fixture
    def bringer(self, release: Release, wire: Wire) -> Release:
        """Return such a release; its module has the one kind."""
        wire.program("go", 'print("go1.27.3" if ARGS[0] == "env" else json.dumps({"Dir": str(STATE)}))\n')
        wire.tell("definitions", yaml.safe_dump(self.KIND))
        component = COMPONENT.model_copy(update={"definitions": self.WANTED})
        return Release("thing", component, release.helm, release.values, release.settings)

    def test_kinds_stand_before_the_release(
        self, bringer: Release, server: Server, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Helm is not asked to install objects of a kind that nobody knows."""
        applied: list[tuple[str, int]] = []
        apply = server.apply

        def told(objects: Iterable[Object]) -> list[str]:
            objects = list(objects)
            applied.extend((each["kind"], len(wire.calls("helm", "upgrade"))) for each in objects)
            return apply(objects)

        monkeypatch.setattr(server, "apply", told)
        bringer.install(server, lambda _: None)  # type: ignore[arg-type]
        assert applied[0] == ("CustomResourceDefinition", 0)
        assert {upgrades for _, upgrades in applied[1:]} == {1}
        assert server.kinds("ways.example.org/v1") == {"Way"}

    def test_a_kind_that_was_taken_away_is_missed(self, bringer: Release, server: Server) -> None:
        """A release whose kinds the cluster no longer knows does not stand."""
        _installed(bringer, server)
        assert _again(bringer).stands(server)  # type: ignore[arg-type]
        del server.held["CustomResourceDefinition", None, "ways"]
        assert not _again(bringer).stands(server)  # type: ignore[arg-type]

    def test_another_version_is_another_release(self, bringer: Release, server: Server) -> None:
        """The version of the kinds counts as what the chart makes does."""
        _installed(bringer, server)
        newer = self.WANTED.model_copy(update={"version": "v1.1.0"})
        component = bringer.component.model_copy(update={"definitions": newer})
        other = Release("thing", component, bringer.helm, bringer.values, bringer.settings)
        assert not other.stands(server)  # type: ignore[arg-type]
