"""Volumes put back: in place where their claim stands, for a claim to come where it does not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.api import Object
from lab.checkpoint import Arrival, Kept, Store, put_back, take
from lab.errors import BadInput
from lab.text import Text
from unit.stack import crons
from unit.stack.conftest import Server

_CLASS = "storageclass.kubernetes.io/is-default-class"


class Cluster(Server):
    """A cluster whose pods end when their StatefulSet has no replicas."""

    def __init__(self) -> None:
        super().__init__()
        self.scaled: list[tuple[str, int]] = []

    def scale(self, workload: Object, replicas: int) -> None:
        """Note it."""
        self.scaled.append((workload["metadata"]["name"], replicas))


class Node:
    """A node that keeps what it was given to unpack."""

    def __init__(self) -> None:
        self.packed: list[tuple[str, list[str], list[str]]] = []
        self.aside: list[str] = []
        self.placed: list[tuple[str, dict[str, str]]] = []

    def pack(self, root: str, folders: Sequence[str], containers: Sequence[str], archive: Path) -> None:
        """Write an archive that says what is in it."""
        self.packed.append((root, list(folders), list(containers)))
        archive.write_text(" ".join(folders))

    def unpack(self, root: str, folders: Collection[str], archive: Path) -> None:
        """Note it."""
        assert root
        assert archive.exists()
        self.aside = list(folders)

    def place(self, root: str, folders: Mapping[str, str]) -> None:
        """Note it."""
        assert set(folders) <= set(self.aside)
        self.placed.append((root, dict(folders)))


def _volume(cluster: Cluster, space: str, claim: str, folder: str) -> None:
    claimed = {
        "metadata": {"name": claim, "namespace": space}, "status": {"phase": "Bound"},
        "spec": {"volumeName": folder, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }  # fmt: skip
    crons.put(cluster, {"kind": "PersistentVolumeClaim", **claimed})
    cluster.held["PersistentVolume", None, folder] = {
        "kind": "PersistentVolume", "metadata": {"name": folder},
        "spec": {"hostPath": {"path": f"/var/volumes/{folder}"}},
    }  # fmt: skip


def _pod(cluster: Cluster, space: str, name: str, claim: str) -> None:
    mounted = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}] if claim else [{"emptyDir": {}}]
    running = {"containerID": f"containerd://{name}-id", "state": {"running": {}}}
    crons.put(
        cluster,
        {
            "kind": "Pod", "metadata": {"name": name, "namespace": space}, "spec": {"volumes": mounted},
            "status": {"containerStatuses": [running, {"state": {"waiting": {}}}]},
        },
    )  # fmt: skip


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster with a broker that stays and a database that a reset takes away."""
    made = Cluster()
    made.held["StorageClass", None, "standard"] = {
        "kind": "StorageClass", "metadata": {"name": "standard", "annotations": {_CLASS: "true"}},
        "provisioner": "tarmac.dev/folders",
    }  # fmt: skip
    _volume(made, "platform", "data-kafka-0", "pvc-1")
    _volume(made, "data", "data-postgres-0", "pvc-2")
    _pod(made, "platform", "kafka-0", "data-kafka-0")
    _pod(made, "platform", "jaeger-1", "")
    _pod(made, "data", "postgres-0", "data-postgres-0")
    _pod(made, "chain", "ingest-1", "")
    kafka = {
        "kind": "StatefulSet", "metadata": {"name": "kafka", "namespace": "platform"},
        "spec": {"replicas": 1, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]},
    }  # fmt: skip
    crons.put(made, kafka)
    return made


def _taken(cluster: Cluster, node: Node, store: Store) -> Kept:
    spaces = ["chain", "data", "platform"]
    found: Any = cluster
    where: Any = node
    return take(found, where, store, spaces, lab="04", state="start", key="k")


