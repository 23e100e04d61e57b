"""The kind backend against fake `docker` and `kind` programs and a real HTTPS server in the API server's place."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lab.cluster import kind as module
from lab.cluster import node
from lab.cluster.base import Status
from lab.cluster.engine import Engine
from lab.cluster.kind import Kind, rendered
from lab.errors import BadInput, LabError
from lab.process import CommandFailed
from lab.settings import PORTS, Settings

from .conftest import Machine
from .listings import listing

_DOCKER = """
case "$1" in
  ps) test -e $STATE/stopped && { echo "Cannot connect to the Docker daemon" >&2; exit 1; }; echo ID ;;
  inspect) test -e $STATE/node || exit 1; cat $STATE/node ;;
  image) echo sha256:1 ;;
  start|restart) printf running > $STATE/node; touch $STATE/api; rm -f $STATE/deaf ;;
  rm) rm -f $STATE/node $STATE/api ;;
  logs) echo "kubelet: certificate has expired" ;;
  exec)
    case "$3" in
      ps) cat $STATE/processes 2>/dev/null || exit 1 ;;
    esac
    cat > /dev/null; cat $STATE/images 2>/dev/null || true ;;
  save) echo archive ;;
esac
"""
_KIND = """
case "$1" in
  version) echo "kind v0.33.0 go1.27 linux/amd64" ;;
  create)
    printf running > $STATE/node
    test -e $STATE/broken && { echo "ERROR: failed to init node" >&2; exit 1; }
    test -e $STATE/killed && { kill -9 $PPID; exit 1; }
    for word; do kubeconfig=$word; done
    echo made > "$kubeconfig"; touch $STATE/api ;;
  get) test -e $STATE/lost && exit 1; echo fetched ;;
esac
"""


@pytest.fixture
def cluster(machine: Machine, api_server: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> Kind:
    """Return a cluster on a machine with docker and kind, nothing made yet."""
    machine.program("docker", _DOCKER)
    machine.program("kind", _KIND)
    monkeypatch.setattr(module, "_SILENT_SECONDS", 0.1)
    monkeypatch.setattr(module, "_READY_SECONDS", 1)
    monkeypatch.setitem(PORTS, "api", api_server())
    return Kind(machine.settings())


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_up_makes_a_cluster_whose_secrets_only_the_owner_reads(machine: Machine, cluster: Kind) -> None:
    """A new cluster runs; kubeconfig, audit policy and encryption key are 0600 and Secrets are encrypted."""
    assert cluster.status() is Status.ABSENT
    cluster.up(machine.say)
    assert cluster.status() is Status.RUNNING
    folder = machine.settings().folder
    for name in ("kubeconfig", "control/audit.yaml", "control/encryption.yaml"):
        assert _mode(folder / name) == 0o600, name
    encryption = yaml.safe_load((folder / "control/encryption.yaml").read_text())
    assert list(encryption["resources"][0]["providers"][0]) == ["secretbox"]


def test_kubeadm_finds_its_patches_where_the_configuration_says(machine: Machine, cluster: Kind) -> None:
    """The control plane's readiness is asked for every five seconds; each patch names its container."""
    cluster.up(machine.say)
    (wanted,) = yaml.safe_load((machine.settings().root / "kind-config.yaml").read_text())["nodes"]
    assert "patches: {directory: /etc/kubernetes/tarmac/patches}" in wanted["kubeadmConfigPatches"][0]
    found = {
        file.name: yaml.safe_load(file.read_text())
        for file in (machine.settings().folder / "control/patches").iterdir()
    }
    assert set(found) == {f"{name}+strategic.yaml" for name in ("kube-apiserver", "kube-scheduler", "etcd")}
    for name, patch in found.items():
        (container,) = patch["spec"]["containers"]
        assert container == {"name": name.partition("+")[0], "readinessProbe": {"periodSeconds": 5}}


