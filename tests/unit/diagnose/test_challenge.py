"""`lab break`: the same seed breaks the same thing, what is sent breaks what was meant, and undoing gives all back."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import api
from lab.broker import Broker
from lab.diagnose import challenge
from lab.diagnose.accuracy import healthy
from lab.diagnose.challenge import Challenge
from lab.diagnose.faults import FAULTS, Fault
from lab.diagnose.faults.acts import Make, Patch, Remove, Renew
from lab.reset import namespaces
from lab.settings import Settings
from lab.spec import Course
from unit.patterns.servers import Server, serving

ROOT = Path(__file__).resolve().parents[3]
COURSE = Course(ROOT, drafts=False)
STATE = next(state for name, _, state in healthy(COURSE) if name == "04 solved")
_GROUPS = {
    "v1": {"Pod": "pods", "Service": "services", "Secret": "secrets", "ConfigMap": "configmaps", "Node": "nodes",
           "ResourceQuota": "resourcequotas", "PersistentVolumeClaim": "persistentvolumeclaims"},
    "apps/v1": {"Deployment": "deployments", "StatefulSet": "statefulsets"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies"},
    "gateway.networking.k8s.io/v1": {"HTTPRoute": "httproutes"},
}  # fmt: skip
_STATEFUL = {"name": "kafka-0", "namespace": "platform", "labels": {"app.kubernetes.io/name": "kafka"}}


class Cluster:
    """An API server at the wire: keeps objects by path, merges what is patched field by field, lists included.

    Attributes:
        held: path -> object.
        changed: method and path of what changed anything, in its order.

    """

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.changed: list[tuple[str, str]] = []
        self.bodies: list[Any] = []
        self.refused = ""
        """Path below which nothing is made."""

    def keep(self, version: str, kind: str, item: dict[str, Any]) -> str:
        """Keep an object; return its path."""
        meta = item["metadata"]
        place = f"namespaces/{meta['namespace']}/" if meta.get("namespace") else ""
        path = f"{_root(version)}/{place}{_GROUPS[version][kind]}/{meta['name']}"
        self.held[path] = {"apiVersion": version, "kind": kind, **copy.deepcopy(item)}
        self.held[path]["metadata"] |= {"resourceVersion": "7", "uid": "u"}
        return path

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401  JSON
        """Answer as an API server does."""
        place = path.partition("?")[0]
        if (told := _discovery(place)) is not None:
            return 200, told
        if method == "GET":
            return self._read(place)
        self.changed.append((method, place))
        self.bodies.append(body)
        if self.refused and place.startswith(self.refused):
            return 403, {"kind": "Status", "status": "Failure", "message": "refused by the test", "reason": "Forbidden"}
        if method == "DELETE":
            return 200, self.held.pop(place, {"kind": "Status"})
        if method == "POST":
            place = f"{place}/{body['metadata']['name']}"
        before = self.held.get(place, {})
        self.held[place] = {**before, **body} if method == "PATCH" else body
        self.held[place].setdefault("metadata", {}).setdefault("resourceVersion", "8")
        return 200, self.held[place]

    def _read(self, place: str) -> tuple[int, Any]:
        if place in self.held:
            return 200, self.held[place]
        under = [each for path, each in self.held.items() if path.startswith(f"{place}/")]
        listed = any(place.endswith(f"/{plural}") for kinds in _GROUPS.values() for plural in kinds.values())
        return (
            (200, {"kind": "List", "apiVersion": "v1", "items": under}) if listed else (404, {"message": "not found"})
        )


def _root(version: str) -> str:
    return f"/api/{version}" if version == "v1" else f"/apis/{version}"


def _discovery(place: str) -> dict[str, Any] | None:
    groups = [
        {"name": version.partition("/")[0], "versions": [{"groupVersion": version, "version": "v1"}],
         "preferredVersion": {"groupVersion": version, "version": "v1"}}
        for version in _GROUPS if "/" in version
    ]  # fmt: skip
    answers: dict[str, Any] = {
        "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.2"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "groups": groups},
    }
    for version, kinds in _GROUPS.items():
        verbs = ["get", "list", "patch", "update", "create", "delete"]
        resources = [
            {"name": plural, "kind": kind, "namespaced": kind != "Node", "singularName": kind.lower(), "verbs": verbs}
            for kind, plural in kinds.items()
        ]
        answers[_root(version)] = {"kind": "APIResourceList", "groupVersion": version, "resources": resources}
    return answers.get(place)


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster with lab 04's workloads, Services and Secrets."""
    made = Cluster()
    versions = {kind: version for version, kinds in _GROUPS.items() for kind in kinds}
    for item in STATE["objects"]:
        if item["kind"] in ("Deployment", "StatefulSet", "Service", "HTTPRoute"):
            made.keep(versions[item["kind"]], item["kind"], item)
    for name, namespace in (("redis", "chain"),):
        made.keep("v1", "Secret", {"metadata": {"name": name, "namespace": namespace}, "data": {"password": "eA=="}})
    made.keep("v1", "ConfigMap", {"metadata": {"name": "kafka", "namespace": "platform"}, "data": {}})
    made.keep("v1", "Node", {"metadata": {"name": "one"}, "spec": {}})
    made.keep("v1", "Pod", {"metadata": _STATEFUL, "spec": {}})
    for namespace, name in (("kube-system", "coredns"), ("storage", "volume-provisioner")):
        made.keep(
            "apps/v1", "Deployment", {"metadata": {"name": name, "namespace": namespace}, "spec": {"replicas": 2}}
        )
    return made