def test_what_writes_stands_still(cluster: Cluster, tmp_path: Path) -> None:
    """All of the chain and the data, and of the platform only what has a volume; containers that do not run cannot."""
    node = Node()
    kept = _taken(cluster, node, Store(tmp_path))
    ((root, folders, containers),) = node.packed
    assert (root, sorted(folders)) == ("/var/volumes", ["pvc-1", "pvc-2"])
    assert sorted(containers) == ["ingest-1-id", "kafka-0-id", "postgres-0-id"]
    assert [(each.namespace, each.claim, each.size) for each in kept.snapshot.volumes] == [
        ("data", "data-postgres-0", "1Gi"), ("platform", "data-kafka-0", "1Gi"),
    ]  # fmt: skip


def test_a_claim_that_stands_gets_its_content_and_others_a_volume(cluster: Cluster, tmp_path: Path) -> None:
    """The broker stops meanwhile and comes back; the database's volume waits for its claim, and goes with it later."""
    node = Node()
    kept = _taken(cluster, node, Store(tmp_path))
    for key in [key for key in cluster.held if key[1] == "data" or key[2] == "pvc-2"]:
        del cluster.held[key]
    said: list[Text] = []
    with Arrival(cluster, node, kept) as arrival:  # type: ignore[arg-type]
        assert cluster.scaled == [("kafka", 0)]
        assert node.placed == []
        put_back(cluster, arrival, said.append)  # type: ignore[arg-type]
        assert cluster.scaled == [("kafka", 0), ("kafka", 1)]
    ((root, folders),) = node.placed
    assert root == "/var/volumes"
    assert folders["pvc-1"] == "pvc-1"
    assert cluster.scaled == [("kafka", 0), ("kafka", 1)]
    assert "Pod/kafka-0" in cluster.deleted
    made = cluster.held["PersistentVolume", None, folders["pvc-2"]]
    assert made["spec"]["claimRef"] == {"namespace": "data", "name": "data-postgres-0"}
    assert made["spec"]["hostPath"]["path"] == f"/var/volumes/{folders['pvc-2']}"
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert made["metadata"]["annotations"] == {"pv.kubernetes.io/provisioned-by": "tarmac.dev/folders"}
    assert said


def test_what_comes_for_nothing_is_thrown_away(cluster: Cluster, tmp_path: Path) -> None:
    """What stood could not be taken away: no volume was changed, and the broker goes on."""
    node = Node()
    kept = _taken(cluster, node, Store(tmp_path))
    with (
        pytest.raises(BadInput, match="stays"),
        Arrival(cluster, node, kept),  # type: ignore[arg-type]
    ):
        raise BadInput(Text.plain("something stays"), Text.plain("wait"))
    assert node.placed == [("/var/volumes", {})]
    assert cluster.scaled == [("kafka", 0), ("kafka", 1)]


def test_only_routes_that_a_release_moved_are_kept(cluster: Cluster, tmp_path: Path) -> None:
    """Charts bring their own; of what another lab brought to the platform a cluster may not even know the kind."""
    for space, name, told in (
        ("chain", "moved", {"tarmac.dev/release": "{}"}), ("chain", "charts", {"meta.helm.sh/release-name": "serving"}),
        ("platform", "gateway", {"tarmac.dev/release": "{}"}),
    ):  # fmt: skip
        meta = {"name": name, "namespace": space, "annotations": told}
        crons.put(cluster, {"apiVersion": "v1", "kind": "HTTPRoute", "metadata": meta, "spec": {"rules": []}})
    kept = _taken(cluster, Node(), Store(tmp_path))
    assert [each["metadata"]["name"] for each in kept.snapshot.objects] == ["moved"]


def test_volumes_that_are_no_folders_are_out_of_reach(cluster: Cluster, tmp_path: Path) -> None:
    """A cluster of somebody else's, with a disk of its own kind, is told so."""
    cluster.held["StorageClass", None, "standard"]["provisioner"] = "ebs.csi.aws.com"
    with pytest.raises(BadInput, match="out of reach"):
        _taken(cluster, Node(), Store(tmp_path))