def test_each_cluster_has_a_key_of_its_own(machine: Machine, cluster: Kind) -> None:
    """The key that encrypts Secrets is made for each cluster and goes with it."""
    keys = set()
    for _ in range(2):
        cluster.up(machine.say)
        keys.add((machine.settings().folder / "control/encryption.yaml").read_text())
        cluster.down(machine.say)
    assert len(keys) == 2


def test_up_twice_makes_one_cluster(machine: Machine, cluster: Kind) -> None:
    """A second `up` changes nothing."""
    cluster.up(machine.say)
    cluster.up(machine.say)
    assert len(machine.calls("kind create")) == 1
    assert not machine.calls("docker restart")


def test_down_leaves_nothing(machine: Machine, cluster: Kind) -> None:
    """After `down` neither the node nor any file of the cluster is there."""
    cluster.up(machine.say)
    cluster.down(machine.say)
    assert cluster.status() is Status.ABSENT
    assert machine.calls("docker rm") == ["docker rm -f -v tarmac-control-plane"]
    assert not machine.settings().folder.exists()


def test_a_creation_that_fails_leaves_nothing(machine: Machine, cluster: Kind) -> None:
    """Half a cluster is removed at once, kind's last words are shown, and the next run begins anew."""
    machine.answer("broken")
    with pytest.raises(CommandFailed, match="failed to init node"):
        cluster.up(machine.say)
    assert not machine.answers("node")
    assert not list(machine.settings().folder.glob("kubeconfig*"))
    (machine.state / "broken").unlink()
    cluster.up(machine.say)
    assert cluster.status() is Status.RUNNING


def test_a_creation_that_was_killed_is_begun_anew(machine: Machine, cluster: Kind) -> None:
    """A node whose creation never finished is removed, even if it answers, and a whole one is made."""
    cluster.up(machine.say)
    folder = machine.settings().folder
    (folder / "kubeconfig").unlink()
    (folder / "unfinished").touch()
    assert cluster.status() is Status.BROKEN
    cluster.up(machine.say)
    assert machine.calls("docker rm")
    assert len(machine.calls("kind create")) == 2
    assert cluster.status() is Status.RUNNING


def test_a_stopped_node_is_started(machine: Machine, cluster: Kind) -> None:
    """A node container that was stopped (a reboot) comes back with all it held."""
    cluster.up(machine.say)
    machine.answer("node", "exited")
    (machine.state / "api").unlink()
    assert cluster.status() is Status.STOPPED
    cluster.up(machine.say)
    assert machine.calls("docker start") == ["docker start tarmac-control-plane"]
    assert len(machine.calls("kind create")) == 1
    assert cluster.status() is Status.RUNNING


def test_a_silent_api_is_healed(machine: Machine, cluster: Kind) -> None:
    """A node that runs while its API is silent is restarted, and the user is told so in both languages."""
    cluster.up(machine.say)
    (machine.state / "api").unlink()
    assert cluster.status() is Status.BROKEN
    cluster.up(machine.say)
    assert machine.calls("docker restart") == ["docker restart tarmac-control-plane"]
    assert cluster.status() is Status.RUNNING
    assert ("silent" in machine.said[-1].en, "ne répond pas" in machine.said[-1].fr) == (True, True)


def test_an_api_that_stays_silent_is_told_with_the_nodes_last_words(machine: Machine, cluster: Kind) -> None:
    """Where no restart helps, the error names the cluster, shows the node's log and a remedy."""
    cluster.up(machine.say)
    machine.program("docker", _DOCKER.replace("touch $STATE/api", ":"))
    (machine.state / "api").unlink()
    with pytest.raises(LabError) as caught:
        cluster.up(machine.say)
    assert caught.value.exit_code == 5
    assert "tarmac" in caught.value.what.fr
    assert "certificate has expired" in caught.value.what.en
    assert "lab down" in caught.value.remedy.fr


def test_a_lost_kubeconfig_is_fetched_from_a_healthy_cluster(machine: Machine, cluster: Kind) -> None:
    """Losing the kubeconfig does not cost the cluster."""
    cluster.up(machine.say)
    cluster.kubeconfig.unlink()
    assert cluster.status() is Status.BROKEN
    cluster.up(machine.say)
    assert len(machine.calls("kind create")) == 1
    assert cluster.kubeconfig.read_text() == "fetched\n"
    assert _mode(cluster.kubeconfig) == 0o600


