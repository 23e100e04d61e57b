"""`lab doctor --deep`: one cause, its evidence and its command, from a file and from a cluster that is away."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.commands.explained import RESET, UP, explained, with_cause
from lab.commands.observed import examine
from lab.diagnose.accuracy import broken, healthy
from lab.diagnose.causes import root
from lab.diagnose.faults import named
from lab.diagnose.faults.world import UNREADY
from lab.errors import NotConverged
from lab.settings import Settings
from lab.spec import Course
from lab.state import bundle
from lab.text import Text

ROOT = Path(__file__).resolve().parents[2]
STATE = next(state for name, _, state in healthy(Course(ROOT, drafts=False)) if name == "02 solved")


def _doctor(tmp_path: Path, *words: str, **variables: str) -> tuple[int, str, str]:
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "platform"), **variables}
    done = subprocess.run(
        [sys.executable, "-m", "lab", "doctor", *words],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "TD-REDIS-GONE: Redis is gone, data/StatefulSet/redis"), ("fr", "TD-REDIS-GONE : Redis a disparu")],
)
def test_a_bundle_is_diagnosed_without_a_cluster(tmp_path: Path, language: str, told: str) -> None:
    """A trainer reads the one cause of a stuck trainee's file, in their language: code, object, evidence, command."""
    file = tmp_path / "stuck.json"
    bundle.write(file, broken(STATE, named("gone-redis"), UNREADY))
    code, out, err = _doctor(tmp_path, "02", "--deep", "--state", str(file), LAB_LANG=language)
    assert (code, err) == (5, "")
    assert out.splitlines()[0].startswith(f"✗ {told}")
    assert "spec.replicas: 0" in out
    assert "lab up 02" in out.splitlines()[-1]


def test_a_bundle_of_a_lab_that_stands_has_no_cause(tmp_path: Path) -> None:
    """Exit code 0, also for machines."""
    file = tmp_path / "well.json"
    bundle.write(file, STATE)
    assert _doctor(tmp_path, "02", "--deep", "--state", str(file))[0] == 0
    code, out, _ = _doctor(tmp_path, "02", "--deep", "--state", str(file), "--output", "json")
    assert (code, json.loads(out)) == (0, {"cause": None, "lab": "02"})


def test_machines_get_code_and_commands(tmp_path: Path) -> None:
    """JSON names code, object, evidence and both commands."""
    file = tmp_path / "stuck.json"
    bundle.write(file, broken(STATE, named("image-missing-feature"), UNREADY))
    code, out, _ = _doctor(tmp_path, "2", "--deep", "--state", str(file), "--output", "json")
    cause = json.loads(out)["cause"]
    assert (code, cause["code"], cause["object"]) == (5, "TD-IMAGE-MISSING", "chain/Deployment/feature")
    assert cause["mend"] == "lab up 02"


def _settings(tmp_path: Path) -> Settings:
    # No ports of a cluster of this machine.
    return Settings.load({"HOME": str(tmp_path), "LAB_PORT_OFFSET": "31000", "LAB_CLUSTER": "k3s"})


def test_a_cluster_that_is_away_is_the_cause(tmp_path: Path) -> None:
    """Nothing answers: a state is recorded all the same, within seconds, and blames the cluster and nothing on it."""
    settings = _settings(tmp_path)
    state: Any = examine(settings, Course(ROOT).lab("04"))
    assert {"kubernetes", "kafka", "mlflow", "prometheus"} <= {each.partition(":")[0] for each in state["problems"]}
    found = root(state)
    assert found is not None
    assert found.cause.code == "TD-CLUSTER-STOPPED"


def test_what_does_not_converge_is_told_with_its_root_cause(tmp_path: Path) -> None:
    """What was waited for stays, the root cause and the command that mends it come with it, in both languages."""
    failure = NotConverged(Text(en="Deployment/x does not", fr="Deployment/x ne"), Text.plain("look"))
    with pytest.raises(NotConverged) as told, explained(_settings(tmp_path), "01"):
        raise failure
    assert told.value.what.en.startswith("Deployment/x does not\nRoot cause: TD-CLUSTER-STOPPED: ")
    assert "Cause première : TD-CLUSTER-STOPPED : le cluster ne tourne pas" in told.value.what.fr
    assert "`lab up 01`" in told.value.remedy.fr


def test_what_shows_no_cause_is_told_as_it_was() -> None:
    """The command and the page of the cause are named only where there is a cause."""
    found = root(broken(STATE, named("dns-gone"), UNREADY))
    assert found is not None
    told = with_cause(NotConverged(Text.plain("a"), Text.plain("b")), found)
    assert "docs/causes.fr.md explique TD-DNS-GONE" in told.remedy.fr
    assert "kubectl -n kube-system scale deployment/coredns" in told.remedy.en


@pytest.mark.parametrize(
    ("fault", "tried", "mend"),
    [
        ("gone-redis", UP, "lab reset 02"),
        ("gone-redis", RESET, "lab down && lab up 02"),
        ("quota-ingest-consumer", UP, "lab kubectl -n chain delete resourcequota,limitrange --all; lab up 02"),
    ],
)
def test_what_was_tried_already_is_not_told_as_what_mends_it(fault: str, tried: str, mend: str) -> None:
    """A `lab up` that does not converge has done what `lab up` can do."""
    found = root(broken(STATE, named(fault), UNREADY))
    assert found is not None
    told = with_cause(NotConverged(Text.plain("a"), Text.plain("b")), found, tried)
    assert told.remedy.en.startswith(f"`{mend}` mends it; ")
