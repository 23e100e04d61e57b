"""The lab's manifests, as files: what each pod is allowed, and that start and solution differ in the exercises alone.

Whether kustomize can build them and Kubernetes takes them is for the tests on a cluster.
"""

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from patterns.__main__ import ROLES
from runtime import settings
from runtime.settings import ServiceSettings

MANIFESTS = Path(__file__).parents[3] / "labs/01-patterns/manifests"
SETTINGS = {
    "gateway": "gateway:GatewaySettings",
    "delays": "delays:ServiceSettings",
    "analyst": "analyst:AnalystSettings",
    "centre": "centre:CentreSettings",
    "edge": "edge_role:EdgeSettings",
    "scaler": "scaler:ScalerSettings",
    "worker": "worker:WorkerSettings",
}
"""Role -> module and class of its settings."""

EXERCISES: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "processing-modes": ("analyst", {"TARMAC_WINDOW_SECONDS": ("20", "2")}),
    "lambda-kappa": (
        "analyst",
        {"TARMAC_BATCH_ON_TIME_MINUTES": ("15", "15"), "TARMAC_SPEED_ON_TIME_MINUTES": ("20", "15")},
    ),
    "event-sourcing": (
        "analyst",
        {"TARMAC_JOURNAL_CLEANUP": ("compact", "delete"), "TARMAC_JOURNAL_RETENTION_MS": ("60000", "-1")},
    ),
    "circuit-breaker": (
        "gateway",
        {
            "TARMAC_BREAKER_FAILURES": ("0", "5"),
            "TARMAC_BREAKER_PAUSE_SECONDS": ("0", "2"),
            "TARMAC_CALL_TIMEOUT_SECONDS": ("5", "0.5"),
        },
    ),
    "bulkhead": ("gateway", {"TARMAC_POOL_THREADS": ("8", "8"), "TARMAC_DELAYS_THREADS": ("0", "3")}),
    "scale-to-zero": (
        "scaler",
        {
            "TARMAC_SIGNAL": ("cpu", "lag"),
            "TARMAC_MIN_REPLICAS": ("1", "0"),
            "TARMAC_MAX_REPLICAS": ("1", "1"),
            "TARMAC_COOLDOWN_SECONDS": ("5", "5"),
        },
    ),
    "edge-offline": (
        "edge",
        {
            "TARMAC_STORE": ("memory", "disk"),
            "TARMAC_STORE_READINGS": ("10", "5000"),
            "TARMAC_ANSWER_FROM": ("centre", "site"),
        },
    ),
    "federated-learning": ("centre", {"TARMAC_WEIGHTS": ("equal", "samples"), "TARMAC_ROUNDS": ("1", "20")}),
}
"""Exercise -> role, and variable -> its value in start and in solved."""


def documents(path: Path) -> list[dict[str, Any]]:
    """All objects of a file."""
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def base() -> list[dict[str, Any]]:
    """All objects of the base, in the order of its kustomization."""
    kustomization = documents(MANIFESTS / "base/kustomization.yaml")[0]
    return [each for name in kustomization["resources"] for each in documents(MANIFESTS / "base" / name)]


def workloads() -> dict[str, dict[str, Any]]:
    """Deployments and StatefulSets of the base, by name."""
    return {each["metadata"]["name"]: each for each in base() if each["kind"] in ("Deployment", "StatefulSet")}


def patch(which: str, exercise: str) -> dict[str, Any]:
    """The one object of an exercise's file."""
    (only,) = documents(MANIFESTS / which / f"{exercise}.yaml")
    return only


