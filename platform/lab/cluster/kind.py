"""kind: the default cluster, one node in a container."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import files, reading
from lab.cluster import containerd, engine, node, packing
from lab.cluster.base import AUDIT, Claim, Status, answers
from lab.cluster.daemon import until
from lab.errors import BadInput, NotConverged
from lab.process import CommandFailed, run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from lab.tools import kind

_READY_SECONDS = 120
_SILENT_SECONDS = 20
"""How long an API may be silent before its node is restarted."""

_SERVER, _KUBELET = "kube-apiserver", "kubelet"
_WATCHERS = ("kube-controller", "kube-scheduler", "kube-proxy", "coredns", "volume-provisio", "envoy-gateway")
"""What else in the node lives by watching the API server, as `ps` names it: by fifteen letters."""
_BLIND_SECONDS = 120
"""How long after its return a client may still wait to look again: twice client-go's longest wait, once per refusal."""
_TOGETHER_SECONDS = 15
"""What starts with the API server, as on a new node, waits for it before it watches."""


@dataclass(frozen=True)
class _Process:
    """A process of the node: its program, number and age in seconds."""

    program: str
    number: int
    age: int


class Kind:
    """A cluster of one node, made by kind in the machine's container engine."""

    backend = "kind"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.name = settings.name
        self.kubeconfig = settings.kubeconfig
        self._node = f"{settings.name}-control-plane"
        self._claim = Claim(settings)

    def status(self) -> Status:
        """Say how the cluster stands; starts nothing."""
        found = engine.running()
        if found is None:
            return Status.STOPPED if self._claim.taken() else Status.ABSENT
        state = self._container_state(found)
        if state is None:
            return Status.ABSENT
        if not self._claim.ours():
            return Status.FOREIGN
        if state != "running":
            return Status.STOPPED
        return Status.RUNNING if self.kubeconfig.exists() and self._api_answers() else Status.BROKEN

    def up(self, say: Say) -> None:
        """Make the cluster, or bring it back; returns when its API answers and its node is ready.

        Raises:
            BadInput: a cluster of this name belongs to another checkout.
            MissingRequirement: there is no engine and none can be had.
            NotConverged: the node does not become ready.

        """
        found = engine.ensure(say)
        status = self.status()
        if status is Status.FOREIGN:
            raise self._foreign()
        if status in (Status.STOPPED, Status.BROKEN):
            status = self._heal(found, status, say)
        if status is Status.ABSENT:
            self._create(found, say)
        self._wait_ready()
        self.settle(say)

    def settle(self, say: Say) -> None:
        """Restart what watches the API server, where that was restarted a moment ago.

        A client of Kubernetes that lost its watch waits longer with each try, up to a minute, before it looks again.
        Until then it acts on what was: a controller makes pods for a workload that is gone, the scheduler binds a pod
        to a claim that was deleted, and neither is ever mended. Started anew, each lists what is there first.
        """
        found = self._processes()
        server = next((each for each in found if each.program == _SERVER), None)
        if server is None or server.age > _BLIND_SECONDS:
            return
        blind = [each for each in found if each.age > server.age + _TOGETHER_SECONDS]
        if not blind:
            return
        say(
            Text(
                en="the API server was restarted: restarting what watches it",
                fr="l'API a redémarré : redémarrage de ce qui l'observe",
            )
        )
        # First of all the one that starts the others: anew, it does not remember how often it did so lately.
        self._in_node("systemctl", "restart", _KUBELET, what=Text.plain(f"restart {_KUBELET}"))
        words = [str(each.number) for each in blind]
        # By one that has ended meanwhile the rest is not held up.
        self._in_node("sh", "-c", 'kill -9 "$@" || true', "kill", *words, what=Text.plain("kill"))

    def down(self, say: Say) -> None:
        """Remove the cluster and every file of it; the engine's images stay.

        Raises:
            BadInput: a cluster of this name belongs to another checkout.

        """
        found = engine.running()
        if found is None and self._claim.taken():
            # The container outlives a stopped engine: only a running one can remove it.
            found = engine.ensure(say)
        if found and self._container_state(found) is not None:
            if not self._claim.ours():
                raise self._foreign()
            self._remove(found)
        shutil.rmtree(self._settings.folder, ignore_errors=True)

    def images(self) -> dict[str, int]:
        """Return the images that the node holds: name -> bytes."""
        return containerd.sizes(self._in_node("ctr", *containerd.LISTING, what=Text.plain("ctr images list")))

    def load_images(self, references: Sequence[str]) -> None:
        """Copy images from the engine into the node through one pipe: what they share is copied and unpacked once.

        Left to the pods, each that starts would unpack for itself, side by side, what all of them share.
        """
        names = ", ".join(references)
        engine = self._engine()
        # bash: a failure of either end is a failure of the pipe.
        script = 'node=$1; docker=$2; shift 2; "$docker" save "$@" | "$docker" exec -i "$node" $IMPORT'
        run(
            [
                "/bin/bash",
                "-o",
                "pipefail",
                "-c",
                script,
                "load",
                self._node,
                *engine.command,
                *engine.several,
                *references,
            ],
            what=Text(en=f"loading {names} into the node", fr=f"chargement de {names} dans le nœud"),
            env={"IMPORT": "ctr -n k8s.io images import -"},
            timeout=600,
        )

    def remove_images(self, references: set[str]) -> None:
        """Take images out of the node."""
        if references:
            self._in_node("ctr", "-n", "k8s.io", "images", "rm", *sorted(references), what=Text.plain("ctr images rm"))

    def ask(self, *words: str) -> str:
        """Return what a program prints on the node."""
        return self._in_node(*words, what=Text.plain(words[0]))

    def pack(self, root: str, folders: Sequence[str], containers: Sequence[str], archive: Path) -> None:
        """Write folders of the node to an archive, while containers stand still."""
        words = packing.packing("ctr", root, folders, containers)
        what = Text(en="packing volumes", fr="archivage des volumes")
        self._piped('exec "$@" > "$ARCHIVE"', archive, "exec", self._node, *words, what=what)

    def unpack(self, root: str, folders: Collection[str], archive: Path) -> None:
        """Lay an archive's folders aside on the node."""
        words = packing.unpacking(root, folders)
        what = Text(en="unpacking volumes", fr="extraction des volumes")
        self._piped('exec "$@" < "$ARCHIVE"', archive, "exec", "-i", self._node, *words, what=what)

    def place(self, root: str, folders: Mapping[str, str]) -> None:
        """Put what was laid aside in its place."""
        what = Text(en="putting volumes in their place", fr="mise en place des volumes")
        self._in_node(*packing.placing(root, folders), what=what)

    def _piped(self, script: str, archive: Path, *words: str, what: Text) -> None:
        """Run the engine with a file as one of its ends."""
        command = ["/bin/sh", "-c", script, "piped", *self._engine().command, *words]
        run(command, what=what, env={"ARCHIVE": str(archive)}, timeout=600)

    @property
    def _unfinished(self) -> Path:
        """Return the file that is there while the cluster is being created."""
        return self._settings.folder / "unfinished"

    def _engine(self) -> engine.Engine:
        found = engine.running()
        if found is None:
            raise NotConverged(
                Text(en="no container engine answers", fr="aucun moteur de conteneurs ne répond"),
                Text(en="run `lab up`, which starts it", fr="lancez `lab up`, qui le démarre"),
            )
        return found

    def _container_state(self, found: engine.Engine) -> str | None:
        """Return the node container's state, None where there is no such container."""
        try:
            return found.call(
                "inspect", "--format", "{{.State.Status}}", self._node, what=Text.plain("inspect")
            ).strip()
        except CommandFailed:
            return None

    def _foreign(self) -> BadInput:
        return self._claim.foreign(self.name, f"{self._engine().command[0]} rm -f -v {self._node}")

    def _heal(self, found: engine.Engine, status: Status, say: Say) -> Status:
        """Bring a stopped or silent node back; a node whose creation never finished is removed."""
        if self._unfinished.exists():
            return self._give_up(found, say)
        if status is Status.STOPPED:
            say(Text(en="starting the stopped node", fr="redémarrage du nœud arrêté"))
            found.call("start", self._node, what=Text(en="starting the node", fr="démarrage du nœud"))
        else:
            self._restart_silent(found, say)
        if not self.kubeconfig.exists() and not self._fetch_kubeconfig(found, say):
            return self._give_up(found, say)
        return Status.RUNNING

    def _give_up(self, found: engine.Engine, say: Say) -> Status:
        say(Text(en="removing a cluster that was never finished", fr="suppression d'un cluster jamais achevé"))
        self._remove(found)
        return Status.ABSENT

    def _fetch_kubeconfig(self, found: engine.Engine, say: Say) -> bool:
        """Ask the node for the kubeconfig that was lost; say whether it had one."""
        say(Text(en="fetching the kubeconfig from the node", fr="récupération du kubeconfig depuis le nœud"))
        program = kind(self._settings, say)
        what = Text(en="asking for the kubeconfig", fr="demande du kubeconfig")
        words = ["get", "kubeconfig", "--name", self.name]
        try:
            content = run(
                [program, *words], what=what, env={"KIND_EXPERIMENTAL_PROVIDER": found.command[0]}, timeout=60
            )
        except CommandFailed:
            return False
        files.write(self.kubeconfig, content, private=True)
        return True

    def _restart_silent(self, found: engine.Engine, say: Say) -> None:
        """Restart a node whose API stays silent; systemd and kubelet do the rest."""
        if self._api_within(_SILENT_SECONDS):
            return
        say(Text(en="the API server is silent: restarting the node", fr="l'API ne répond pas : redémarrage du nœud"))
        found.call("restart", self._node, what=Text(en="restarting the node", fr="redémarrage du nœud"))

    def _remove(self, found: engine.Engine) -> None:
        found.call("rm", "-f", "-v", self._node, what=Text(en="removing the node", fr="suppression du nœud"))

    def _create(self, found: engine.Engine, say: Say) -> None:
        image = node.ensure(self._settings, found, say)
        program = kind(self._settings, say)
        folder = self._settings.folder
        shutil.rmtree(folder / "control", ignore_errors=True)
        (folder / "control").mkdir(parents=True, exist_ok=True)
        self._claim.take(self.backend)
        self._secrets(folder / "control")
        _patches(folder / "control/patches")
        config = folder / "kind.yaml"
        template = reading.document((self._settings.root / "kind-config.yaml").read_text())
        (folder / "control/kubelet.conf").write_text(_guard(template["networking"]))
        config.write_text(yaml.safe_dump(rendered(template, self._settings, image)))
        say(Text(en="creating the cluster", fr="création du cluster"))
        self._unfinished.touch()
        partial = folder / "kubeconfig.part"
        words = ["create", "cluster", "--name", self.name, "--config", str(config), "--kubeconfig", str(partial)]
        try:
            run(
                [program, *words],
                what=Text(en=f"creating cluster {self.name}", fr=f"création du cluster {self.name}"),
                env={"KIND_EXPERIMENTAL_PROVIDER": found.command[0]},
                timeout=300,
            )
        except BaseException:
            # Half a cluster is worse than none: the next run starts from a clean place.
            if self._container_state(found) is not None:
                self._remove(found)
            partial.unlink(missing_ok=True)
            self._unfinished.unlink(missing_ok=True)
            raise
        self._unfinished.unlink()
        partial.chmod(0o600)
        partial.rename(self.kubeconfig)

    def _secrets(self, folder: Path) -> None:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        providers = [{"secretbox": {"keys": [{"name": "cluster", "secret": key}]}}, {"identity": {}}]
        encryption = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": providers}],
        }
        for name, content in (("encryption.yaml", encryption), ("audit.yaml", AUDIT)):
            files.write(folder / name, yaml.safe_dump(content), private=True)

    def _processes(self) -> list[_Process]:
        """Return the node's processes that `settle` looks at; none where the node does not say."""
        names = ",".join((_SERVER, *_WATCHERS))
        try:
            listing = self._in_node("ps", "-C", names, "-o", "comm=,pid=,etimes=", what=Text.plain("ps"))
        except CommandFailed:
            return []
        return [_Process(name, int(number), int(age)) for name, number, age in map(str.split, listing.splitlines())]

    def _in_node(self, *words: str, what: Text) -> str:
        return self._engine().call("exec", self._node, *words, what=what)

    def _api_answers(self) -> bool:
        return answers(self._settings.port("api"))

    def _api_within(self, seconds: float) -> bool:
        return until(self._api_answers, seconds)

    def _wait_ready(self) -> None:
        if not self._api_within(_READY_SECONDS):
            log = self._engine().call("logs", "--tail", "15", self._node, what=Text.plain("logs"))
            raise NotConverged(
                Text(
                    en=f"the API server of {self.name} is silent after {_READY_SECONDS} s\n{log}",
                    fr=f"l'API de {self.name} ne répond pas après {_READY_SECONDS} s\n{log}",
                ),
                Text(
                    en="run `lab doctor`; if it finds nothing: `lab down`, then `lab up`",
                    fr="lancez `lab doctor` ; s'il ne trouve rien : `lab down`, puis `lab up`",
                ),
            )


