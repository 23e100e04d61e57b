"""The chart of the feature service says what the service understands."""

from typing import Any

import pytest

from contract.charts.rendering import CASES, Case, containers, named
from feature.settings import FAMILY, ApplySettings, ServeSettings
from runtime.settings import load

FEATURE = [case for case in CASES if case.chart == "feature"]
SECRET = ("TARMAC_REDIS_PASSWORD", "TARMAC_REGISTRY_PASSWORD")


def told(container: dict[str, Any]) -> dict[str, str]:
    """Return a container's variables of ours; a Secret's value is made up."""
    every = {each["name"]: each.get("value", "secret") for each in container["env"]}
    return {name: value for name, value in every.items() if name.startswith("TARMAC_")}


@pytest.mark.parametrize("case", FEATURE, ids=str)
def test_the_server_understands_its_chart(case: Case) -> None:
    """Every variable is known, with a value that it takes; the password comes from a Secret."""
    (container,) = containers(named(case, "Deployment", "feature"))
    settings = load(ServeSettings, told(container), FAMILY)
    assert settings.port == container["ports"][0]["containerPort"]
    secrets = [each for each in container["env"] if each["name"] in SECRET]
    assert [each["valueFrom"]["secretKeyRef"]["key"] for each in secrets] == ["password"]


def test_the_job_understands_its_chart() -> None:
    """Registry without a password in it, and the password from a Secret."""
    job = named(Case("feature", "ha"), "CronJob", "feature-apply")["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    settings = load(ApplySettings, told(container), FAMILY)
    assert settings.registry.startswith("postgresql+psycopg://feast@")
    assert settings.registry_password == "secret"  # noqa: S105  the made-up one


def test_one_server_may_always_go() -> None:
    """With two, a node can be drained and an upgrade is never felt."""
    case = Case("feature", "ha")
    assert named(case, "PodDisruptionBudget", "feature")["spec"]["maxUnavailable"] == 1
    assert named(case, "Deployment", "feature")["spec"]["strategy"]["rollingUpdate"] == {
        "maxSurge": 1, "maxUnavailable": 0
    }  # fmt: skip
