"""The controller's manifests and the chart's Role, as files: it may do what it does, and no more.

Whether kustomize can build them and Kubernetes takes them is for the tests on a cluster.
"""

from pathlib import Path
from typing import Any

import yaml

from lab.settings import PORTS
from releases.settings import ReleaseSettings
from runtime import settings

ROOT = Path(__file__).resolve().parents[3]
BASE = ROOT / "labs/04-serving/manifests/base"


def documents(name: str) -> list[dict[str, Any]]:
    """All objects of a file of the base."""
    return [each for each in yaml.safe_load_all((BASE / name).read_text()) if each]


def only(kind: str) -> dict[str, Any]:
    """The controller's one object of a kind."""
    (found,) = [each for each in documents("releases.yaml") if each["kind"] == kind]
    return found


def test_one_controller_runs_with_an_account_of_its_own() -> None:
    """Never two at once, even while it is replaced; the only pod of the lab that gets a token."""
    spec = only("Deployment")["spec"]
    pod = spec["template"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert pod["serviceAccountName"] == only("ServiceAccount")["metadata"]["name"]
    assert pod["automountServiceAccountToken"] is True
    (container,) = pod["containers"]
    assert (container["image"], container["command"]) == ("tarmac.local/lab-04", ["python3", "-m", "releases"])
    env = {each["name"]: each["value"] for each in container.get("env", [])}
    told = settings.load(ReleaseSettings, env)
    assert (told.namespace, told.route) == ("chain", "serving")


def test_the_chart_lets_that_account_move_the_route() -> None:
    """What serving's chart grants by default is granted to the account of these manifests, in this lab's namespace."""
    values = yaml.safe_load((ROOT / "platform/helm/serving/values.yaml").read_text())
    assert values["releases"]["accounts"] == [
        {"name": only("ServiceAccount")["metadata"]["name"], "namespace": "lab-04"}
    ]


def test_it_is_found_at_its_host_port() -> None:
    """The Service leads to its pod, from the node's port that kind-config.yaml maps to the port `lab release` asks."""
    service, deployment = only("Service"), only("Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    (port,) = service["spec"]["ports"]
    kind = yaml.safe_load((ROOT / "kind-config.yaml").read_text())
    mapped = {each["containerPort"]: each["hostPort"] for each in kind["nodes"][0]["extraPortMappings"]}
    assert mapped[port["nodePort"]] == PORTS["lab-04-releases"]
