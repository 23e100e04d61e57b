"""Waiting for workloads by watch, and saying what is wrong with the one that does not come."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab import process
from lab.api import Api, Object, ready
from lab.errors import NotConverged
from lab.progress import Say
from lab.text import Text

_SLICE_SECONDS = 3
"""How long a watch goes on before it is asked what is wrong, and whether the command was interrupted."""
_SETTLED = ("ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError")
"""Reasons that no waiting cures, once they are told of a pod that is new."""
_NO_POD = "ReplicaFailure"
_PERMANENT = 2
"""Exit code of our services for what no restart cures."""
_REVISION = "controller-revision-hash"
"""Label of a StatefulSet's pods that names the template which they were made of."""
_TRIES = 5
_PAUSE_SECONDS = 0.5
_CRASHES = 3
"""Restarts after which a pod is called crashing: the first may be a neighbour's start that it did not await."""


def wait(api: Api, workloads: list[Object], namespace: str, say: Say, seconds: float = 180) -> None:
    """Return when every workload stands as asked.

    Raises:
        NotConverged: one does not; names the object, what holds it, and the remedy.

    """
    deadline = time.monotonic() + seconds
    for workload in workloads:
        kind, name = workload["kind"], workload["metadata"]["name"]
        what = Text(en=f"waiting for {kind}/{name}", fr=f"attente de {kind}/{name}")
        say(what)
        first = True
        while not _stands_within(api, kind, name, namespace, deadline, first=first):
            process.go_on(what)
            first = False


def _stands_within(api: Api, kind: str, name: str, namespace: str, deadline: float, *, first: bool) -> bool:  # noqa: PLR0913  what is waited for
    """Say whether a workload stands after a few seconds at most; raise what keeps it from ever doing so."""
    slice_end = min(deadline, time.monotonic() + _SLICE_SECONDS)
    found = api.watch(kind, namespace, _stands(kind, name), max(0.5, slice_end - time.monotonic()))
    if _stands(kind, name)(found):
        return True
    if kind == "StatefulSet" and name in found and _freed(api, found[name], namespace):
        return False
    if first and name in found and _renewed(api, found[name], namespace):
        return False
    trouble = cause(api, found.get(name), namespace, final=time.monotonic() >= deadline)
    if trouble:
        raise NotConverged(
            Text(
                en=f"{kind}/{name} in {namespace} does not become ready: {trouble.en}",
                fr=f"{kind}/{name} dans {namespace} ne devient pas prêt : {trouble.fr}",
            ),
            Text(
                en=f"`lab kubectl describe {kind.lower()}/{name} -n {namespace}` shows all of it; then run again",
                fr=f"`lab kubectl describe {kind.lower()}/{name} -n {namespace}` montre tout ; puis relancez",
            ),
        )
    return False


def _stands(kind: str, name: str) -> Callable[[dict[str, Object]], bool]:
    return lambda known: name in known and ready({"kind": kind, **known[name]})


def _freed(api: Api, workload: Object, namespace: str) -> bool:
    """End the pods of a StatefulSet that are of an earlier revision and not ready; say whether there were any.

    Its controller waits for such a pod before it goes on, so one that cannot start is never replaced, however right
    the StatefulSet is by now (Kubernetes' documentation, "forced rollback").
    """
    status = workload.get("status", {})
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return False
    stuck = [
        pod
        for pod in _pods(api, workload, namespace)
        if pod["metadata"].get("labels", {}).get(_REVISION) != status.get("updateRevision")
        and not _is_ready(pod)
        and not pod["metadata"].get("deletionTimestamp")
    ]
    api.delete(stuck, wait=0)
    return bool(stuck)


def _renewed(api: Api, workload: Object, namespace: str) -> bool:
    """End pods that wait for what may be there by now (a Secret, an image); say whether there were any.

    The kubelet looks again after some ten to twenty seconds only, and tells the old reason until then: what still
    lacks something is told of the pods that come after them.
    """
    stuck = [
        pod
        for pod in _pods(api, workload, namespace)
        if not pod["metadata"].get("deletionTimestamp")
        and any(_waiting(status).get("reason") in _SETTLED for status in _containers(pod))
    ]
    api.delete(stuck, wait=0)
    return bool(stuck)


def _pods(api: Api, workload: Object, namespace: str) -> list[Object]:
    selector = workload["spec"]["selector"]["matchLabels"]
    return api.find("Pod", namespace, ",".join(f"{key}={value}" for key, value in selector.items()))


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def cause(api: Api, workload: Object | None, namespace: str, *, final: bool) -> Text | None:
    """Return what keeps a workload from being ready; None while waiting may still help (unless `final`)."""
    if workload is None:
        return Text(en="it does not exist", fr="il n'existe pas") if final else None
    for pod in _pods(api, workload, namespace):
        found = _pod(api, pod, namespace, final=final)
        if found:
            return found
    if not final:
        return None
    # What keeps a Deployment from making pods (a policy, a quota) is told to its ReplicaSet, and stands in a condition.
    told = [each["message"] for each in workload.get("status", {}).get("conditions", []) if each["type"] == _NO_POD]
    told += api.events(namespace, workload["metadata"]["name"])
    return Text.plain(told[-1]) if told else Text(en="no pod, no event", fr="aucun pod, aucun événement")


def _pod(api: Api, pod: Object, namespace: str, *, final: bool) -> Text | None:
    name = pod["metadata"]["name"]
    for status in _containers(pod):
        waiting = _waiting(status)
        crashing = not status.get("ready") and (status.get("restartCount", 0) >= _CRASHES or _gave_up(status))
        if waiting.get("reason") in _SETTLED or crashing or (final and waiting):
            log = _last_words(api, name, namespace, status, crashing=crashing) or waiting.get("message", "")
            return Text.plain(f"pod {name}: {waiting.get('reason', 'crashing')}: {log}")
    if not final:
        return None
    events = api.events(namespace, name)
    return Text.plain(f"pod {name}: {pod['status'].get('phase')}: {events[-1] if events else 'not ready'}")


def _containers(pod: Object) -> list[Object]:
    seen = pod.get("status", {})
    return [*seen.get("initContainerStatuses", []), *seen.get("containerStatuses", [])]


def _waiting(status: Object) -> Object:
    waiting: Object = status.get("state", {}).get("waiting") or {}
    return waiting


def _last_words(api: Api, pod: str, namespace: str, status: Object, *, crashing: bool) -> str:
    """Return what a container printed at last; empty where it printed nothing.

    One that crashes is started again while we ask: which of its lives holds the words changes, and the kubelet throws
    the oldest away.
    """
    if not crashing:
        return api.log(pod, namespace, status["name"]).strip()
    ended = "terminated" in status.get("state", {})
    for _ in range(_TRIES):
        for previous in (not ended, ended):
            log = api.log(pod, namespace, status["name"], previous=previous).strip()
            if log:
                return log
        time.sleep(_PAUSE_SECONDS)
    return ""


def _gave_up(status: Object) -> bool:
    """Say whether a container ended as our services do where starting it again changes nothing: a wrong setting."""
    states = (status.get("state", {}), status.get("lastState", {}))
    return any((state.get("terminated") or {}).get("exitCode") == _PERMANENT for state in states)
