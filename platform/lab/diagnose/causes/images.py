"""Images and volumes: what a pod needs before it can be started at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.diagnose.causes.cluster import without
from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import Json, Pod, Workload, part
from lab.diagnose.causes.scene import Scene
from lab.text import Text

_OURS = "tarmac.local/"
_UNPULLED = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable")
_NO_NAME = "InvalidImageName"
_UNMET = re.compile(r"persistent ?volume|pvc\(s\)|volume ?binding|binding volumes", re.IGNORECASE)
"""What the scheduler says of a pod whose claims have no volume: unbound, waited for in vain, or bound to one lost."""
_NAMED = re.compile(r'persistentvolumeclaim "([^"]+)"')
"""A claim that is not there, or is being deleted: then the scheduler names it."""


def _waiting(scene: Scene, reasons: tuple[str, ...]) -> Iterator[tuple[Found, str]]:
    for workload in scene.workloads:
        for pod in workload.pods:
            for reason, message, image in pod.waiting():
                if reason in reasons:
                    told = f"pod {pod.name}: {reason} {image}: {message}"[:300]
                    yield Found(workload.what, workload.namespace, told), image


def _missing(scene: Scene, _: str) -> Iterator[Found]:
    yield from (found for found, image in _waiting(scene, _UNPULLED) if image.startswith(_OURS))


def _unpulled(scene: Scene, _: str) -> Iterator[Found]:
    yield from (found for found, image in _waiting(scene, _UNPULLED) if not image.startswith(_OURS))


def _misnamed(scene: Scene, _: str) -> Iterator[Found]:
    yield from (found for found, _image in _waiting(scene, (_NO_NAME,)))


def _unbound(scene: Scene, _: str) -> Iterator[Found]:
    for workload in scene.workloads:
        for pod in workload.pods:
            if _UNMET.search(pod.unscheduled):
                yield from _claims(scene, workload, pod)
    # A claim that is new waits for a moment: one of which nothing bad was said may yet be met.
    for namespace, name in _awaited(scene):
        for said in scene.warnings(namespace, name)[-1:]:
            yield Found(f"PersistentVolumeClaim/{name}", namespace, said)


def _claims(scene: Scene, workload: Workload, pod: Pod) -> Iterator[Found]:
    """Go through the claims that wait, each with what its provisioner says; else tell what the pod's scheduler says."""
    namespace, told = workload.namespace, pod.unscheduled
    if named := _NAMED.search(told):
        yield Found(f"PersistentVolumeClaim/{named[1]}", namespace, told)
        return
    waiting = _without_volume(scene, namespace)
    # A claim that no pod mounts waits too, for its first pod: the ones that this pod mounts are meant.
    mounted = workload.claims(pod)
    names = [str(part(claim, "metadata", "name")) for claim in waiting]
    for name in [each for each in names if each in mounted] or names:
        said = scene.warnings(namespace, name)
        yield Found(f"PersistentVolumeClaim/{name}", namespace, said[-1] if said else told)
    if not waiting:
        yield Found("PersistentVolumeClaim/?", namespace, told)


def _without_volume(scene: Scene, namespace: str) -> list[Json]:
    claims = scene.of("PersistentVolumeClaim", namespace)
    return [each for each in claims if part(each, "status", "phase") != "Bound"]


def _awaited(scene: Scene) -> Iterator[tuple[str, str]]:
    """Go through the claims, namespace and name, whose volumes the scheduler waits for without a word of their pods."""
    for workload in scene.workloads:
        waiting = {str(part(each, "metadata", "name")) for each in _without_volume(scene, workload.namespace)}
        for pod in workload.pods:
            if pod.undecided:
                yield from ((workload.namespace, name) for name in sorted(workload.claims(pod) & waiting))


def _provisioner(scene: Scene, component: str) -> Iterator[Found]:
    if next(_unbound(scene, component), None) or next(_awaited(scene), None):
        yield from without(scene, "provisioner", "storage", "volume-provisioner")


MISSING = Cause(
    "TD-IMAGE-MISSING",
    Text(en="an image of ours is not on the node", fr="une image à nous manque sur le nœud"),
    Text(
        en="Images are named by their content and loaded into the node; a pod asks for one that was never made, or was "
        "removed.",
        fr="Les images portent le nom de leur contenu et sont chargées dans le nœud ; un pod en demande une qui n'a "
        "jamais été faite, ou a été retirée.",
    ),
    "lab kubectl -n {namespace} describe {kind} {name}",
    "lab up {lab}",
    _missing,
)
UNPULLED = Cause(
    "TD-IMAGE-PULL",
    Text(en="an image cannot be pulled", fr="une image ne peut être tirée"),
    Text(
        en="A pod asks for an image of a registry that does not answer, does not have it, or wants a login.",
        fr="Un pod demande une image d'un registre qui ne répond pas, ne l'a pas, ou veut une identification.",
    ),
    "lab kubectl -n {namespace} describe {kind} {name}",
    "lab up {lab}",
    _unpulled,
)
MISNAMED = Cause(
    "TD-IMAGE-NAME",
    Text(en="an image's name is none", fr="un nom d'image n'en est pas un"),
    Text(
        en="The name of an image has capital letters, blanks or signs that no registry takes.",
        fr="Le nom d'une image contient des majuscules, des blancs ou des signes qu'aucun registre n'accepte.",
    ),
    "lab kubectl -n {namespace} get {kind} {name} -o wide",
    "lab up {lab}",
    _misnamed,
)
PROVISIONER = Cause(
    "TD-PROVISIONER-GONE",
    Text(en="nobody makes volumes", fr="personne ne fait de volumes"),
    Text(
        en="The program that makes a volume for each claim does not run: claims wait, and pods with them.",
        fr="Le programme qui fait un volume pour chaque demande ne tourne pas : les demandes attendent, les pods "
        "aussi.",
    ),
    "lab kubectl -n {namespace} get deployment {name}",
    "lab kubectl -n {namespace} scale deployment/{name} --replicas=1",
    _provisioner,
)
UNBOUND = Cause(
    "TD-CLAIM-PENDING",
    Text(en="a volume claim is not met", fr="une demande de volume n'est pas satisfaite"),
    Text(
        en="A pod waits for a volume: its claim is not there or is being deleted, has lost its volume, names a storage "
        "class that is not there, or asks for what no volume has.",
        fr="Un pod attend un volume : sa demande n'existe pas ou est en cours de suppression, a perdu son volume, "
        "nomme une classe de stockage qui n'existe pas, ou demande ce qu'aucun volume n'a.",
    ),
    "lab kubectl -n {namespace} describe pvc",
    "lab kubectl -n {namespace} delete {kind} {name} --wait=false; lab up {lab}",
    _unbound,
)
CAUSES = (MISSING, UNPULLED, MISNAMED)
STORAGE = (PROVISIONER, UNBOUND)
