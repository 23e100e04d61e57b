"""Rules that the third set's first run asked for: what each has to find, and what it has to pass over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.diagnose.accuracy import healthy
from lab.diagnose.causes import root
from lab.diagnose.causes.pods import part
from lab.diagnose.faults import acts
from lab.diagnose.faults.healthy import clone
from lab.diagnose.faults.world import WARN
from lab.spec import Course
from unit.diagnose.independent.measure import THIRD, played
from unit.diagnose.independent.scene import MINUTE, Scene
from unit.diagnose.second.tools import twin
from unit.diagnose.third.tools import dies, held, refused, unplaced

ROOT = Path(__file__).resolve().parents[3]
STATES = {name: state for name, _, state in healthy(Course(ROOT, drafts=False))}
LARGEST, BATCH = STATES["04 solved"], STATES["02 solved"]
_MOUNT = 'MountVolume.SetUp failed for volume "certs" : secret "envoy-gateway" not found'
_NO_SPACE = 'ERROR:  could not extend file "base/16385/16442": No space left on device'
_NO_BUCKET = "An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: s3://dvc/lab-02"
_OOM = "OOM command not allowed when used memory > 'maxmemory'."


def _scene(state: Any = LARGEST) -> Scene:  # noqa: ANN401  a state
    return Scene(clone(state), WARN)


def _case(name: str) -> Any:  # noqa: ANN401  a state
    return played(THIRD.cases[name], LARGEST, WARN)


def _told(state: Any) -> str:  # noqa: ANN401  a state
    found = root(state)
    return f"{found.cause.code} {found.where}" if found else ""


def _event(scene: Scene, target: acts.Target, reason: str, message: str) -> None:
    for pod in scene.pods(*target.place):
        scene.warn("Pod", target.namespace, pod["metadata"]["name"], reason, message, ago=12 * MINUTE)


def test_who_comes_in_for_nobody_has_an_old_certificate_where_there_are_certificates() -> None:
    """On clusters that the tool made; elsewhere it may be a token. Who may not do something is somebody."""
    state = _case("client-is-nobody-any-more")
    assert _told(state) == "TD-CERTIFICATE-EXPIRED Cluster/lab"
    state["health"]["cluster"]["backend"] = "context"
    assert _told(state) == "TD-API-SILENT Cluster/lab"
    state["health"]["cluster"]["backend"] = "kind"
    state["problems"] = ["kubernetes: ForbiddenError: 403"]
    assert _told(state) == "TD-API-SILENT Cluster/lab"


@pytest.mark.parametrize(
    ("backend", "free", "full"), [("kind", 0, True), ("kind", 3 << 30, False), ("context", 0, False)]
)
def test_a_program_that_runs_tells_of_the_disk_where_that_is_full(backend: str, free: int, *, full: bool) -> None:
    """It may have meant a small place of its own; and the disk of somebody else's cluster is not this machine's."""
    scene = _scene()
    scene.utter(acts.POSTGRES.place, _NO_SPACE)
    scene.health["machine"]["disk_free"] = free
    scene.health["cluster"]["backend"] = backend
    assert _told(scene.state) == ("TD-DISK-FULL data/Pod/postgres-0" if full else "")


def test_a_full_disk_of_which_nobody_says_anything_is_not_blamed() -> None:
    """All that stands goes on; `lab doctor` warns of it."""
    scene = _scene()
    scene.health["machine"]["disk_free"] = 0
    assert not _told(scene.state)


def test_a_pod_of_the_nodes_own_counts_while_it_does_not_stand() -> None:
    """What it said before it came up, or of a job that ended, is nobody's trouble."""
    state = _case("kube-proxy-cannot-watch")
    assert _told(state) == "TD-INOTIFY kube-system/Pod/kube-proxy-9cwtc"
    proxy = next(each for each in state["health"]["objects"] if each["metadata"]["name"] == "kube-proxy-9cwtc")
    proxy["status"]["phase"] = "Succeeded"
    assert not _told(state)
    scene = _scene()
    scene.words(scene.objects("Pod", "kube-system", "kube-proxy-9cwtc")[0], "too many open files")
    assert not _told(scene.state)


def test_a_provisioner_is_missed_by_a_claim_that_waits() -> None:
    """And only where it is known what it is called; without one, nobody needs it at the moment."""
    state = _case("provisioner-deleted")
    found = root(state)
    assert found is not None
    assert (found.cause.code, found.where) == ("TD-PROVISIONER-GONE", "storage/Deployment/volume-provisioner")
    assert found.mend == "lab down && lab up 04"
    state["health"]["cluster"]["backend"] = "context"
    assert _told(state) == "TD-CLAIM-PENDING data/PersistentVolumeClaim/data-redis-0"
    scene = _scene()
    scene.gone(acts.PROVISIONER.place, kept=False)
    assert not _told(scene.state)


