"""Lab 01 converges on a real cluster, from whatever stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from http import HTTPStatus

import httpx
import pytest

from driver import LAB, ROOT, Driver, until

pytestmark = pytest.mark.cluster

_COMPONENTS = ("kafka", "prometheus", "jaeger", "ingest")


def test_a_second_run_changes_nothing(lab: Driver) -> None:
    """`lab up` on a converged lab finds every phase as it should be, and proves it anew."""
    told = lab.json("up", "01")
    assert told["verdict"] == "converged"
    assert told["changed"] is False, told["phases"]
    states = {phase["name"]: phase["state"] for phase in told["phases"]}
    assert {states[name] for name in ("cluster", "images", *_COMPONENTS, "topics", "lab-01")} == {"unchanged"}
    assert states["probe"] == "done"


def test_what_was_prepared_is_what_is_run(lab: Driver) -> None:
    """Every image of the nodes' pods that is ours is among those that `lab prepare` has here; it makes nothing anew."""
    before = lab.kubectl("get", "nodes,pods", "-A", "-o", "name")
    told = lab.json("prepare")
    assert told["labs"] == ["01", "02", "04"]
    pods = json.loads(lab.kubectl("get", "pods", "-A", "-o", "json"))["items"]
    run = {each["image"] for pod in pods for each in pod["spec"]["containers"]}
    ours = {image for image in run if image.startswith("tarmac.local/") and "node-programs" not in image}
    assert ours
    assert ours <= set(told["images"])
    fewer = lab.json("prepare", "1")
    assert fewer["labs"] == ["01"]
    assert set(fewer["images"]) < set(told["images"])
    assert lab.kubectl("get", "nodes,pods", "-A", "-o", "name") == before


def test_the_probe_followed_one_event_to_feature_metric_and_trace(lab: Driver) -> None:
    """The proof names where the event stood in Kafka and when it came out at each end."""
    proof = lab.json("up", "01")["proof"]
    assert proof["topic"] == "weather.read.v1"
    assert proof["offset"] >= 0
    assert 0 < proof["feature_seconds"] < 30
    assert 0 < proof["trace_seconds"] < 60
    assert 0 < proof["metric_seconds"] < 60


def test_every_url_answers(lab: Driver) -> None:
    """What `lab up` prints can be opened."""
    for name, url in lab.json("up", "01")["urls"].items():
        path = {"prometheus": "/-/ready", "jaeger": "/", "lab": "/readyz", "ingest": "/readyz"}[name]
        assert httpx.get(url + path, timeout=10).status_code == 200, name


def test_real_flights_flow(lab: Driver) -> None:
    """The replay moves on: more flights are applied a moment later, and features are there for JFK."""
    counts = f"http://127.0.0.1:{lab.port(8080)}/counts"

    def applied() -> int:
        return int(sum(each["applied"] for each in httpx.get(counts, timeout=10).json().values()))

    before = applied()
    until(lambda: applied() > before, "more events are applied", 60)
    address = f"http://127.0.0.1:{lab.port(8080)}/features/origin/JFK"

    def departed() -> int:
        # Nobody leaves JFK in the first half hour of the data set, and a quick cluster is asked within that.
        answer = httpx.get(address, timeout=10)
        return int(answer.json()["departure"]["24h"]["count"]) if answer.status_code == HTTPStatus.OK else 0

    until(departed, "flights have left JFK", 60)


def test_prometheus_scrapes_every_service_and_the_kubelet(lab: Driver) -> None:
    """No pod of ours is missing among the targets, and all are up."""
    address = f"http://127.0.0.1:{lab.port(9090)}/api/v1/query"

    def up() -> dict[str, str]:
        answer = httpx.get(address, params={"query": "up"}, timeout=10).json()["data"]["result"]
        return {each["metric"].get("pod", each["metric"]["job"]): each["value"][1] for each in answer}

    pods = json.loads(lab.kubectl("get", "pods", "-A", "-l", "app.kubernetes.io/part-of=tarmac", "-o", "json"))["items"]
    wanted = {
        each["metadata"]["name"]
        for each in pods
        if "prometheus.io/port" in each["metadata"].get("annotations", {}) and each["status"]["phase"] == "Running"
    }
    assert len(wanted) >= 8
    until(lambda: {*wanted, "kubelet", "cadvisor"} <= {name for name, value in up().items() if value == "1"},
          f"{wanted} are up", 60)  # fmt: skip