@pytest.fixture
def connected(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[api.Api, Server]]:
    """Return a connection to it, and what it heard."""
    settings = Settings.load({"HOME": str(tmp_path)})
    settings.folder.mkdir(parents=True)
    with serving(cluster.answer) as server:
        content = {
            "clusters": [{"name": "x", "cluster": {"server": server.address}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "current-context": "x", "users": [{"name": "x", "user": {}}],
        }  # fmt: skip
        settings.kubeconfig.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **content}))
        yield api.Api(settings), server


def _no_broker() -> Broker:
    message = "this fault does not ask the broker"
    raise AssertionError(message)


def _of_the_api(fault: Fault) -> bool:
    return bool(fault.acts) and all(isinstance(act, Patch | Remove | Make | Renew) for act in fault.acts)


@pytest.mark.parametrize("fault", [each for each in FAULTS if _of_the_api(each)], ids=lambda each: each.name)
def test_what_is_broken_is_given_back(
    fault: Fault, cluster: Cluster, connected: tuple[api.Api, Server], tmp_path: Path
) -> None:
    """Each fault changes something on the cluster, and undoing leaves every object as it was, none more or less."""

    def shown() -> dict[str, Any]:
        kept = copy.deepcopy({path: each for path, each in cluster.held.items() if "/pods/" not in path})
        for each in kept.values():
            each["metadata"] = {key: value for key, value in each["metadata"].items() if key in ("name", "namespace")}
            each.pop("status", None)
        return kept

    asked, _ = connected
    before, file = shown(), tmp_path / "challenge.json"
    running = Challenge("04", 1)
    challenge.inject(running, fault, file, asked, _no_broker)
    assert shown() != before
    kept = Challenge.read(file)
    assert kept == running
    assert kept is not None
    assert challenge.undo(kept, COURSE, asked, _no_broker) == []
    assert shown() == before
    assert kept.undo == []


def test_what_cannot_be_given_back_is_kept_and_the_rest_given_back(
    cluster: Cluster, connected: tuple[api.Api, Server]
) -> None:
    """One refusal stops no other step, and only what was refused is tried again."""
    asked, _ = connected
    closed = Patch("Node", None, "one", {"spec": {"unschedulable": True}})
    running = Challenge("04", 1)
    for act in (closed, Remove("HTTPRoute", "chain", "serving")):
        running.undo += challenge._undoing(act, asked)
        challenge._do(act, asked, _no_broker)
    cluster.refused = "/api/v1/nodes"
    failures = challenge.undo(running, COURSE, asked, _no_broker)
    assert [each.what.en for each in failures] == ["Node/one is refused: refused by the test"]
    assert [each["restore"]["kind"] for each in running.undo] == ["Node"]
    assert asked.get("HTTPRoute", "serving", "chain")
    cluster.refused = ""
    assert challenge.undo(running, COURSE, asked, _no_broker) == []
    assert (asked.get("Node", "one") or {})["spec"] == {}
    assert running.undo == []


def test_after_a_reset_only_what_it_does_not_make_anew_is_given_back() -> None:
    """What stood in a lab's namespace would change its start; a node or the cluster's own services it leaves alone."""
    node = {"restore": {"kind": "Node", "metadata": {"name": "one"}}}
    resolver = {"restore": {"kind": "Deployment", "metadata": {"name": "coredns", "namespace": "kube-system"}}}
    broker = {"renew": {"namespace": "platform", "labels": "app.kubernetes.io/name=kafka"}}
    made = {"delete": {"kind": "NetworkPolicy", "metadata": {"name": "shut", "namespace": "chain"}}}
    feature = {"renew": {"namespace": "chain", "labels": "app.kubernetes.io/name=feature"}}
    steps: list[dict[str, Any]] = [node, made, {"topic": "weather"}, resolver, feature, broker]
    assert challenge.beyond(steps, namespaces(COURSE)) == [node, resolver, broker]


