"""k3s: used where its program is there and asked for; one server on this machine, all of it in the cluster's folder."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import yaml

from lab import files
from lab.cluster import containerd, engine, packing
from lab.cluster.base import AUDIT, Claim, Status, answers
from lab.cluster.daemon import Daemon, until
from lab.cluster.forward import Forwarder
from lab.cluster.sweep import sweep, unmount
from lab.errors import BadInput, MissingRequirement, NotConverged
from lab.process import CommandFailed, found, run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text

_READY_SECONDS = 180
_RUN = Path("/run/k3s")
"""Where k3s keeps its sockets, whatever its data folder: hence one server for a machine."""


class K3s:
    """A cluster of one node, this machine, run by the k3s program that is there."""

    backend = "k3s"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.name = settings.name
        self.kubeconfig = settings.kubeconfig
        self._claim = Claim(settings)
        self._server = Daemon("k3s", settings.folder)
        self._forwarder = Forwarder(settings)

    def status(self) -> Status:
        """Say how the cluster stands; starts nothing."""
        if not self._claim.taken():
            return Status.ABSENT
        if not self._claim.ours():
            return Status.FOREIGN
        if self._server.pid() is None:
            return Status.STOPPED
        whole = self.kubeconfig.exists() and self._forwarder.alive() and answers(self._settings.port("api"))
        return Status.RUNNING if whole else Status.BROKEN

    def up(self, say: Say) -> None:
        """Start the server, or bring it back; returns when its API answers and it takes images.

        Raises:
            BadInput: the cluster is another checkout's, or another k3s holds this machine.
            MissingRequirement: there is no k3s program, or we are not root.
            NotConverged: the server does not become ready.

        """
        program = _program()
        status = self.status()
        if status is Status.FOREIGN:
            raise self._claim.foreign(self.name)
        if status is Status.BROKEN and not until(lambda: answers(self._settings.port("api")), 20):
            say(Text(en="the API server is silent: restarting k3s", fr="l'API ne répond pas : redémarrage de k3s"))
            self._server.end()
        if self._server.pid() is None:
            self._start(program, say)
        self._wait_ready(program)
        if not self._forwarder.alive():
            self._forwarder.start()

    def settle(self, say: Say) -> None:
        """Do nothing: k3s is one process: its parts go and come back with its API server."""

    def down(self, say: Say) -> None:
        """End the server and its pods, and remove every file of it.

        Raises:
            BadInput: the cluster is another checkout's.
            MissingRequirement: we are not root.

        """
        if self._claim.taken():
            if not self._claim.ours():
                raise self._claim.foreign(self.name)
            _root()
            say(Text(en="stopping k3s and its pods", fr="arrêt de k3s et de ses pods"))
            self._forwarder.end()
            self._server.end()
            self._sweep()
        shutil.rmtree(self._settings.folder, ignore_errors=True)

    def images(self) -> dict[str, int]:
        """Return the images that the node holds: name -> bytes."""
        return containerd.sizes(self._ctr(_program(), *containerd.LISTING, what=Text.plain("k3s ctr images list")))

    def load_images(self, references: Sequence[str]) -> None:
        """Copy images from the engine into the node, what they share once."""
        names = ", ".join(references)
        what = Text(en=f"loading {names} into the node", fr=f"chargement de {names} dans le nœud")
        source = engine.running()
        if source is None:
            raise MissingRequirement(
                Text(
                    en=f"no container engine answers, so {names} cannot be brought to k3s",
                    fr=f"aucun moteur de conteneurs ne répond : {names} ne peut pas aller dans k3s",
                ),
                Text(
                    en="install docker.io or podman: images are made with it",
                    fr="installez docker.io ou podman : il sert à faire les images",
                ),
            )
        archive = self._settings.folder / "image.tar"
        try:
            source.save(archive, *references)
            self._ctr(_program(), "images", "import", str(archive), what=what)
        finally:
            archive.unlink(missing_ok=True)

    def remove_images(self, references: set[str]) -> None:
        """Take images out of the node."""
        if references:
            self._ctr(_program(), "images", "rm", *sorted(references), what=Text.plain("k3s ctr images rm"))

    def ask(self, *words: str) -> str:
        """Return what a program prints on this machine."""
        return run(words, what=Text.plain(words[0]), timeout=300)

    def pack(self, root: str, folders: Sequence[str], containers: Sequence[str], archive: Path) -> None:
        """Write folders of this machine to an archive, while containers stand still."""
        words = packing.packing(f"{_program()} ctr", root, folders, containers)
        what = Text(en="packing volumes", fr="archivage des volumes")
        self._piped('exec "$@" > "$ARCHIVE"', archive, *words, what=what)

    def unpack(self, root: str, folders: Collection[str], archive: Path) -> None:
        """Lay an archive's folders aside on this machine."""
        _root()
        what = Text(en="unpacking volumes", fr="extraction des volumes")
        self._piped('exec "$@" < "$ARCHIVE"', archive, *packing.unpacking(root, folders), what=what)

    def place(self, root: str, folders: Mapping[str, str]) -> None:
        """Put what was laid aside in its place."""
        _root()
        what = Text(en="putting volumes in their place", fr="mise en place des volumes")
        run(packing.placing(root, folders), what=what, timeout=120)

    def _piped(self, script: str, archive: Path, *words: str, what: Text) -> None:
        """Run words with a file as one of their ends."""
        env = {**self._environment, "ARCHIVE": str(archive)}
        run(["/bin/sh", "-c", script, "piped", *words], what=what, env=env, timeout=600)

    @property
    def _environment(self) -> dict[str, str]:
        """Return what makes server and `k3s ctr` read our settings, and never the machine's own k3s'."""
        return {"K3S_CONFIG_FILE": str(self._settings.folder / "k3s.yaml")}

    def _start(self, program: Path, say: Say) -> None:
        if _answers(_RUN / "containerd" / "containerd.sock"):
            raise _occupied()
        self._claim.take(self.backend)
        files.write(self._settings.folder / "audit.yaml", yaml.safe_dump(AUDIT), private=True)
        files.write(self._settings.folder / "k3s.yaml", yaml.safe_dump(configuration(self._settings)), private=True)
        say(Text(en="starting k3s", fr="démarrage de k3s"))
        self._server.start([program, "server"], env=self._environment)

    def _sweep(self) -> None:
        """Take away what outlives the server; where another one runs by now, only what is surely ours."""
        if _answers(_RUN / "containerd" / "containerd.sock"):
            unmount(self._settings.folder)
        else:
            sweep(self._settings.folder, _RUN)

    def _wait_ready(self, program: Path) -> None:
        until(lambda: self._server.pid() is None or self._ready(program), _READY_SECONDS)
        if self._server.pid() is None or not self._ready(program):
            en = f"not ready after {_READY_SECONDS} s" if self._server.pid() else "ended"
            fr = f"pas prêt après {_READY_SECONDS} s" if self._server.pid() else "terminé"
            raise NotConverged(
                Text(
                    en=f"k3s server of {self.name}: {en}\n{self._server.tail()}",
                    fr=f"serveur k3s de {self.name} : {fr}\n{self._server.tail()}",
                ),
                Text(
                    en=f"read {self._server.log}; run `lab doctor`; `lab down`, then `lab up` begins anew",
                    fr=f"lisez {self._server.log} ; lancez `lab doctor` ; `lab down`, puis `lab up` recommence",
                ),
            )

    def _ready(self, program: Path) -> bool:
        """Say whether API and containerd answer: the second comes a moment after the first."""
        if not (self.kubeconfig.exists() and answers(self._settings.port("api"))):
            return False
        try:
            self._ctr(program, "images", "list", "-q", what=Text.plain("k3s ctr images list"))
        except CommandFailed:
            return False
        return True

    def _ctr(self, program: Path, *words: str, what: Text) -> str:
        return run([program, "ctr", "-n", "k8s.io", *words], what=what, env=self._environment, timeout=300)


