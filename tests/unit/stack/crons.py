"""A suspended CronJob on the fake cluster, and what becomes of its jobs."""

from __future__ import annotations

from typing import Any

from unit.stack.conftest import Server

LABELS = {"tarmac.dev/component": "lake", "app.kubernetes.io/component": "data"}
NAME, NOW = "lake-data", "lake-data-now"


def put(server: Server, each: dict[str, Any]) -> None:
    """Have an object in the cluster."""
    server.held[each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]] = each


def suspended(server: Server) -> None:
    """Have the CronJob in the cluster."""
    pod = {"containers": [{"name": "data", "args": ["lake", "data", "list"]}]}
    template = {"metadata": {"labels": LABELS}, "spec": {"backoffLimit": 0, "template": {"spec": pod}}}
    spec = {"suspend": True, "jobTemplate": template}
    metadata = {"name": NAME, "namespace": "chain"}
    put(server, {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": spec})


def job(name: str, **status: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """Return a job of the CronJob."""
    metadata = {"name": name, "namespace": "chain", "labels": LABELS, "uid": f"uid-{name}"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "status": status}


def pod(name: str, uid: str, code: int = 0, reason: str = "Completed") -> dict[str, Any]:
    """Return a pod of a job, ended."""
    labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": NOW}
    ended = {"name": "data", "state": {"terminated": {"exitCode": code, "reason": reason}}}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "chain", "labels": labels},
        "spec": {"containers": [{"name": "data"}]}, "status": {"containerStatuses": [ended]},
    }  # fmt: skip


def ends(server: Server, code: int | None = 0, reason: str = "Completed", log: str = "") -> None:
    """Let the job that is begun end while one waits for it; without a code it ends without its pod."""

    def end() -> None:
        begun = server.held["Job", "chain", NOW]
        kind = "Complete" if code == 0 else "Failed"
        begun["status"] = {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": "it says"}]}
        if code is not None:
            put(server, pod(f"{NOW}-x", begun["metadata"]["uid"], code, reason))
            server.logs[f"{NOW}-x"] = log

    server.meanwhile = end