def test_a_node_without_kubeconfig_is_made_anew(machine: Machine, cluster: Kind) -> None:
    """A node that has no kubeconfig to give was never a cluster."""
    cluster.up(machine.say)
    cluster.kubeconfig.unlink()
    machine.answer("lost")
    cluster.up(machine.say)
    assert len(machine.calls("kind create")) == 2


def test_another_checkouts_cluster_is_never_touched(machine: Machine, cluster: Kind) -> None:
    """A cluster of the same name from another checkout: `up` and `down` refuse, name its owner and how to go on."""
    cluster.up(machine.say)
    (machine.settings().folder / "checkout").write_text("/home/other/tarmac")
    assert cluster.status() is Status.FOREIGN
    before = len(machine.calls("docker rm"))
    for command in (cluster.up, cluster.down):
        with pytest.raises(BadInput) as caught:
            command(machine.say)
        assert "/home/other/tarmac" in caught.value.what.en
        assert "LAB_NAME" in caught.value.remedy.fr
        assert "docker rm -f -v tarmac-control-plane" in caught.value.remedy.en
    assert len(machine.calls("docker rm")) == before
    assert machine.settings().folder.exists()


def test_a_container_of_unknown_origin_is_foreign(machine: Machine, cluster: Kind) -> None:
    """A node that no file of ours knows is somebody's: refused, its owner unknown."""
    machine.answer("node", "running")
    with pytest.raises(BadInput, match="unknown"):
        cluster.up(machine.say)
    assert not machine.calls("kind create")


def test_a_stopped_engine_is_not_an_absent_cluster(machine: Machine, cluster: Kind) -> None:
    """While the engine is down, the cluster counts as stopped, not as absent."""
    cluster.up(machine.say)
    machine.answer("stopped")
    assert cluster.status() is Status.STOPPED


def test_a_node_image_that_has_to_be_made_is_known_beforehand(machine: Machine) -> None:
    """It is neither in the engine nor in the cache; once it is in either, nothing is to be made."""
    settings, found = machine.settings(), Engine(("docker",), lacks_resource=False)
    machine.program("docker", "exit 1")
    assert node.absent(settings, found)
    archive = settings.cache / f"node/{node._digest(settings, found)}.tar"
    archive.parent.mkdir(parents=True)
    archive.touch()
    assert not node.absent(settings, found)
    archive.unlink()
    machine.program("docker", "echo sha256:1")
    assert not node.absent(settings, found)


def test_images_go_in_through_one_pipe_and_leave_no_archive(machine: Machine, cluster: Kind) -> None:
    """All are saved in one go, so that what they share is copied once, and imported with ctr as they come."""
    cluster.up(machine.say)
    cluster.load_images(["tarmac.local/kafka:1", "tarmac.local/ingest:1"])
    assert "docker save tarmac.local/kafka:1 tarmac.local/ingest:1" in machine.calls()
    assert "docker exec -i tarmac-control-plane ctr -n k8s.io images import -" in machine.calls()
    assert not list(machine.settings().folder.glob("*.tar"))


def test_images_are_what_the_node_lists(machine: Machine, cluster: Kind) -> None:
    """The node's own list decides what is missing."""
    cluster.up(machine.say)
    machine.answer("images", listing({"tarmac.local/kafka:1": "1.5 GiB", "registry.k8s.io/pause:3.10": "612.0 B"}))
    assert cluster.images() == {"tarmac.local/kafka:1": 3 << 29, "registry.k8s.io/pause:3.10": 612}