def test_a_claim_that_the_scheduler_names_is_named() -> None:
    """One that is being deleted is bound still; a node that has no room for a pod's volumes is another matter."""
    assert _told(_case("claim-is-being-deleted")) == "TD-CLAIM-PENDING data/PersistentVolumeClaim/data-postgres-0"
    assert _told(_case("volume-of-the-broker-lost")) == "TD-CLAIM-PENDING platform/PersistentVolumeClaim/data-kafka-0"
    scene = _scene()
    unplaced(acts.REDIS, "1 node(s) exceed max volume count", rolled=False)(scene)
    assert _told(scene.state) == "TD-POD-NO-ROOM data/StatefulSet/redis"


@pytest.mark.parametrize(("ago", "gone"), [(14 * MINUTE, True), (20, False), (-25, False)])
def test_a_pod_that_never_ends_keeps_its_successor_away(ago: float, *, gone: bool) -> None:
    """One that was deleted just now may take its time."""
    scene = _scene()
    scene.fallen(acts.KAFKA.place, scene.hangs())
    for pod in scene.pods(*acts.KAFKA.place):
        pod["metadata"]["deletionTimestamp"] = scene.at(ago)
    assert _told(scene.state).startswith("TD-KAFKA-GONE" if gone else "TD-PROBE-FAILING")
    found = root(scene.state)
    assert found is not None
    assert ("delete pod kafka-0 --force" in found.mend) is gone


def test_an_old_pod_that_lingers_beside_a_new_one_is_not_missed() -> None:
    """Its node may be slow; the one that serves is there."""
    scene = _scene()
    old = twin(scene, acts.FEATURE, scene.hangs())
    old["metadata"]["deletionTimestamp"] = scene.at(14 * MINUTE)
    assert "TD-FEATURE-GONE" not in _told(scene.state)
    for pod in scene.pods(*acts.FEATURE.place):
        pod["metadata"]["deletionTimestamp"] = scene.at(14 * MINUTE)
    assert _told(scene.state).startswith("TD-FEATURE-GONE")


def test_a_bucket_of_the_lab_is_missed_after_all_that_stands_before_it() -> None:
    """What the chain lacks explains the lab's trouble, not the other way round; the store itself tells of anybody."""
    trials = acts.Target("", "lab-02", "Deployment", "pipelines", "pipelines")
    scene = _scene(BATCH)
    scene.utter(trials.place, _NO_BUCKET)
    assert _told(scene.state).startswith("TD-BUCKET-MISSING lab-02/Pod/pipelines-")
    scene.gone(acts.JAEGER.place, kept=True)
    assert _told(scene.state) == "TD-JAEGER-GONE platform/Deployment/jaeger"
    other = _scene(BATCH)
    other.utter(acts.OBJECTSTORE.place, _NO_BUCKET)
    assert not _told(other.state)


@pytest.mark.parametrize(
    ("counted", "words", "full"),
    [([], _OOM, True), ([{"labels": {}, "value": 0.0}], _OOM, False), ([], "OOM killer disabled, 'maxmemory'", False)],
)
def test_redis_is_full_by_its_clients_words_where_nobody_counts(counted: list[Any], words: str, *, full: bool) -> None:
    """A count of none is newer than words; and not all words of memory are of a write that is refused."""
    scene = _scene()
    scene.health["figures"]["redis_refused"] = counted
    scene.utter(acts.CONSUMER.place, scene.line("ingest.online", "the online store does not take rows", cause=words))
    assert ("TD-REDIS-FULL" in _told(scene.state)) is full


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("[minimum cpu usage per Container is 50m, but request is 5m]", "TD-QUOTA-REFUSED"),
        ("maximum ephemeral-storage usage per Container is 1Gi, but limit is 2Gi", "TD-QUOTA-REFUSED"),
        ("memory max limit to request ratio per Container is 2, but provided ratio is 4.0", "TD-QUOTA-REFUSED"),
        ('error looking up service account data/default: serviceaccount "default" not found', "TD-OBJECTSTORE-GONE"),
    ],
)
def test_bounds_of_a_namespace_refuse_in_several_ways(why: str, code: str) -> None:
    """Between brackets where there are several; whatever else is refused leaves the component without a pod."""
    scene = _scene()
    refused(acts.OBJECTSTORE, f"{{pod}}: {why}")(scene)
    found = root(scene.state)
    assert found is not None
    assert (found.cause.code, found.where) == (code, "data/Deployment/objectstore")
    assert why in found.found.evidence


