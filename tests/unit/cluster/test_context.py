"""A named context: a fake `kubectl` in the cluster's place, real kubeconfig files."""

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.cluster import forward
from lab.cluster.base import Status
from lab.cluster.context import NAMESPACES, Context
from lab.cluster.permissions import NEEDED, Permission, needed, plural, question
from lab.errors import BadInput, MissingRequirement, NotConverged
from lab.spec import Course

from .conftest import Machine

_KUBECTL = f"""
echo "$KUBECONFIG" >> $STATE/kubeconfigs
case "$*" in
  "version --client --output=json") echo '{{"clientVersion": {{"minor": "37"}}}}' ;;
  "config get-contexts --output=name") cat $STATE/contexts ;;
  "config view "*) echo "entry of $4" ;;
  *"get --raw /version") test -e $STATE/unreachable && {{ cat $STATE/unreachable >&2; exit 1; }}; echo '{{}}' ;;
  *"create "*) {sys.executable} -I $STATE/judge.py ;;
  *"get namespaces"*) cat $STATE/namespaces ;;
  *"get nodes"*) cat $STATE/nodes ;;
esac
"""
_JUDGE = """
import json, pathlib, sys
denied = json.loads((pathlib.Path(__file__).parent / "denied").read_text())
for item in json.load(sys.stdin)["items"]:
    asked = item["spec"]["resourceAttributes"]
    name = "/".join(filter(None, [asked["resource"], asked.get("subresource")]))
    refused = f"{asked['verb']} {name}" in denied or (name == "*" and denied)
    print("false" if refused else "true")
"""


@pytest.fixture
def context(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """Return the context `training` of a user who has two, on a cluster where all is allowed."""
    machine.program("kubectl", _KUBECTL)
    machine.answer("judge.py", _JUDGE)
    machine.answer("denied", "[]")
    machine.answer("contexts", "training\nproduction\n")
    _stand(machine, {"default": None, "kube-system": None})
    theirs = machine.home / ".kube"
    theirs.mkdir()
    (theirs / "config").write_text("contexts: of the user\n")
    monkeypatch.setattr(forward, "ports", lambda _: {})
    made = Context(machine.settings(LAB_CLUSTER="context:training"))
    yield made
    made._forwarder.end()


def _stand(machine: Machine, namespaces: dict[str, str | None]) -> None:
    """Let these namespaces stand, with their value of the label that marks ours."""
    items = [
        {"metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": part} if part else {}}}
        for name, part in namespaces.items()
    ]
    machine.answer("namespaces", json.dumps({"items": items}))


def test_only_the_named_context_is_taken_over_and_the_users_file_stays(machine: Machine, context: Context) -> None:
    """Our kubeconfig holds that one entry, 0600; the user's file is the same to the byte, and so is its time."""
    theirs = machine.home / ".kube" / "config"
    before = (theirs.read_bytes(), theirs.stat().st_mtime_ns)
    context.up(machine.say)
    assert context.status() is Status.RUNNING
    assert (theirs.read_bytes(), theirs.stat().st_mtime_ns) == before
    assert context.kubeconfig.read_text() == "entry of training\n"
    assert stat.S_IMODE(context.kubeconfig.stat().st_mode) == 0o600
    assert not [call for call in machine.calls("kubectl config") if "set" in call or "use-context" in call]


def test_commands_go_to_our_kubeconfig(machine: Machine, context: Context) -> None:
    """Whatever asks the cluster names our own file, never the user's current context."""
    context.up(machine.say)
    asked = [call for call in machine.calls() if " config " not in call and "--client" not in call]
    assert asked
    assert all(f"--kubeconfig {context.kubeconfig}" in call for call in asked)