def configuration(settings: Settings) -> dict[str, object]:
    """Return k3s' settings: all files in our folder, NodePorts on this machine only, Secrets encrypted, audit on.

    The API listens on every address: `bind-address: 127.0.0.1` would cut pods off from it (they reach it at the
    node's address). It takes certificates only.
    """
    folder = settings.folder
    return {
        "data-dir": str(folder / "k3s"),
        "write-kubeconfig": str(settings.kubeconfig),
        "write-kubeconfig-mode": "600",
        "https-listen-port": settings.port("api"),
        "node-name": settings.name,
        "disable": ["traefik", "servicelb", "metrics-server"],
        "secrets-encryption": True,
        "service-node-port-range": "30000-32767",
        "kubelet-arg": [f"root-dir={folder / 'kubelet'}"],
        "kube-proxy-arg": ["nodeport-addresses=127.0.0.0/8"],
        "kube-apiserver-arg": [
            f"audit-policy-file={folder / 'audit.yaml'}",
            f"audit-log-path={folder / 'audit.log'}",
            "audit-log-maxsize=20",
            "audit-log-maxbackup=2",
        ],
    }


def _program() -> Path:
    """Return the k3s program, which only root can run."""
    program = found("k3s")
    if program is None:
        raise MissingRequirement(
            Text(en="LAB_CLUSTER=k3s: there is no k3s on PATH", fr="LAB_CLUSTER=k3s : pas de k3s dans le PATH"),
            Text(
                en="put the k3s program on PATH, or unset LAB_CLUSTER: kind is the default",
                fr="placez le programme k3s dans le PATH, ou retirez LAB_CLUSTER : kind est utilisé par défaut",
            ),
        )
    _root()
    return program


def _root() -> None:
    if os.geteuid() != 0:
        raise MissingRequirement(
            Text(en="LAB_CLUSTER=k3s: only root can run k3s", fr="LAB_CLUSTER=k3s : seul root peut lancer k3s"),
            Text(
                en="run as root, or unset LAB_CLUSTER: kind only needs Docker",
                fr="lancez en root, ou retirez LAB_CLUSTER : kind n'a besoin que de Docker",
            ),
        )


def _occupied() -> BadInput:
    return BadInput(
        Text(
            en="LAB_CLUSTER=k3s: another k3s server already runs on this machine, which carries one only",
            fr="LAB_CLUSTER=k3s : un autre serveur k3s tourne déjà sur cette machine, qui n'en porte qu'un",
        ),
        Text(
            en="stop it (systemctl stop k3s), or use it: KUBECONFIG=/etc/rancher/k3s/k3s.yaml"
            " LAB_CLUSTER=context:default",
            fr="arrêtez-le (systemctl stop k3s), ou utilisez-le : KUBECONFIG=/etc/rancher/k3s/k3s.yaml"
            " LAB_CLUSTER=context:default",
        ),
    )


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