def test_a_change_is_merged_by_name_and_names_the_field(cluster: Cluster, connected: tuple[api.Api, Server]) -> None:
    """Kubernetes' own kinds merge containers and settings by name; a route, which cannot, is sent as a whole."""
    asked, server = connected
    fault = next(each for each in FAULTS if each.name == "setting-ingest-producer")
    act = fault.acts[0]
    assert isinstance(act, Patch)
    asked.patch(act.kind, act.name, act.namespace, act.body)
    containers = [{"name": "producer", "env": [{"name": "TARMAC_SPEDUP", "value": "600"}]}]
    assert cluster.bodies == [{"spec": {"template": {"spec": {"containers": containers}}}}]
    asked.patch("HTTPRoute", "serving", "chain", {"spec": {}})
    forms = [
        headers["Content-Type"]
        for call, headers in zip(server.calls, server.headers, strict=True)
        if call[0] == "PATCH"
    ]
    assert forms == ["application/strategic-merge-patch+json", "application/merge-patch+json"]


def test_every_target_is_on_the_recorded_cluster() -> None:
    """Workloads and containers that acts name are those that the recorded labs have: no fault changes nothing."""
    workloads = {
        (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]): {
            container["name"] for container in each["spec"]["template"]["spec"]["containers"]
        }
        for each in STATE["objects"]
        if each["kind"] in ("Deployment", "StatefulSet")
    }
    for fault in FAULTS:
        for act in fault.acts:
            if (
                isinstance(act, Patch)
                and act.kind in ("Deployment", "StatefulSet")
                and act.namespace in ("chain", "data")
            ):
                changed = act.body["spec"].get("template", {}).get("spec", {}).get("containers", [])
                assert {each["name"] for each in changed} <= workloads[act.kind, act.namespace, act.name], fault.name


def test_pods_that_start_anew_are_those_that_are_meant() -> None:
    """The selector of each act chooses pods of a recorded workload."""
    labels = [
        each["spec"]["selector"]["matchLabels"] for each in STATE["objects"] if each["kind"] in _GROUPS["apps/v1"]
    ]
    for fault in FAULTS:
        for act in fault.acts:
            if isinstance(act, Renew):
                wanted = dict(pair.split("=") for pair in act.labels.split(","))
                chosen = [each for each in labels if wanted.items() <= each.items()]
                assert len(chosen) == 1, (fault.name, act.labels)


def test_a_pod_that_comes_back_under_its_name_is_not_waited_for(connected: tuple[api.Api, Server]) -> None:
    """A StatefulSet's pod is there again at once: renewing it is not the end of a wait."""
    asked, _ = connected
    challenge._renew(Renew("platform", "app.kubernetes.io/name=kafka"), asked)


@pytest.mark.parametrize("code", COURSE.codes())
def test_a_seed_draws_the_same_fault_and_seeds_draw_many(code: str) -> None:
    """A trainer gives a room one seed, or each trainee another; what is drawn fits the lab and can be undone."""
    lab = COURSE.lab(code)
    drawn = [challenge.draw(lab, seed) for seed in range(200)]
    assert drawn == [challenge.draw(lab, seed) for seed in range(200)]
    assert all(each.acts and each.drawn and each.fits(lab.components) for each in drawn)
    assert len(Counter(each.name for each in drawn)) >= 20


def _lab(tmp_path: Path, *words: str) -> tuple[int, str, str]:
    environment = {
        "HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "platform"), "LAB_LANG": "en",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "lab", *words],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_an_answer_is_judged_with_its_time(tmp_path: Path) -> None:
    """Wrong: exit 1 and a try more; right: exit 0, the tries and the minutes; in whatever case it is typed."""
    settings = Settings.load({"HOME": str(tmp_path)})
    Challenge("01", 7, started=0.0).write(settings.folder / "challenge.json")
    right = challenge.draw(COURSE.lab("01"), 7).code
    wrong = "TD-REDIS-FULL"
    code, out, _ = _lab(tmp_path, "break", "01", "--answer", wrong)
    assert (code, out[:40]) == (1, f"✗ {wrong} is not the root cause (try"[:40])
    code, out, _ = _lab(tmp_path, "break", "01", "--answer", right.removeprefix("TD-").lower())
    assert code == 0
    assert f"✓ {right}, found in" in out
    assert "at try 2" in out
    kept = json.loads((settings.folder / "challenge.json").read_text())
    assert right not in json.dumps(kept)
    assert kept["tries"] == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("01", "--answer", "TD-NOPE"), "--answer TD-NOPE: there is no such code"),
        (("01", "--answer", "TD-KAFKA-GONE"), "nothing was broken in lab 01"),
        (("01", "--mend"), "nothing was broken in lab 01"),
        (("09",), "lab 09 does not exist yet"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """Exit code 2, what is wrong, what to do."""
    code, out, err = _lab(tmp_path, "break", *words)
    assert (code, out, err.splitlines()[0]) == (2, "", told)