_REFUSED = ("-p tcp -j REJECT --reject-with tcp-reset", "-j REJECT")
_CONTROL_PLANE = ("kube-apiserver", "kube-scheduler", "etcd")
_READINESS_SECONDS = 5


def _patches(folder: Path) -> None:
    """Write kubeadm's patches: programs of one replica need not say every second that they are ready."""
    folder.mkdir()
    for name in _CONTROL_PLANE:
        probe = {"name": name, "readinessProbe": {"periodSeconds": _READINESS_SECONDS}}
        (folder / f"{name}+strategic.yaml").write_text(yaml.safe_dump({"spec": {"containers": [probe]}}))


def _guard(networking: Mapping[str, Any]) -> str:
    """Return what refuses packets for addresses of the cluster that nobody there has, each time the kubelet starts.

    While a Service has no pod, and after a pod has ended, there is a moment in which a packet for its address finds no
    rule and no way inside: it would leave the node by the default route. Where somebody answers for every address
    outside (a proxy, a router of a company that uses the same ones), a client that comes back in that moment is
    connected to nobody for as long as it keeps the connection; elsewhere it waits until its time is over. Refused at
    once, it tries again.
    """
    services, pods = networking["serviceSubnet"], networking["podSubnet"]
    # The one node has every pod: none is out there.
    places = [f"-d {services}", f"-d {pods} -o eth0"]
    rules = [f"FORWARD {each} {how}" for each in places for how in _REFUSED]
    # A node whose rules cannot be changed is no worse than one without them.
    lines = [f'ExecStartPre=-/bin/sh -c "iptables -w -C {rule} || iptables -w -A {rule}"' for rule in rules]
    return "\n".join(["[Service]", *lines, ""])


def rendered(template: dict[str, Any], settings: Settings, image: node.NodeImage) -> dict[str, Any]:
    """Return kind's configuration for this machine: name, image, host ports and folders filled in."""
    config: dict[str, Any] = json.loads(json.dumps(template))
    config["name"] = settings.name
    config["networking"]["apiServerPort"] += settings.port_offset
    config["networking"]["disableDefaultCNI"] = image.built
    (machine,) = config["nodes"]
    machine["image"] = image.reference
    for mapping in machine["extraPortMappings"]:
        mapping["hostPort"] += settings.port_offset
    for mount in machine["extraMounts"]:
        mount["hostPath"] = mount["hostPath"].replace("/tarmac", str(settings.folder), 1)
    return config