def variables(which: str, exercise: str) -> dict[str, str]:
    """What an exercise's file sets in its container."""
    containers = patch(which, exercise)["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each["value"] for container in containers for each in container["env"]}


def test_each_role_is_one_workload_that_runs_it() -> None:
    """Container, argument, label and selector are the role's name; the image is the lab's."""
    assert set(workloads()) == set(ROLES)
    for name, each in workloads().items():
        (container,) = each["spec"]["template"]["spec"]["containers"]
        assert (container["name"], container["args"], container["image"]) == (name, [name], "tarmac.local/lab-01")
        labels = {"app.kubernetes.io/name": name}
        assert each["metadata"]["labels"] == each["spec"]["template"]["metadata"]["labels"] == labels
        assert each["spec"]["selector"]["matchLabels"] == labels
        assert set(container["resources"]) == {"requests", "limits"}


def test_the_number_of_workers_is_left_to_the_scaler() -> None:
    """Deployment/worker sets no replicas: an apply must not undo what the scaler did."""
    assert "replicas" not in workloads()["worker"]["spec"]


def test_every_pod_is_restricted_and_probed() -> None:
    """The common patch meets Pod Security's restricted standard, has all three probes, and names its metrics' port."""
    operations = yaml.safe_load((MANIFESTS / "base/pod.yaml").read_text())
    value: dict[str, Any] = {each["path"]: each["value"] for each in operations}
    pod, container = "/spec/template/spec", "/spec/template/spec/containers/0"
    assert value[f"{pod}/securityContext"]["runAsNonRoot"] is True
    assert value[f"{pod}/securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert value[f"{container}/securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {f"{container}/{kind}Probe" for kind in ("startup", "readiness", "liveness")} <= set(value)
    assert value["/spec/template/metadata/annotations"] == {"prometheus.io/port": "8080"}
    assert value[f"{pod}/enableServiceLinks"] is False
    targets = documents(MANIFESTS / "base/kustomization.yaml")[0]["patches"]
    assert {each["target"]["kind"] for each in targets} == {"Deployment", "StatefulSet"}


def test_only_the_scaler_may_speak_to_kubernetes_and_only_about_the_worker() -> None:
    """One account; it reads and sets one Deployment's scale. All other pods get no token."""
    for name, each in workloads().items():
        assert each["spec"]["template"]["spec"]["automountServiceAccountToken"] is (name == "scaler")
    (role,) = [each for each in base() if each["kind"] == "Role"]
    allowed = {
        resource: set(rule["verbs"])
        for rule in role["rules"]
        for resource in rule["resources"]
        if rule["resourceNames"] == ["worker"]
    }
    assert allowed == {"deployments": {"get"}, "deployments/scale": {"get", "patch"}}
    (binding,) = [each for each in base() if each["kind"] == "RoleBinding"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "scaler", "namespace": "lab-01"}]


def test_every_service_leads_to_a_workload() -> None:
    """Each Service of the base selects the pods of one workload, and has the name that the roles call."""
    services = {each["metadata"]["name"]: each["spec"] for each in base() if each["kind"] == "Service"}
    selected = {name: spec["selector"]["app.kubernetes.io/name"] for name, spec in services.items()}
    assert selected == {
        "lab": "gateway", "delays": "delays", "delays-direct": "delays", "centre": "centre", "analyst": "analyst",
        "edge": "edge", "scaler": "scaler", "worker": "worker",
    }  # fmt: skip
    assert services["lab"]["ports"][0]["nodePort"] == 30081
    headless = {name for name, spec in services.items() if spec.get("clusterIP") == "None"}
    assert headless == {"delays-direct", "edge", "worker"}
    assert workloads()["edge"]["spec"]["serviceName"] == "edge"


@pytest.mark.parametrize("which", ["start", "solved"])
def test_a_folder_stands_on_the_base_and_has_one_file_per_exercise(which: str) -> None:
    """`start` copied to `work` still builds: the base lies where it lay; every file is used, none is missing."""
    kustomization = documents(MANIFESTS / which / "kustomization.yaml")[0]
    assert kustomization["resources"] == ["../base"]
    files = [each["path"] for each in kustomization["patches"]]
    names = [*EXERCISES, "service-discovery", "choose-patterns"]
    assert sorted(files) == sorted(f"{name}.yaml" for name in names)
    assert {path.name for path in (MANIFESTS / which).iterdir()} == {*files, "kustomization.yaml"}
    for name in files:
        assert (MANIFESTS / which / name).read_text().startswith("# "), f"{name} says what is to do"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_is_wrong_in_the_start_and_right_in_the_solution(exercise: str) -> None:
    """The file patches its role's container with exactly the exercise's variables, and the solution says why."""
    role, wanted = EXERCISES[exercise]
    for number, which in enumerate(("start", "solved")):
        object_ = patch(which, exercise)
        assert object_["metadata"]["name"] == role
        assert object_["kind"] == workloads()[role]["kind"]
        assert [each["name"] for each in object_["spec"]["template"]["spec"]["containers"]] == [role]
        assert variables(which, exercise) == {name: values[number] for name, values in wanted.items()}
    comments = [
        line
        for line in (MANIFESTS / "solved" / f"{exercise}.yaml").read_text().splitlines()
        if "            # " in line
    ]
    assert comments


@pytest.mark.parametrize("which", ["start", "solved"])
@pytest.mark.parametrize("role", SETTINGS)
def test_a_role_can_be_started_with_what_its_manifests_give_it(role: str, which: str) -> None:
    """No variable is unknown to the role, and no value is out of its range: the pod would end with exit code 2."""
    (container,) = workloads()[role]["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each["value"] for each in container.get("env", [])}
    for exercise, (owner, _) in EXERCISES.items():
        if owner == role:
            env |= variables(which, exercise)
    module, name = SETTINGS[role].split(":")
    kind: type[ServiceSettings] = getattr(importlib.import_module(f"patterns.{module}"), name)
    loaded = dataclasses.asdict(settings.load(kind, env))
    assert {variable.removeprefix("TARMAC_").lower() for variable in env} <= set(loaded)


def test_discovery_is_broken_by_one_letter_and_the_choice_is_open() -> None:
    """The start's selector matches no pod; the start decides nothing, the solution one pattern per use case."""
    selector = {which: patch(which, "service-discovery")["spec"]["selector"] for which in ("start", "solved")}
    assert selector["start"] == {"app.kubernetes.io/name": "delay"}
    assert selector["solved"] == {"app.kubernetes.io/name": "delays"}
    assert set(patch("start", "choose-patterns")["data"].values()) == {"undecided"}
    assert patch("solved", "choose-patterns")["data"] == {
        "recommendation": "streaming",
        "punctuality": "batch",
        "weather": "edge",
    }
