"""The cluster's own security: what is promised of it, looked at from outside."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from driver import Driver, engine, until

pytestmark = pytest.mark.cluster

_POD = """{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root", "namespace": "NAMESPACE"},
"spec": {"containers": [{"name": "root", "image": "tarmac.local/none", "securityContext": {"privileged": true}}]}}"""


def test_ports_are_on_this_machine_only(lab: Driver) -> None:
    """No host port of the node listens on an address that another machine could reach."""
    ports = json.loads(engine("inspect", "--format", "{{json .NetworkSettings.Ports}}", lab.node))
    bound = [each["HostIp"] for mapping in ports.values() for each in mapping or []]
    assert len(bound) >= 6
    assert set(bound) == {"127.0.0.1"}


def test_the_kubeconfig_is_the_tools_own_and_private(lab: Driver) -> None:
    """It lies in the tool's folder, readable by its owner only, like the keys of the cluster."""
    for path in (lab.folder / "kubeconfig", lab.folder / "control/encryption.yaml", lab.folder / "control/audit.yaml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_secrets_are_encrypted_at_rest(lab: Driver) -> None:
    """A Secret's value is not to be found in etcd's files; a ConfigMap's, written beside it, is."""
    lab.kubectl("create", "secret", "generic", "sealed", "-n", "lab-01", "--from-literal=value=tarmac-sealed-value")
    lab.kubectl("create", "configmap", "open", "-n", "lab-01", "--from-literal=value=tarmac-open-value")
    try:
        until(lambda: _in_etcd(lab, "tarmac-open-value"), "the ConfigMap is in etcd's files", 30)
        assert not _in_etcd(lab, "tarmac-sealed-value")
    finally:
        lab.kubectl("delete", "secret/sealed", "configmap/open", "-n", "lab-01")


def test_the_audit_log_names_who_did_what(lab: Driver) -> None:
    """A change leaves a line in the audit log with its verb, object and user, and without its content."""
    lab.kubectl("create", "configmap", "audited", "-n", "lab-01", "--from-literal=value=never-in-the-log")
    lab.kubectl("delete", "configmap", "audited", "-n", "lab-01")

    def lines() -> list[dict[str, Any]]:
        found = lab.in_node("grep", "-h", '"name":"audited"', "/var/log/kubernetes/audit.log")
        return [json.loads(line) for line in found.splitlines()]

    entries = until(lambda: [each for each in lines() if each["verb"] == "delete"], "the deletion is in the log", 20)
    assert entries[0]["user"]["username"] == "kubernetes-admin"
    assert "never-in-the-log" not in json.dumps(lines())


@pytest.mark.parametrize("address", ["10.96.255.254", "10.244.255.254"])
def test_what_nobody_has_is_refused_inside(lab: Driver, address: str) -> None:
    """Packets for a Service or a pod that is not there do not leave the node: outside, somebody might answer them."""
    tried = f"import socket; socket.create_connection(('{address}', 4317), 5)"
    words = ("exec", "-n", "chain", "deployment/ingest-consumer", "--", "python3", "-c", tried)
    assert "ConnectionRefusedError" in lab.run("kubectl", *words, code=1).stderr


@pytest.mark.parametrize("namespace", ["platform", "chain", "lab-01"])
def test_a_privileged_pod_is_refused(lab: Driver, namespace: str) -> None:
    """Pod Security Admission holds our namespaces to the restricted standard."""
    file = lab.folder / "root.json"
    file.write_text(_POD.replace("NAMESPACE", namespace))
    done = lab.run("kubectl", "apply", "-f", str(file), code=None)
    file.unlink()
    assert done.returncode != 0
    assert "violates PodSecurity" in done.stderr


def test_the_users_own_kubeconfig_stays_untouched(lab: Driver) -> None:
    """The cluster's name stands in no kubeconfig but the tool's."""
    done = lab.run("kubectl", "config", "current-context")
    assert done.stdout.strip() == f"kind-{lab.name}"
    plain = lab.run("kubectl", "--kubeconfig", lab.environment["HOME"] + "/.kube/config", "config", "view", code=None)
    assert lab.name not in plain.stdout


def _in_etcd(lab: Driver, words: str) -> bool:
    found = lab.in_node("sh", "-c", f"grep -rlaF '{words}' /var/lib/etcd || true")
    return bool(found.strip())
