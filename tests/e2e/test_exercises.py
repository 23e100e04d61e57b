"""The exercises of lab 01 on the cluster: the start fails, the solution passes, reset brings the start back."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from driver import LAB, ROOT, Driver, measured, until

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def started(lab: Driver) -> Driver:
    """Return the lab at its start, measured once."""
    lab.run("reset", "01")
    lab.run("compare", "01")
    return lab


@pytest.fixture(scope="module")
def solved(started: Driver) -> Driver:
    """Return the lab with its solution in place."""
    begun = time.monotonic()
    started.run("solve", "01")
    measured("01", "solve", time.monotonic() - begun)
    return started


def test_at_the_start_no_exercise_is_done(started: Driver) -> None:
    """Each of the ten fails, with reason and remedy in both languages."""
    told = started.json("check", "01", code=1)
    assert (told["done"], told["exercises"]) == (0, 10)
    for result in told["results"]:
        assert result["reason"]["en"] != result["reason"]["fr"], result["exercise"]
        assert result["remedy"]["en"], result["exercise"]


def test_a_comparison_gives_every_pattern_its_figures(started: Driver) -> None:
    """`lab compare` prints one run's figures for each pattern and draws them."""
    told = started.json("compare", "01", "--only", "processing-modes", "--only", "service-discovery")
    rows = {row["pattern"]: row for row in told["figures"]}
    assert {"batch", "micro-batch", "streaming"} <= set(rows)
    for name in ("batch", "micro-batch", "streaming"):
        assert all(rows[name][key] > 0 for key in ("staleness_s", "throughput_per_s", "cpu_s_per_1000", "recovery_s"))
    assert Path(told["png"]).read_bytes().startswith(b"\x89PNG")


def test_the_solution_passes_every_exercise(solved: Driver) -> None:
    """`lab check` exits 0 after `lab solve`."""
    told = solved.json("check", "01")
    assert (told["passed"], told["done"]) == (True, 10)


def test_a_bundle_is_judged_offline_as_the_cluster_is(solved: Driver, tmp_path: Path) -> None:
    """What a trainee sends has no secret in it, and gives the trainer the same verdicts without a cluster."""
    solved.kubectl("create", "secret", "generic", "mine", "-n", "lab-01", "--from-literal=password=hunter2-hunter2")
    file = tmp_path / "bundle.json"
    try:
        solved.run("support", "01", "--file", str(file))
    finally:
        solved.kubectl("delete", "secret", "mine", "-n", "lab-01")
    text = file.read_text()
    assert "hunter2" not in text
    assert "aHVudGVyMi1odW50ZXIy" not in text
    assert "mine" in text
    nowhere = {"LAB_NAME": "nowhere", "LAB_HOME": str(tmp_path / "nowhere")}
    told = replace(solved, variables=nowhere).json("check", "01", "--state", str(file))
    assert told["passed"] is True


def test_every_mutant_is_killed(solved: Driver) -> None:
    """`lab mutants` reports 100 % on the recorded solution."""
    told = solved.json("mutants", "01")
    assert told["01"]["rate"] == 1
    assert told["01"]["mutants"] >= 30


def test_a_solution_that_was_kept_is_put_back(solved: Driver) -> None:
    """After a reset the checkpoint brings files, results and topics back: the checks pass without anything measured."""
    made = solved.json("checkpoint", "01", "--state", "solved")
    assert hashlib.sha256(Path(made["archive"]).read_bytes()).hexdigest() == made["digest"]
    there = solved.json("fingerprint", "01")
    measured("01", "reset", solved.json("reset", "01")["seconds"])
    assert solved.json("check", "01", code=1)["done"] == 0
    told = solved.json("goto", "01", "--state", "solved")
    measured("01", "goto-solved", told["seconds"])
    assert told["checkpoint"] == made["name"]
    assert solved.differences("01", there) == []
    assert "experiments" not in {phase["name"] for phase in told["phases"]}
    assert solved.json("check", "01")["done"] == 10


def test_a_jump_stashes_what_a_trainee_had(solved: Driver) -> None:
    """Files and data come back as they were; the start that was jumped to meanwhile has none of them."""
    file = next(path for path in sorted(solved.work.glob("*.yaml")) if path.name != "kustomization.yaml")
    solution = file.read_text()
    mine = f"# my own words\n{solution}"
    file.write_text(mine)
    told = solved.json("goto", "01", "--state", "start")
    assert "my own words" not in file.read_text()
    assert solved.json("check", "01", code=1)["done"] == 0
    assert told["stash"] in solved.run("stash", "list").stdout
    measured("01", "restore", solved.json("stash", "restore", told["stash"])["seconds"])
    assert file.read_text() == mine
    assert solved.json("check", "01")["done"] == 10
    file.write_text(solution)


def test_status_is_told_at_once(solved: Driver) -> None:
    """What stands and where, in about a second."""
    begun = time.monotonic()
    assert "lab: 01" in solved.run("status").stdout
    measured("01", "status", time.monotonic() - begun)


