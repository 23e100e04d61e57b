"""The third set: images that do not come, and volumes that are not made."""

from __future__ import annotations

from lab.diagnose.faults.acts import (
    FEATURE,
    JAEGER,
    KAFKA,
    MLFLOW,
    OBJECTSTORE,
    PAGE,
    POSTGRES,
    PROVISIONER,
    REDIS,
    WATCH,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import MINUTE, Scene
from unit.diagnose.second.tools import Play, all_of, gone, init, unbound
from unit.diagnose.third.tools import befalls, held, mine, unpulled


def _first_image(scene: Scene) -> None:
    """Let the store's first step ask for an image that the node has lost."""

    def shape(pod: Json) -> None:
        image = "tarmac.local/python:75d01a42fcf5"
        told = f'Container image "{image}" is not present with pull policy of Never'
        init(pod, "buckets", "ErrImageNeverPull", told)
        pod["status"]["initContainerStatuses"][0]["image"] = image
        scene.not_ready(pod, "objectstore")
        pod["told"] = [("ErrImageNeverPull", told), ("Failed", "Error: ErrImageNeverPull")]

    scene.fallen(OBJECTSTORE.place, shape)


_SPEED = mine("02", "speed")
_SPEED_IMAGE = "tarmac.local/lab-02:77aa01ce52b1"
_NAME = 'Failed to apply default image tag "{0}": couldn\'t parse image name "{0}": invalid reference format'
_BADLY_NAMED = "https://ghcr.io/tarmac/page:1.4", "docker.io/jaegertracing/all-in-one:${JAEGER_VERSION}"


def _claimed(target_claim: tuple[str, str], phase: str, *plays: Play) -> Play:
    def play(scene: Scene) -> None:
        unbound(scene, *target_claim, "standard")
        for each in scene.objects("PersistentVolumeClaim", *target_claim):
            each["status"]["phase"] = phase
        all_of(*plays)(scene)

    return play


def _leaving(scene: Scene) -> None:
    """Let somebody have deleted the claim of a database whose pod was then started anew."""
    for each in scene.objects("PersistentVolumeClaim", "data", "data-postgres-0"):
        each["metadata"] |= {"deletionTimestamp": scene.at(8 * MINUTE), "finalizers": ["kubernetes.io/pvc-protection"]}


def _event(namespace: str, name: str, reason: str, message: str) -> Play:
    return lambda scene: scene.warn("PersistentVolumeClaim", namespace, name, reason, message)


def _pends(why: str) -> str:
    return f"0/1 nodes are available: {why}. preemption: 0/1 nodes are available: 1 Preemption is not helpful."


_UNBOUND = _pends("pod has unbound immediate PersistentVolumeClaims. not found")
_LOST = _pends("1 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
CASES: tuple[Case, ...] = (
    Case("image-of-a-first-step", "TD-IMAGE-MISSING", ("objectstore",), _first_image, "objectstore"),
    Case("image-of-the-lab-not-loaded", "TD-IMAGE-MISSING", (), unpulled(
        _SPEED, _SPEED_IMAGE, f'failed to resolve reference "{_SPEED_IMAGE}": failed to do request: Head '
        '"https://tarmac.local/v2/lab-02/manifests/77aa01ce52b1": dial tcp: lookup tarmac.local: no such host'),
        "speed", labs=("02",)),
    Case("image-of-another-machine", "TD-IMAGE-PULL", ("mlflow",), unpulled(
        MLFLOW, "ghcr.io/mlflow/mlflow:v3.6.0-arm", "no match for platform in manifest: not found"), "mlflow"),
    Case("tag-that-never-was", "TD-IMAGE-PULL", ("postgres",), unpulled(
        POSTGRES, "docker.io/library/postgres:18-alpne", 'failed to resolve reference "docker.io/library/postgres:18-'
        'alpne": docker.io/library/postgres:18-alpne: not found'), "postgres"),
    Case("layers-do-not-come", "TD-IMAGE-PULL", ("feature",), unpulled(
        FEATURE, "quay.io/feast/feature-server:0.55.0", "failed to copy: httpReadSeeker: failed open: unexpected status"
        " from GET request to https://cdn03.quay.io/blobs/sha256/8d/8d853c8add5d: 503 Service Unavailable"), "feature"),
    Case("image-name-with-a-scheme", "TD-IMAGE-NAME", ("page",), held(
        PAGE, "InvalidImageName", _NAME.format(_BADLY_NAMED[0]), image=_BADLY_NAMED[0], rolled=True), "page"),
    Case("image-name-with-a-variable", "TD-IMAGE-NAME", (), held(
        JAEGER, "InvalidImageName", _NAME.format(_BADLY_NAMED[1]), image=_BADLY_NAMED[1]), "jaeger"),
    Case("provisioner-deleted", "TD-PROVISIONER-GONE", ("redis",), _claimed(
        ("data", "data-redis-0"), "Pending", gone(PROVISIONER, kept=False),
        befalls(REDIS, lambda scene: scene.pending(_UNBOUND))), "provisioner"),
    Case("volume-of-the-broker-lost", "TD-CLAIM-PENDING", (), _claimed(
        ("platform", "data-kafka-0"), "Lost", _event("platform", "data-kafka-0", "ClaimLost", "Bound claim has lost "
        "its PersistentVolume. Data on the volume is lost!"), befalls(KAFKA, lambda scene: scene.pending(_LOST))),
        "kafka"),
    Case("claim-for-many-nodes", "TD-CLAIM-PENDING", ("lake",), _claimed(
        ("chain", "lake-reports"), "Pending", _event("chain", "lake-reports", "ProvisioningFailed", "failed to "
        'provision volume with StorageClass "standard": NodePath only supports ReadWriteOnce and ReadWriteOncePod '
        "access modes"),
        befalls(WATCH, lambda scene: scene.pending(_UNBOUND))), "lake"),
    Case("claim-is-being-deleted", "TD-CLAIM-PENDING", ("postgres",), _claimed(
        ("data", "data-postgres-0"), "Bound", _leaving, befalls(POSTGRES, lambda scene: scene.pending(_pends(
        'persistentvolumeclaim "data-postgres-0" is being deleted')))), "postgres"),
)  # fmt: skip