@pytest.mark.parametrize(("built", "offset"), [(True, 0), (False, 1000)])
def test_the_configuration_is_the_repositorys_with_this_machines_ports(
    machine: Machine, *, built: bool, offset: int
) -> None:
    """kind-config.yaml is what runs: only name, image, folders and shifted ports differ, all on 127.0.0.1."""
    settings = machine.settings(LAB_NAME="second", LAB_PORT_OFFSET=str(offset))
    template = yaml.safe_load((settings.root / "kind-config.yaml").read_text())
    untouched = json.dumps(template)
    config = rendered(template, settings, node.NodeImage("image:1", built=built))
    assert json.dumps(template) == untouched
    (wanted,), (got,) = template["nodes"], config["nodes"]
    assert (config["name"], got["image"]) == ("second", "image:1")
    assert config["networking"]["apiServerPort"] == 6443 + offset
    assert config["networking"]["disableDefaultCNI"] is built
    pairs = zip(wanted["extraPortMappings"], got["extraPortMappings"], strict=True)
    assert all(now == {**was, "hostPort": was["hostPort"] + offset} for was, now in pairs)
    assert {each["listenAddress"] for each in got["extraPortMappings"]} == {"127.0.0.1"}
    assert got["extraMounts"][0]["hostPath"] == f"{settings.folder}/control"
    assert got["kubeadmConfigPatches"] == wanted["kubeadmConfigPatches"]


def test_addresses_of_the_cluster_stay_in_the_node(machine: Machine, cluster: Kind) -> None:
    """The kubelet's start puts a rule there once for each range, and goes on without where that is not possible."""
    cluster.up(machine.say)
    lines = (machine.settings().folder / "control/kubelet.conf").read_text().splitlines()
    assert lines[0] == "[Service]"
    tcp = "FORWARD -d 10.96.0.0/16 -p tcp -j REJECT --reject-with tcp-reset"
    assert f'ExecStartPre=-/bin/sh -c "iptables -w -C {tcp} || iptables -w -A {tcp}"' in lines
    assert sum("-d 10.244.0.0/16 -o eth0" in line for line in lines) == sum("-d 10.96.0.0/16" in line for line in lines)


def test_every_host_port_has_its_place_in_the_configuration(machine: Machine) -> None:
    """A service that the tool expects on a host port is mapped by kind-config.yaml under that port."""
    settings: Settings = machine.settings()
    config = yaml.safe_load((settings.root / "kind-config.yaml").read_text())
    mapped = {mapping["hostPort"] for mapping in config["nodes"][0]["extraPortMappings"]}
    assert mapped == {port for name, port in PORTS.items() if name != "api"}


_STEADY = "kube-controller 10 900\nkube-scheduler 12 900\ncoredns 13 880\ncoredns 14 880\n"


@pytest.mark.parametrize(
    ("server", "others", "killed"),
    [
        ("kube-apiserver 20 5\n", _STEADY, "10 12 13 14"),
        ("kube-apiserver 20 5\n", "kube-controller 10 900\nkube-scheduler 12 9\n", "10"),
        ("kube-apiserver 20 400\n", _STEADY, None),
        ("kube-apiserver 20 895\n", _STEADY, None),
        ("kube-apiserver 20 20\n", "kube-controller 10 22\nkube-scheduler 12 30\n", None),
        ("", _STEADY, None),
        (None, "", None),
    ],
    ids=["a moment ago", "one knows already", "minutes ago", "never", "a new node", "it is away", "nothing is told"],
)
def test_what_watched_an_api_server_that_was_restarted_begins_anew(
    machine: Machine, cluster: Kind, server: str | None, others: str, killed: str | None
) -> None:
    """Whatever is older than an API server of a moment ago is restarted and said; kubelet, which starts it, first."""
    cluster.up(machine.say)
    machine.said.clear()
    if server is not None:
        machine.answer("processes", others + server)
    before = len(machine.calls())
    cluster.settle(machine.say)
    done = [call.removeprefix("docker exec tarmac-control-plane ") for call in machine.calls()[before:]]
    done = [call for call in done if call.startswith(("systemctl", "sh "))]
    expected = ["systemctl restart kubelet", f'sh -c kill -9 "$@" || true kill {killed}'] if killed else []
    assert done == expected
    assert len(machine.said) == bool(killed)
