"""The k3s backend against a fake `k3s` program that records every command, and a real server in its API's place."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from lab.cluster import forward, k3s, sweep
from lab.cluster.base import Status
from lab.cluster.k3s import K3s, configuration
from lab.errors import BadInput, MissingRequirement, NotConverged
from lab.settings import PORTS

from .conftest import Machine
from .listings import listing

_K3S = """
echo "K3S_CONFIG_FILE=$K3S_CONFIG_FILE" >> $STATE/environment
case "$1" in
  server)
    test -e $STATE/refuse && { echo "level=fatal msg=no free inotify"; exit 1; }
    echo made > "$STATE/../home/.local/state/tarmac/tarmac/kubeconfig"; touch $STATE/api
    trap 'rm -f $STATE/api; exit 0' TERM
    while :; do sleep 0.05; done ;;
  ctr) test -e $STATE/api || exit 1; cat $STATE/images 2>/dev/null || true ;;
esac
"""
_DOCKER = 'case "$1" in ps) echo ID ;; save) : > "$3" ;; esac'


@pytest.fixture
def cluster(
    machine: Machine, api_server: Callable[[], int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[K3s]:
    """Return a cluster on a machine with k3s; its server and relay end with the test."""
    machine.program("k3s", _K3S)
    machine.program("docker", _DOCKER)
    monkeypatch.setitem(PORTS, "api", api_server())
    monkeypatch.setattr(k3s, "_RUN", tmp_path / "run-k3s")
    monkeypatch.setattr(k3s, "_READY_SECONDS", 10)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(forward, "ports", lambda _: {_free_port(): 30080})
    made = K3s(machine.settings())
    yield made
    made.down(machine.say)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_up_runs_these_commands_and_no_other(machine: Machine, cluster: K3s) -> None:
    """The server gets one word and our settings file; what else it needs stands in that file."""
    cluster.up(machine.say)
    assert cluster.status() is Status.RUNNING
    calls = machine.calls("k3s")
    assert calls[0] == "k3s server"
    assert set(calls[1:]) <= {"k3s ctr -n k8s.io images list -q"}
    folder = machine.settings().folder
    used = set((machine.state / "environment").read_text().split())
    assert used == {f"K3S_CONFIG_FILE={folder}/k3s.yaml"}
    assert yaml.safe_load((folder / "k3s.yaml").read_text()) == configuration(machine.settings())


def test_up_twice_keeps_the_server(machine: Machine, cluster: K3s) -> None:
    """A second `up` changes nothing."""
    cluster.up(machine.say)
    cluster.up(machine.say)
    assert machine.calls("k3s server") == ["k3s server"]


def test_all_files_are_ours_and_private(machine: Machine, cluster: K3s) -> None:
    """Every path of the settings lies in the cluster's folder; what may hold secrets is 0600."""
    cluster.up(machine.say)
    folder = machine.settings().folder
    wanted = configuration(machine.settings())
    paths = [str(value).rpartition("=")[2] for value in (wanted["data-dir"], wanted["write-kubeconfig"])]
    for argument in [*_list(wanted["kubelet-arg"]), *_list(wanted["kube-apiserver-arg"])]:
        value = argument.partition("=")[2]
        paths += [value] if value.startswith("/") else []
    assert len(paths) == 5
    assert all(Path(path).is_relative_to(folder) for path in paths)
    for name in ("k3s.yaml", "audit.yaml", "k3s.log"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    assert wanted["write-kubeconfig-mode"] == "600"


def test_services_answer_on_this_machine_only_and_pods_reach_the_api(machine: Machine) -> None:
    """NodePorts are opened on loopback only; the API is not bound to it, or pods could not reach it."""
    wanted = configuration(machine.settings(LAB_PORT_OFFSET="7"))
    assert wanted["kube-proxy-arg"] == ["nodeport-addresses=127.0.0.0/8"]
    assert "bind-address" not in wanted
    assert wanted["https-listen-port"] == PORTS["api"] + 7
    assert wanted["secrets-encryption"] is True


def test_a_dead_server_is_started_again(machine: Machine, cluster: K3s) -> None:
    """After a crash or a reboot the cluster counts as stopped, and `up` brings it back."""
    cluster.up(machine.say)
    cluster._server.end()
    assert cluster.status() is Status.STOPPED
    cluster.up(machine.say)
    assert cluster.status() is Status.RUNNING


def test_a_lost_relay_is_started_again(machine: Machine, cluster: K3s) -> None:
    """Without its relay the services' addresses are dead: the cluster counts as broken, and `up` mends it."""
    cluster.up(machine.say)
    cluster._forwarder.end()
    assert cluster.status() is Status.BROKEN
    cluster.up(machine.say)
    assert cluster.status() is Status.RUNNING
    assert machine.calls("k3s server") == ["k3s server"]


def test_down_ends_the_server_and_leaves_nothing(machine: Machine, cluster: K3s) -> None:
    """After `down` neither server, relay nor any file is there."""
    cluster.up(machine.say)
    server, relay = cluster._server.pid(), cluster._forwarder.alive()
    assert (server is not None, relay) == (True, True)
    cluster.down(machine.say)
    assert cluster._server.pid() is None
    assert not cluster._forwarder.alive()
    assert not machine.settings().folder.exists()
    assert cluster.status() is Status.ABSENT


def test_images_come_through_an_archive_that_goes_away(machine: Machine, cluster: K3s) -> None:
    """An image is saved by the engine, imported by k3s' own ctr, and its archive removed."""
    cluster.up(machine.say)
    machine.answer("images", listing({"tarmac.local/kafka:1": "200.0 MiB"}))
    cluster.load_images(["tarmac.local/kafka:1"])
    archive = machine.settings().folder / "image.tar"
    assert f"k3s ctr -n k8s.io images import {archive}" in machine.calls()
    assert not archive.exists()
    assert cluster.images() == {"tarmac.local/kafka:1": 200 << 20}
    cluster.remove_images({"tarmac.local/kafka:1"})
    assert machine.calls()[-1] == "k3s ctr -n k8s.io images rm tarmac.local/kafka:1"


def test_a_server_that_ends_is_told_with_its_last_words(machine: Machine, cluster: K3s) -> None:
    """A server that cannot run is not waited for: the error shows why, and where its log is."""
    machine.answer("refuse")
    with pytest.raises(NotConverged, match="no free inotify") as caught:
        cluster.up(machine.say)
    assert "k3s.log" in caught.value.remedy.fr


def test_without_the_program_the_remedy_is_named(machine: Machine, cluster: K3s) -> None:
    """No k3s on PATH: LAB_CLUSTER is named, and kind as the way out."""
    (machine.bin / "k3s").unlink()
    with pytest.raises(MissingRequirement) as caught:
        cluster.up(machine.say)
    assert "LAB_CLUSTER=k3s" in caught.value.what.fr
    assert "kind" in caught.value.remedy.en


def test_only_root_may(machine: Machine, cluster: K3s, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is not root learns so before anything is written."""
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: 1000)
        with pytest.raises(MissingRequirement, match="root"):
            cluster.up(machine.say)
    assert not machine.settings().folder.exists()


def test_another_k3s_on_this_machine_is_left_alone(
    machine: Machine, cluster: K3s, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody's k3s already answers, ours does not start, and the way to use that one is named."""
    sockets = tmp_path / "run-k3s" / "containerd"
    sockets.mkdir(parents=True)
    monkeypatch.chdir(sockets)  # a socket's whole path may have about a hundred characters
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind("containerd.sock")
        theirs.listen()
        with pytest.raises(BadInput) as caught:
            cluster.up(machine.say)
        assert "context:default" in caught.value.remedy.en
        assert not machine.calls("k3s server")
        assert (sockets / "containerd.sock").exists()


def test_another_checkouts_cluster_is_never_touched(machine: Machine, cluster: K3s) -> None:
    """A cluster of another checkout is refused by `up` and by `down`, with its owner's name."""
    cluster.up(machine.say)
    owner = machine.settings().folder / "checkout"
    ours = owner.read_text()
    owner.write_text("/home/other/tarmac")
    assert cluster.status() is Status.FOREIGN
    for command in (cluster.up, cluster.down):
        with pytest.raises(BadInput, match="/home/other/tarmac"):
            command(machine.say)
    assert cluster._server.pid() is not None
    owner.write_text(ours)


def test_the_sweep_finds_pods_of_this_k3s_only(tmp_path: Path) -> None:
    """Shims of this containerd and all below them are pods; another containerd's are not, nor is the server."""
    shim = "/x/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-address\0{}/containerd/containerd.sock\0"
    for pid, parent, words in (
        (1, 0, "init"),
        (10, 1, shim.format("/run/k3s")),
        (11, 10, "/pause"),
        (12, 10, "java"),
        (13, 12, "sh"),
        (20, 1, shim.format("/run/docker")),
        (21, 20, "nginx"),
        (30, 1, "k3s\0server"),
    ):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_text(words)
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (a (b) c) S {parent} 1 1")
    assert sweep.pods(tmp_path, Path("/run/k3s")) == [10, 11, 12, 13]


def test_the_sweep_unmounts_inner_mounts_first() -> None:
    """Mounts under the folders come innermost first; neighbours of a similar name stay."""
    table = "tmpfs /s/tarmac/a tmpfs rw 0 0\ntmpfs /s/tarmac/a/b\\040c tmpfs rw 0 0\ntmpfs /s/tarmac2/x tmpfs rw 0 0\n"
    assert sweep.mounts(table, [Path("/s/tarmac")]) == ["/s/tarmac/a/b c", "/s/tarmac/a"]


def test_the_sweep_keeps_every_rule_that_is_not_the_clusters() -> None:
    """A user's own firewall survives."""
    rules = "*filter\n:KUBE-FORWARD - [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n-A FORWARD -j KUBE-FORWARD\nCOMMIT\n"
    assert sweep.without_cluster(rules) == "*filter\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"


def _list(value: object) -> list[str]:
    assert isinstance(value, list)
    return value
