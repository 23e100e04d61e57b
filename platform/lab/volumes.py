"""Where a cluster keeps its volumes, and who has them open."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from lab.api import Api, Object
from lab.cluster.packing import out_of_reach

ROOTS = {"tarmac.dev/folders": "/var/volumes", "rancher.io/local-path": "/var/local-path-provisioner"}
"""Provisioner of the default class -> folder of the node in which it makes volumes."""
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_CONTAINERD = "containerd://"


def default_class(api: Api) -> Object:
    """Return the default storage class.

    Raises:
        BadInput: its volumes are not folders that can be read here; names it.

    """
    found = [
        each
        for each in api.find("StorageClass")
        if (each["metadata"].get("annotations") or {}).get(_DEFAULT) == "true" and each.get("provisioner") in ROOTS
    ]
    if not found:
        raise out_of_reach()
    return found[0]


def claims(api: Api, namespaces: Iterable[str]) -> list[Object]:
    """Return the claims of namespaces that have their volume."""
    found = [each for name in namespaces for each in api.find("PersistentVolumeClaim", name)]
    return [each for each in found if each.get("status", {}).get("phase") == "Bound"]


def folder(volume: Object) -> PurePosixPath:
    """Return the folder that a volume is.

    Raises:
        BadInput: it is none.

    """
    spec = volume["spec"]
    path = (spec.get("hostPath") or spec.get("local") or {}).get("path")
    if not path:
        raise out_of_reach()
    return PurePosixPath(path)


def containers(pods: Iterable[Object]) -> list[str]:
    """Return containerd's ids of the containers that run in pods."""
    return [
        str(each["containerID"]).removeprefix(_CONTAINERD)
        for pod in pods
        for each in pod.get("status", {}).get("containerStatuses") or []
        if each.get("containerID") and (each.get("state") or {}).get("running") is not None
    ]


def mounting(api: Api, namespace: str, names: set[str]) -> list[Object]:
    """Return the pods of a namespace that mount one of these claims."""
    return [
        pod
        for pod in api.find("Pod", namespace)
        if any((each.get("persistentVolumeClaim") or {}).get("claimName") in names for each in _volumes(pod))
    ]


def _volumes(pod: Object) -> list[Object]:
    return pod["spec"].get("volumes") or []
