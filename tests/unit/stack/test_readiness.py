"""Waiting for workloads: a time-out names the object, what holds it and what to do, never just that it was too long."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lab.errors import NotConverged
from lab.process import CommandFailed
from lab.stack import readiness
from unit.stack.conftest import Server

STANDS = {"observedGeneration": 1, "readyReplicas": 1, "updatedReplicas": 1, "replicas": 1}


def _deployment(server: Server, status: dict[str, Any]) -> dict[str, Any]:
    each = {
        "kind": "Deployment",
        "metadata": {"name": "thing", "namespace": "chain", "generation": 1},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "thing"}}},
        "status": status,
    }
    server.held["Deployment", "chain", "thing"] = each
    return each


def _pod(server: Server, status: dict[str, Any]) -> None:
    server.held["Pod", "chain", "thing-1"] = {
        "kind": "Pod",
        "metadata": {"name": "thing-1", "namespace": "chain", "labels": {"app": "thing"}},
        "status": {"phase": "Pending", **status},
    }


def _crashing(server: Server) -> dict[str, Any]:
    """Let the Deployment's pod crash again and again; return its container's status."""
    _deployment(server, {})
    status = {"name": "a", "restartCount": 3, "ready": False, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    _pod(server, {"containerStatuses": [status]})
    return status


def _wait(server: Server, seconds: float) -> NotConverged:
    workload = {"kind": "Deployment", "metadata": {"name": "thing"}}
    with pytest.raises(NotConverged) as told:
        readiness.wait(server, [workload], "chain", lambda _: None, seconds)  # type: ignore[arg-type]
    assert "Deployment/thing in chain" in told.value.what.en
    assert "Deployment/thing dans chain" in told.value.what.fr
    assert "deployment/thing -n chain" in told.value.remedy.en
    return told.value


def test_what_stands_is_not_waited_for(server: Server) -> None:
    """A workload that is ready returns at once, and is told."""
    workload, news = _deployment(server, STANDS), list[str]()
    readiness.wait(server, [workload], "chain", lambda each: news.append(each.en), 0.1)  # type: ignore[arg-type]
    assert news == ["waiting for Deployment/thing"]


def test_a_wait_ends_soon_after_an_interruption(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C does not have to outlast the three minutes that a workload is given."""
    interrupted = threading.Event()
    interrupted.set()
    monkeypatch.setattr("lab.process._interrupted", interrupted)
    workload = _deployment(server, {})
    with ThreadPoolExecutor() as pool:
        waited = pool.submit(readiness.wait, server, [workload], "chain", lambda _: None, 30)  # type: ignore[arg-type]
        with pytest.raises(CommandFailed, match="waiting for Deployment/thing: interrupted"):
            waited.result(10)


def test_an_old_state_is_not_taken_for_the_new_one(server: Server) -> None:
    """Ready replicas of the generation before do not count."""
    _deployment(server, {**STANDS, "observedGeneration": 0})
    _wait(server, 0.05)


@pytest.mark.parametrize("place", ["containerStatuses", "initContainerStatuses"])
def test_what_no_waiting_cures_is_told_soon(place: str, server: Server) -> None:
    """An image that is not there fails long before the time is over, of whichever container: of its second pod."""
    _deployment(server, {})
    waiting = {"reason": "ErrImageNeverPull", "message": "Container image is not present"}
    server.meanwhile = lambda: _pod(server, {place: [{"name": "a", "state": {"waiting": waiting}}]})
    told = _wait(server, 3600)
    assert "pod thing-1: ErrImageNeverPull: Container image is not present" in told.what.en
    assert server.deleted == ["Pod/thing-1"]


def test_what_a_pod_lacked_before_is_not_told_of_the_one_after_it(server: Server) -> None:
    """A Secret that has come back: the kubelet says for a while that it is missing, a new pod finds it at once."""
    _deployment(server, {})
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "redis" not found'}
    _pod(server, {"containerStatuses": [{"name": "a", "state": {"waiting": waiting}}]})

    def renew() -> None:
        if server.deleted:
            _deployment(server, STANDS)

    server.meanwhile = renew
    readiness.wait(server, [{"kind": "Deployment", "metadata": {"name": "thing"}}], "chain", lambda _: None, 3600)  # type: ignore[arg-type]
    assert server.deleted == ["Pod/thing-1"]