def test_a_pod_that_stands_is_not_gone_for_a_refusal() -> None:
    """The old one serves while the new one is refused: that has another name, or none."""
    scene = _scene()
    workload = scene.workload(*acts.PAGE.place)
    told = {
        "type": "ReplicaFailure",
        "status": "True",
        "message": 'pods "page-6" is forbidden: error looking up account',
    }
    workload["status"]["conditions"] = [told]
    assert not _told(scene.state)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('container\'s runAsUser breaks non-root policy (pod: "objectstore")', "TD-SECURITY-REFUSED"),
        ('secret "objectstore" not found', "TD-SECRET-MISSING"),
    ],
)
def test_a_user_that_is_root_is_refused_by_the_kubelet(message: str, code: str) -> None:
    """By the same reason as a Secret that is not there, in other words."""
    scene = _scene()
    held(acts.OBJECTSTORE, "CreateContainerConfigError", message)(scene)
    assert _told(scene.state) == f"{code} data/Deployment/objectstore"


def test_a_mount_that_failed_before_a_container_was_made_is_over() -> None:
    """Whatever keeps that container from being ready or running is something else."""
    scene = _scene()
    scene.fallen(acts.CONTROLLER.place, scene.hangs())
    _event(scene, acts.CONTROLLER, "FailedMount", _MOUNT)
    assert _told(scene.state) == "TD-PROBE-FAILING platform/Deployment/envoy-gateway"
    scene = _scene()
    dies(acts.CONTROLLER, "panic: leader election lost")(scene)
    _event(scene, acts.CONTROLLER, "FailedMount", _MOUNT)
    assert _told(scene.state) == "TD-POD-CRASH platform/Deployment/envoy-gateway"
    scene = _scene()
    scene.fallen(acts.CONTROLLER.place, scene.creating())
    _event(scene, acts.CONTROLLER, "FailedMount", _MOUNT)
    assert _told(scene.state) == "TD-SECRET-MISSING platform/Deployment/envoy-gateway"


@pytest.mark.parametrize("name", STATES)
def test_all_workloads_of_the_chain_announce_their_pods_but_those_without_figures(name: str) -> None:
    """What is known of them by name is as recorded clusters have it: one that is taken away is missed."""
    state = clone(STATES[name])
    for pod in state["health"]["objects"]:
        place, own = str(pod["metadata"].get("namespace")), pod["metadata"]["name"]
        if pod["kind"] != "Pod" or not (part(pod, "metadata", "annotations") or {}).pop("prometheus.io/port", ""):
            continue
        targets = state["health"]["targets"]
        state["health"]["targets"] = [each for each in targets if each["pod"] != own]
        assert place.startswith("lab-") or _told(state).startswith("TD-SCRAPE-MISSING"), own
        state["health"]["targets"] = targets


def test_a_pod_that_is_read_in_another_way_is_not_missed() -> None:
    """Without the annotation, and with a target all the same."""
    scene = _scene()
    for pod in scene.pods(*acts.STABLE.place):
        pod["metadata"]["annotations"].pop("prometheus.io/port")
    assert not _told(scene.state)


_OPEN = {"from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "mlflow"}}}]}
_LATE = 'connection to server at "10.96.40.7", port {} failed: timeout expired'


@pytest.mark.parametrize(
    ("ingress", "words", "cut"),
    [
        ([], _LATE.format(5432), True),
        ([_OPEN], _LATE.format(5432), False),
        ([], _LATE.format(8080), False),
        ([], _LATE.format(5432).replace("timeout expired", "Connection refused"), False),
    ],
)
def test_a_server_is_known_by_its_port(ingress: list[Any], words: str, *, cut: bool) -> None:
    """Where a client's line does not name it; a port that others have too tells nothing."""
    scene = _scene()
    _fence(scene, "data", "postgres", ingress)
    scene.utter(acts.MLFLOW.place, words)
    assert _told(scene.state) == ("TD-POLICY-BLOCKED data/NetworkPolicy/fence" if cut else "")


@pytest.mark.parametrize(("chosen", "cut"), [("feature", True), ("serving", False)])
def test_a_policy_of_who_comes_in_keeps_nobody_from_asking(chosen: str, *, cut: bool) -> None:
    """A client that waits in vain tells of whom it asked, not of who asks it."""
    scene = _scene()
    _fence(scene, "chain", chosen, [{"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}, "podSelector": {
        "matchLabels": {"team": "b"}}}]}])  # fmt: skip
    cause = "feature service http://feature.chain.svc:6566: no answer within 0.8 s"
    scene.utter(acts.STABLE.place, scene.line("serving.endpoints", "features are away", cause=cause))
    assert _told(scene.state) == ("TD-POLICY-BLOCKED chain/NetworkPolicy/fence" if cut else "")


def _fence(scene: Scene, namespace: str, name: str, ingress: list[Any]) -> None:
    spec = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}, "policyTypes": ["Ingress"]}
    metadata = {"name": "fence", "namespace": namespace}
    scene.health["objects"].append(
        {"kind": "NetworkPolicy", "metadata": metadata, "spec": {**spec, "ingress": ingress}}
    )
