"""The chart of MLflow: what it is told, by which names it may be called, and that no secret is said aloud."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from contract.charts.rendering import CASES, HELM, Case, containers, named

MLFLOW = [case for case in CASES if case.chart == "mlflow"]
DEFAULT, HA = Case("mlflow", "default"), Case("mlflow", "ha")


def _server(case: Case) -> dict[str, Any]:
    return containers(named(case, "Deployment", "mlflow"))[-1]


def _env(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container["env"]}


@pytest.mark.parametrize("case", MLFLOW, ids=str)
def test_hosts_and_origins_are_checked(case: Case) -> None:
    """Names are exact, and the checks are on: a pattern would fit names that a stranger can register."""
    env = _env(_server(case))
    hosts = env["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert {"mlflow.data.svc:5000", "127.0.0.1:15000", "localhost:15000", "$(POD_IP):5000"} <= set(hosts)
    assert not any("*" in each for each in (*hosts, env.get("MLFLOW_SERVER_CORS_ALLOWED_ORIGINS", "")))
    assert "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE" not in env
    order = [each["name"] for each in _server(case)["env"]]
    assert order.index("POD_IP") < order.index("MLFLOW_SERVER_ALLOWED_HOSTS")


def test_a_sites_own_names_are_allowed() -> None:
    """Further hosts and origins come on top."""
    env = _env(_server(HA))
    assert env["MLFLOW_SERVER_ALLOWED_HOSTS"].endswith(",mlflow.example.org")
    assert env["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] == "https://notebooks.example.org"


@pytest.mark.parametrize("case", MLFLOW, ids=str)
def test_the_database_is_one_for_all_and_its_password_is_nowhere(case: Case) -> None:
    """What brings it up to date is told the server's own address, and no word of a command line holds it."""
    server = _server(case)
    address = "postgresql+psycopg://mlflow@postgres.data.svc:5432/mlflow"
    assert _env(server)["MLFLOW_BACKEND_STORE_URI"] == address
    assert [_env(server)[f"_MLFLOW_SERVER_{name}_STORE"] for name in ("FILE", "REGISTRY")] == [address, address]
    (password,) = [each for each in server["env"] if each["name"] == "PGPASSWORD"]
    assert password["valueFrom"]["secretKeyRef"] == {"name": "postgres-mlflow", "key": "password"}
    assert not any("postgresql" in word for word in (*server["args"], *server["command"]))
    assert {"migrate.py", "serve.py"} <= set(named(case, "ConfigMap", "mlflow")["data"])


@pytest.mark.parametrize("case", MLFLOW, ids=str)
def test_artifacts_go_through_the_server(case: Case) -> None:
    """Into a bucket that the object store has; clients need no account there, and nothing is told to the makers."""
    buckets = yaml.safe_load((HELM / "objectstore" / "values.yaml").read_text())["buckets"]
    env = _env(_server(case))
    assert env["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] == "s3://mlflow"
    assert "mlflow" in buckets
    assert env["_MLFLOW_SERVER_SERVE_ARTIFACTS"] == "true"
    assert env["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_two_servers_follow_each_other() -> None:
    """On a multi-node cluster one always answers."""
    spec = named(HA, "Deployment", "mlflow")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert named(HA, "PodDisruptionBudget", "mlflow")["spec"]["maxUnavailable"] == 1
    assert named(DEFAULT, "Deployment", "mlflow")["spec"]["strategy"] == {"type": "Recreate"}