def test_a_damaged_checkpoint_changes_nothing(solved: Driver) -> None:
    """It is told by its name, and what stands goes on standing."""
    archive = Path(solved.json("checkpoint", "01", "--state", "solved")["archive"])
    with archive.open("r+b") as content:
        content.seek(1000)
        content.write(b"x" * 100)
    try:
        failed = solved.run("goto", "01", "--state", "solved", code=2)
        assert str(archive) in failed.stderr
        assert solved.json("check", "01")["done"] == 10
    finally:
        archive.unlink()


def test_reset_leaves_nothing_and_brings_the_start_back(solved: Driver) -> None:
    """After a reset the lab's state is gone, the platform stays, and the start fails its checks again."""
    broker = solved.kubectl("get", "pod", "kafka-0", "-n", "platform", "-o", "jsonpath={.metadata.uid}")
    solved.kubectl("create", "configmap", "left-behind", "-n", "lab-01", "--from-literal=a=b")
    old = {each["metadata"]["uid"] for each in _objects(solved)}
    told = solved.json("reset", "01")
    assert told["verdict"] == "clean"
    assert told["residue"] == []
    assert any("left-behind" in line for line in told["removed"])
    assert any("topic flight.departed.v1" in line for line in told["removed"])
    assert any(line.startswith("PersistentVolumeClaim/") for line in told["removed"])
    assert old & {each["metadata"]["uid"] for each in _objects(solved)} == set()
    assert solved.kubectl("get", "pod", "kafka-0", "-n", "platform", "-o", "jsonpath={.metadata.uid}") == broker
    assert solved.json("check", "01", code=1)["done"] == 0


@pytest.fixture(scope="module")
def there(started: Driver) -> object:
    """Return what the lab holds at its start; each test that asks for it finds the start, and leaves it."""
    started.run("reset", "01")
    return started.json("fingerprint", "01")


@pytest.mark.turn(0)
def test_a_reset_that_was_cut_off_is_finished_by_the_next(started: Driver, there: object) -> None:
    """Killed in the middle of its removal, it leaves nothing that the next one does not take away."""
    with subprocess.Popen([LAB, "reset", "01"], env=started.environment, cwd=ROOT, stderr=subprocess.DEVNULL) as killed:
        time.sleep(3)
        killed.kill()
    assert started.json("reset", "01")["verdict"] == "clean"
    assert started.differences("01", there) == []


@pytest.mark.turn(1)
def test_a_jump_that_was_cut_off_is_mended_by_a_reset(started: Driver, there: object) -> None:
    """Killed while the broker is stopped for its volume, it leaves it without a pod; a reset finds the start again."""
    # It makes the checkpoint, without which the jump that is cut off would be a reset and stop no broker.
    started.run("goto", "01", "--state", "start")
    words = [str(LAB), "goto", "01", "--state", "start"]
    with subprocess.Popen(words, env=started.environment, cwd=ROOT, stderr=subprocess.DEVNULL) as killed:
        replicas = ("get", "statefulset", "kafka", "-n", "platform", "-o", "jsonpath={.spec.replicas}")
        until(lambda: started.kubectl(*replicas) == "0", "the broker is stopped", 90, step=0.05)
        killed.kill()
    assert started.kubectl(*replicas) == "0"
    assert started.json("reset", "01")["verdict"] == "clean"
    assert started.differences("01", there) == []


@pytest.mark.turn(2)
def test_a_reset_brings_back_what_a_trainee_took_away(started: Driver, there: object) -> None:
    """A whole namespace, the broker and the volume of its log: afterwards all is as at the start."""
    started.kubectl("delete", "namespace", "chain", "--wait=false")
    started.kubectl("delete", "statefulset", "kafka", "-n", "platform")
    started.kubectl("delete", "persistentvolumeclaim", "data-kafka-0", "-n", "platform", "--wait=false")
    assert started.json("reset", "01")["verdict"] == "clean"
    assert started.differences("01", there) == []


@pytest.mark.turn(0)
def test_reset_names_what_it_cannot_remove(started: Driver) -> None:
    """An object that a finalizer holds makes the reset fail, and is named; without it the next reset is clean."""
    body = {"apiVersion": "v1", "kind": "ConfigMap"}
    body["metadata"] = {"name": "stuck", "namespace": "lab-01", "finalizers": ["tarmac.dev/never"]}  # type: ignore[assignment]
    file = ROOT / "build/stuck.json"
    file.write_text(json.dumps(body))
    started.kubectl("apply", "-f", str(file))
    try:
        failed = started.run("reset", "01", code=None)
        assert failed.returncode in (5, 6)
        assert "ConfigMap/stuck" in failed.stderr
    finally:
        started.kubectl("patch", "configmap", "stuck", "-n", "lab-01", "--type=json",
                        '-p=[{"op":"remove","path":"/metadata/finalizers"}]')  # fmt: skip
    assert started.json("reset", "01")["verdict"] == "clean"


def _objects(lab: Driver) -> list[dict[str, dict[str, str]]]:
    kinds = "deployments,statefulsets,pods,persistentvolumeclaims"
    found: list[dict[str, dict[str, str]]] = []
    for namespace in ("lab-01", "chain"):
        found += json.loads(lab.kubectl("get", kinds, "-n", namespace, "-o", "json"))["items"]
    return found