def test_an_object_taken_or_changed_by_hand_comes_back(lab: Driver) -> None:
    """`lab up` puts right what somebody deleted or scaled away, in the platform and in the lab."""
    lab.kubectl("delete", "service", "kafka", "-n", "platform")
    lab.kubectl("scale", "deployment", "jaeger", "-n", "platform", "--replicas=0")
    lab.kubectl("delete", "deployment", "gateway", "-n", "lab-01")
    told = lab.json("up", "01")
    states = {phase["name"]: phase["state"] for phase in told["phases"]}
    assert (states["kafka"], states["jaeger"], states["lab-01"]) == ("done", "done", "done")
    assert lab.kubectl("get", "deployment", "jaeger", "-n", "platform", "-o", "jsonpath={.spec.replicas}") == "1"
    assert "gateway" in lab.kubectl("get", "deployment", "-n", "lab-01", "-o", "name")


def test_what_the_manifests_no_longer_hold_is_pruned(lab: Driver) -> None:
    """A ConfigMap that the trainee adds is applied, and goes when the trainee takes it out again."""
    extra = lab.work / "extra.yaml"
    kustomization = lab.work / "kustomization.yaml"
    before = kustomization.read_text()
    try:
        extra.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {a: b}\n")
        kustomization.write_text(before.replace("[../base]", "[../base, extra.yaml]"))
        lab.run("up", "01")
        assert "extra" in lab.kubectl("get", "configmap", "-n", "lab-01", "-o", "name")
    finally:
        extra.unlink()
        kustomization.write_text(before)
    lab.run("up", "01")
    assert "extra" not in lab.kubectl("get", "configmap", "-n", "lab-01", "-o", "name")


@pytest.mark.parametrize(
    "after", [pytest.param(seconds, marks=pytest.mark.turn(turn)) for turn, seconds in enumerate((0.5, 3.0, 8.0))]
)
def test_an_interrupted_run_can_be_run_again(lab: Driver, after: float) -> None:
    """Ctrl-C at any moment leaves a state from which the next `lab up` finishes."""
    lab.kubectl("delete", "deployment,service", "--all", "-n", "platform", "--wait=false")
    lab.kubectl("delete", "deployment", "--all", "-n", "lab-01", "--wait=false")
    process = subprocess.Popen(
        [LAB, "up", "01"], env=lab.environment, cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    with process:
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)  # what a terminal does: all of the group
        out, _ = process.communicate(timeout=20)
    # Before it has begun to listen, the signal itself ends it: to a shell both are 130. Python that is still getting
    # itself ready ends with its own 1 (2 of 60 tries within the first 0.6 s).
    unready = process.returncode == 1 and out.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode in {130, -signal.SIGINT} or unready, out
    assert "interrupted" in out or process.returncode != 130
    assert lab.json("up", "01")["verdict"] == "converged"


def test_the_second_of_two_commands_says_who_holds_the_cluster_and_waits(lab: Driver) -> None:
    """Two `lab up` at once both end well, one after the other."""
    with subprocess.Popen(
        [LAB, "up", "01"], env=lab.environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as first:
        holder = lab.home / f"{lab.name}.holder"
        until(holder.exists, "the first command holds the cluster", 30, step=0.02)
        second = lab.run("up", "01")
        first.communicate(timeout=120)
    assert first.returncode == 0
    assert f"(process {first.pid})" in second.stderr
    assert "waiting" in second.stderr