def test_a_pod_that_crashes_is_told_with_its_last_words(server: Server) -> None:
    """The log of the run before says why; a first restart is no crash yet."""
    status = _crashing(server)
    server.logs["thing-1-"] = "KeyError: 'TARMAC_KAFKA'\n"
    assert "CrashLoopBackOff: KeyError: 'TARMAC_KAFKA'" in _wait(server, 3600).what.en
    status["restartCount"] = 1
    assert readiness.cause(server, server.held["Deployment", "chain", "thing"], "chain", final=False) is None  # type: ignore[arg-type]


def test_words_are_found_in_whichever_life_holds_them(server: Server) -> None:
    """A container that started again between the question and the answer has its words in the other of its logs."""
    _crashing(server)
    server.logs["thing-1"] = "KeyError: 'TARMAC_KAFKA'\n"
    assert "CrashLoopBackOff: KeyError: 'TARMAC_KAFKA'" in _wait(server, 3600).what.en


def test_a_pod_that_finds_no_place_is_told_with_the_schedulers_words(server: Server) -> None:
    """Too little CPU is what the trainee must read."""
    _deployment(server, {})
    _pod(server, {})
    server.told["thing-1"] = ["Scheduled: old", "FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu."]
    assert "pod thing-1: Pending: FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu." in str(
        _wait(server, 0.05)
    )


def test_pods_that_a_policy_forbids_are_told(server: Server) -> None:
    """Where no pod is made at all, the Deployment's own condition says why."""
    message = 'pods "thing-" is forbidden: violates PodSecurity "restricted"'
    _deployment(server, {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": message}]})
    assert message in str(_wait(server, 0.05))


def test_a_workload_that_is_not_there_is_told(server: Server) -> None:
    """In both languages, and only when the time is over: it may yet come."""
    assert readiness.cause(server, None, "chain", final=False) is None  # type: ignore[arg-type]
    told = _wait(server, 0.05)
    assert "it does not exist" in told.what.en
    assert "il n'existe pas" in told.what.fr


class TestAStatefulSetWhosePodIsOfAnEarlierRevision:
    """Its controller waits for the pod, which cannot start, before it makes one of the new revision."""

    @pytest.fixture
    def begun(self, server: Server) -> Server:
        """Return a cluster with one that was put right, and its pod, which was not."""
        each = _deployment(server, {"observedGeneration": 1, "updateRevision": "thing-2"})
        server.held["StatefulSet", "chain", "thing"] = {**each, "kind": "StatefulSet"}
        _pod(server, {})
        self._pod(server)["metadata"]["labels"]["controller-revision-hash"] = "thing-1"
        return server

    @staticmethod
    def _pod(server: Server) -> dict[str, Any]:
        return server.held["Pod", "chain", "thing-1"]

    @staticmethod
    def _waited(server: Server) -> None:
        workload = {"kind": "StatefulSet", "metadata": {"name": "thing"}}
        with pytest.raises(NotConverged):
            readiness.wait(server, [workload], "chain", lambda _: None, 0.6)  # type: ignore[arg-type]

    def test_is_freed_of_it(self, begun: Server) -> None:
        """The pod is ended; what comes next is the controller's work."""
        self._waited(begun)
        assert begun.deleted == ["Pod/thing-1"]

    @pytest.mark.parametrize("reason", ["ready", "ends", "current", "unseen"])
    def test_is_left_alone_otherwise(self, begun: Server, reason: str) -> None:
        """A pod that serves, ends already or is of the new revision; or a change that the controller has not seen."""
        pod = self._pod(begun)
        if reason == "ready":
            pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
        elif reason == "ends":
            pod["metadata"]["deletionTimestamp"] = "2013-01-01T00:00:00Z"
        elif reason == "current":
            pod["metadata"]["labels"]["controller-revision-hash"] = "thing-2"
        else:
            begun.held["StatefulSet", "chain", "thing"]["metadata"]["generation"] = 2
        self._waited(begun)
        assert begun.deleted == []