def test_kubeconfig_of_the_environment_is_the_users(
    machine: Machine, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KUBECONFIG is read where it is set, except where `lab env` pointed it to our own file."""
    monkeypatch.setenv("KUBECONFIG", "/elsewhere/config")
    context.up(machine.say)
    monkeypatch.setenv("KUBECONFIG", str(context.kubeconfig))
    context.up(machine.say)
    config = [line for line in (machine.state / "kubeconfigs").read_text().splitlines() if line]
    assert set(config) >= {"/elsewhere/config", f"{machine.home}/.kube/config"}


def test_an_unknown_context_is_told_with_those_that_exist(machine: Machine) -> None:
    """The error names LAB_CLUSTER, the context, the file, and what is in it; nothing is written."""
    machine.program("kubectl", _KUBECTL)
    machine.answer("contexts", "training\nproduction\n")
    wrong = Context(machine.settings(LAB_CLUSTER="context:trainign"))
    with pytest.raises(BadInput) as caught:
        wrong.up(machine.say)
    for words in (caught.value.render("en"), caught.value.render("fr")):
        assert "LAB_CLUSTER=context:trainign" in words
        assert "training, production" in words
        assert f"{machine.home}/.kube/config" in words
    assert not machine.settings().folder.exists()


def test_an_unreachable_context_is_told_with_its_reason(machine: Machine, context: Context) -> None:
    """The error names the context, gives the last words of kubectl and a remedy; nothing is left."""
    machine.answer("unreachable", "dial tcp 10.0.0.9:6443: connect: connection refused\n")
    with pytest.raises(NotConverged) as caught:
        context.up(machine.say)
    for words in (caught.value.render("en"), caught.value.render("fr")):
        assert "context:training" in words
        assert "connection refused" in words
        assert "kubectl --context training get nodes" in words
    assert not machine.settings().folder.exists()
    assert context.status() is Status.ABSENT


def test_every_missing_permission_is_named(machine: Machine, context: Context) -> None:
    """What the context may not do is listed verb by verb, before anything was done; nothing is left."""
    machine.answer("denied", json.dumps(["create namespaces", "patch deployments", "create pods/portforward"]))
    with pytest.raises(MissingRequirement) as caught:
        context.up(machine.say)
    listed = "create namespaces; create pods/portforward; patch deployments.apps"
    assert caught.value.what.en.endswith(listed)
    assert caught.value.what.fr.endswith(listed)
    assert "cluster-admin" in caught.value.remedy.fr
    assert not machine.settings().folder.exists()


def test_an_administrator_is_asked_once(machine: Machine, context: Context) -> None:
    """Where everything is allowed, one question to the API server is enough."""
    context.up(machine.say)
    assert len([call for call in machine.calls() if " create " in call]) == 1


def test_a_namespace_of_somebody_else_is_never_taken(machine: Machine, context: Context) -> None:
    """A namespace of our name without our label would be deleted one day: the cluster is refused, it is named."""
    _stand(machine, {"platform": None, "chain": "tarmac"})
    with pytest.raises(BadInput) as caught:
        context.up(machine.say)
    assert caught.value.what.en.endswith(": platform")
    assert not machine.settings().folder.exists()


def test_down_removes_what_is_ours_and_nothing_else(machine: Machine, context: Context) -> None:
    """Only labelled namespaces of our names and labelled cluster-wide objects are deleted; then our files."""
    context.up(machine.say)
    _stand(machine, {"platform": "tarmac", "lab-01": "tarmac", "lab-02": None, "default": None, "shop": "tarmac"})
    context.down(machine.say)
    deleted = [call.split("--kubeconfig ", 1)[1].split(" ", 1)[1] for call in machine.calls() if " delete " in call]
    assert deleted == [
        "delete clusterroles,clusterrolebindings --selector app.kubernetes.io/part-of=tarmac --ignore-not-found",
        "delete namespace platform lab-01 --ignore-not-found",
    ]
    assert not machine.settings().folder.exists()


def test_down_without_the_cluster_says_what_stays(machine: Machine, context: Context) -> None:
    """Where the cluster does not answer, our objects there cannot be removed: that is said, and our files stay."""
    context.up(machine.say)
    machine.answer("unreachable", "no route to host\n")
    assert context.status() is Status.STOPPED
    with pytest.raises(NotConverged, match="no route to host"):
        context.down(machine.say)
    assert context.kubeconfig.exists()


def test_images_are_those_that_every_open_node_holds(machine: Machine, context: Context) -> None:
    """A pod may land on any node that takes pods: an image counts when all of them hold it."""

    def node(*names: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
        return {"spec": spec, "status": {"images": [{"names": [name], "sizeBytes": 7} for name in names]}}

    taint = [{"key": "control-plane", "effect": "NoSchedule"}]
    nodes = [node("a:1", "b:1"), node("b:1", "c:1"), node("c:1", taints=taint), node(unschedulable=True)]
    machine.answer("nodes", json.dumps({"items": nodes}))
    assert context.images() == {"b:1": 7}


def test_an_image_that_the_nodes_lack_is_told_with_the_way_to_bring_it(machine: Machine, context: Context) -> None:
    """Nothing is pushed anywhere unasked: the error names the image, the context, and the archives to bring."""
    with pytest.raises(MissingRequirement) as caught:
        context.load_images(["tarmac.local/kafka:1"])
    assert "tarmac.local/kafka:1" in caught.value.what.fr
    assert "training" in caught.value.what.fr
    assert f"{machine.settings().cache}/images" in caught.value.remedy.fr


def test_every_kind_that_charts_and_labs_declare_is_asked_for(machine: Machine) -> None:
    """A kind that a chart or a lab creates is among the permissions that are checked beforehand."""
    root = machine.settings().root
    declared = set()
    for path in (*root.glob("platform/helm/*/templates/*.yaml"), *root.glob("labs/*/manifests/**/*.yaml")):
        lines = path.read_text().splitlines()
        declared |= {line.split("kind:")[1].strip() for line in lines if line.startswith("kind:")}
    assert declared
    every = needed(Course(root).components.values())
    asked = {each.resource for each in every if "create" in each.verbs}
    assert {plural(kind) for kind in declared if kind != "Kustomization"} <= asked


def test_rights_on_kinds_that_no_component_brings_are_not_asked_for(machine: Machine, context: Context) -> None:
    """Who brings lab 01 up needs no right on definitions or gateways; who brings a gateway up does, for each kind."""
    components = Course(machine.settings().root).components
    without = needed([components["kafka"], components["prometheus"]])
    assert without == NEEDED
    assert not [each for each in without if "gateway" in each.group or each.group == "apiextensions.k8s.io"]
    with_ = {str(each) for each in needed([components["gateway"]])} - {str(each) for each in NEEDED}
    assert {
        "customresourcedefinitions.apiextensions.k8s.io", "httproutes.gateway.networking.k8s.io",
        "referencegrants.gateway.networking.k8s.io", "gatewayclasses.gateway.networking.k8s.io",
        "backendtrafficpolicies.gateway.envoyproxy.io", "envoyproxies.gateway.envoyproxy.io",
    } <= with_  # fmt: skip
    grants = {(each.resource, verb) for each in needed([components["gateway"]]) for verb in each.verbs}
    assert {("roles", "escalate"), ("clusterroles", "bind")} <= grants
    machine.answer("denied", json.dumps(["create httproutes"]))
    context.up(machine.say)
    own = Context(machine.settings(LAB_CLUSTER="context:training"), [components["gateway"]])
    with pytest.raises(MissingRequirement, match=r"create httproutes\.gateway\.networking\.k8s\.io"):
        own.up(machine.say)


def test_a_question_is_what_the_api_server_understands() -> None:
    """A subresource is asked for as such, the core group as the empty one."""
    asked = question(Permission("", "pods/log", ("get",)), "get")
    assert asked["spec"] == {
        "resourceAttributes": {"group": "", "resource": "pods", "subresource": "log", "verb": "get"}
    }


def test_our_namespaces_are_those_of_the_course(machine: Machine) -> None:
    """Every namespace of stack.yaml and of a lab is among those that `down` removes."""
    stack = yaml.safe_load((machine.settings().root / "platform" / "stack.yaml").read_text())
    declared = {component["namespace"] for component in stack["components"].values()}
    assert declared
    assert declared | {"lab-01", "lab-09"} <= set(NAMESPACES)


def test_an_own_kubeconfig_without_a_claim_is_nobodys(machine: Machine, context: Context) -> None:
    """A context that another checkout took over is refused, with its owner's name."""
    context.up(machine.say)
    (machine.settings().folder / "checkout").write_text("/home/other/tarmac")
    assert context.status() is Status.FOREIGN
    for command in (context.up, context.down):
        with pytest.raises(BadInput, match="/home/other/tarmac"):
            command(machine.say)
    assert Path(context.kubeconfig).exists()
    assert os.environ["HOME"] == str(machine.home)
