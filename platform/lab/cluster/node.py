"""The kind node image: pulled where its registry answers, else built from package registries alone.

Everything that enters the image is fetched and compiled on the host; the Dockerfiles under `platform/node` only copy,
so that they need neither a network nor the host's certificates.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.cluster.engine import Engine
from lab.process import CommandFailed, run
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from lab.tools import KIND, KUBERNETES, KUBERNETES_FLAGS, debian, golang

UPSTREAM = f"kindest/node:{KUBERNETES}"
PAUSE = "registry.k8s.io/pause:3.10"
"""The sandbox image that kind's containerd configuration names."""
PROGRAMS = "tarmac.local/node-programs:1"
"""Every program of the control plane; storage.yaml names it too."""

_CONTROL_PACKAGES = ["conntrack", "iptables", "ipset", "kmod", "ca-certificates"]
_CONTROL_WITHOUT = ["usr/bin/perl*", "usr/share/perl*", "usr/lib/*/perl*", "usr/lib/*/gconv"]
"""Time zones stay: the API server looks a CronJob's up."""
_NODE_PACKAGES = [
    "systemd", "systemd-sysv", "dbus", "containerd", "runc", "containernetworking-plugins", "conntrack", "iptables",
    "nftables", "iproute2", "ethtool", "jq", "procps", "e2fsprogs", "kmod", "socat", "util-linux", "mount", "bash",
    "ca-certificates", "curl", "pigz",
]  # fmt: skip
_PULL_SECONDS = 15
_NODE_FILES = ("node", "node.tar", "kind-files", "cri-base.json", "storage.yaml", "ptp.conflist", "finish.sh")
_CONTROL_FILES = ("node", "control.tar")
_SMALL_FILES = ("pause",)


@dataclass(frozen=True)
class NodeImage:
    """The node image and where it came from.

    Attributes:
        reference: its name in the engine.
        built: True when it was built here: it then brings no network plugin of its own that kind would install.

    """

    reference: str
    built: bool


def ensure(settings: Settings, engine: Engine, say: Say) -> NodeImage:
    """Return the node image, present in the engine: built earlier, pulled, or built now."""
    own = f"tarmac.local/node:{_digest(settings, engine)}"
    archive = settings.cache / "node" / f"{own.rsplit(':', 1)[1]}.tar"
    if engine.has_image(own):
        return NodeImage(own, built=True)
    if engine.has_image(UPSTREAM):
        return NodeImage(UPSTREAM, built=False)
    if archive.exists():
        say(Text(en="loading the node image from the cache", fr="chargement de l'image du nœud depuis le cache"))
        engine.load(archive)
        return NodeImage(own, built=True)
    if engine.pull(UPSTREAM, _PULL_SECONDS):
        return NodeImage(UPSTREAM, built=False)
    say(
        Text(
            en="building the node image from package registries (about 9 minutes on 2 cores, once)",
            fr="construction de l'image du nœud depuis les dépôts de paquets (environ 9 minutes, une seule fois)",
        )
    )
    _Build(settings, engine, say).image(own)
    # The copy in the cache is for the next engine; this one starts the node meanwhile.
    threading.Thread(target=_kept, args=(engine, archive, own), name="keep-node-image").start()
    return NodeImage(own, built=True)


def absent(settings: Settings, engine: Engine) -> bool:
    """Say whether the node image would have to be pulled or built."""
    digest = _digest(settings, engine)
    there = engine.has_image(f"tarmac.local/node:{digest}") or engine.has_image(UPSTREAM)
    return not there and not (settings.cache / "node" / f"{digest}.tar").exists()


def _kept(engine: Engine, archive: Path, reference: str) -> None:
    """Keep an image in the cache; where that fails, it will have to be built again one day, and nothing else."""
    with suppress(CommandFailed):
        engine.save(archive, reference)


def _digest(settings: Settings, engine: Engine) -> str:
    """Return the hash of all that decides the image's content."""
    source = settings.root / "platform" / "node"
    content = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(source.iterdir()):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    content.update(f"{engine.lacks_resource}".encode())
    return content.hexdigest()[:12]


class _Build:
    """One build of the node image, in a scratch folder that goes away with it."""

    def __init__(self, settings: Settings, engine: Engine, say: Say) -> None:
        self.settings = settings
        self.engine = engine
        self.say = say
        self.source = settings.root / "platform" / "node"

    def image(self, reference: str) -> None:
        """Build the image and name it `reference`."""
        folder = self.settings.cache / "node"
        folder.mkdir(parents=True, exist_ok=True)
        debian.need("mmdebstrap", "mmdebstrap", self.say)
        debian.need("gcc", "gcc", self.say)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            stage = Path(scratch)
            shutil.copytree(self.source, stage, dirs_exist_ok=True)
            # Packages come over the network while the compiler uses the cores.
            with ThreadPoolExecutor() as pool:
                parts = [
                    pool.submit(self._binaries, stage),
                    pool.submit(debian.rootfs, stage / "control.tar", _CONTROL_PACKAGES, self.say, _CONTROL_WITHOUT),
                    pool.submit(debian.rootfs, stage / "node.tar", _NODE_PACKAGES, self.say),
                ]
                for part in parts:
                    part.result()
            self._files(stage)
            base = f"{reference}-base"
            resource = "yes" if self.engine.lacks_resource else "no"
            arguments = {"version": KUBERNETES, "restrict_oom": resource}
            self._built(stage, "Dockerfile.node", base, _NODE_FILES, arguments)
            self._preload(stage, base, reference)
            self.engine.remove_image(base)

    def _binaries(self, stage: Path) -> None:
        shutil.copy(self._kubernetes(), stage / "node")
        run(
            ["gcc", "-Os", "-static", "-s", "-o", stage / "pause", stage / "pause.c"],
            what=Text(en="compiling pause", fr="compilation de pause"),
        )

    def _kubernetes(self) -> Path:
        """Return the binary, compiled once for each state of the Go module."""
        content = hashlib.sha256(KUBERNETES_FLAGS.encode())
        for path in sorted((*self.source.glob("*.go"), *self.source.glob("go.*"))):
            content.update(path.read_bytes())
        target = self.settings.cache / "node" / content.hexdigest()[:12] / "bin" / "kube-node"
        if not target.exists():
            say = Text(en=f"compiling Kubernetes {KUBERNETES}", fr=f"compilation de Kubernetes {KUBERNETES}")
            self.say(say)
            golang.build(self.settings, self.say, self.source, ".", target, "-mod=readonly", KUBERNETES_FLAGS)
        for name in ("kubectl", "kubeadm"):
            link = target.with_name(name)
            if not link.exists():
                link.symlink_to(target.name)
        return target

    def _files(self, stage: Path) -> None:
        """Lay out what is not a program: kind's files and container defaults."""
        kind = golang.module(self.settings, self.say, "sigs.k8s.io/kind", KIND)
        shutil.copytree(kind / "images/base/files", stage / "kind-files", copy_function=shutil.copyfile)
        for folder in (path for path in (stage / "kind-files").rglob("*") if path.is_dir()):
            folder.chmod(0o755)
        run(["tar", "-C", stage, "-xf", stage / "node.tar", "./usr/bin/ctr"], what=Text.plain("ctr"))
        spec = json.loads(run([stage / "usr/bin/ctr", "oci", "spec"], what=Text.plain("ctr oci spec")))
        (stage / "cri-base.json").write_text(json.dumps(container_defaults(spec)))

    def _preload(self, stage: Path, base: str, reference: str) -> None:
        """Import the control plane's images into the node's containerd, unpacked, and commit the result.

        Left to the node, its four programs would each unpack the image that they share when they start. Containerd
        works in memory here: it cannot unpack onto a container's own file system.
        """
        archive = stage / "images.tar"
        names = self._images(stage)
        run(
            [*self.engine.command, "save", "-o", archive, *names],
            what=Text(en="saving images", fr="archive d'images"),
        )
        container = run(
            [*self.engine.command, "run", "-d", "--privileged", "--entrypoint", "sleep", "-v", f"{stage}:/stage",
             "--tmpfs", "/unpacked:exec", base, "900"],
            what=Text(en="starting the node image", fr="démarrage de l'image du nœud"),
        ).strip()  # fmt: skip
        script = (
            "containerd --root /unpacked >/dev/null 2>&1 & pid=$!;"
            " until ctr version >/dev/null 2>&1; do sleep 0.2; done;"
            " ctr -n k8s.io images import /stage/images.tar && kill $pid && { wait $pid || true; }"
            " && mkdir -p /var/lib/containerd && cp -a /unpacked/. /var/lib/containerd/"
        )
        try:
            what = Text(en="loading the control plane's images", fr="chargement des images du plan de contrôle")
            run(
                [*self.engine.command, "exec", "--privileged", container, "sh", "-c", script],
                what=what,
                timeout=300,
            )
            entry = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]'
            run(
                [
                    *self.engine.command,
                    "commit",
                    "--change",
                    entry,
                    "--change",
                    "CMD []",
                    container,
                    reference,
                ],
                what=what,
            )
        finally:
            run([*self.engine.command, "rm", "-f", "-v", container], what=Text.plain("docker rm"))

    def _images(self, stage: Path) -> list[str]:
        kubeadm = self._kubernetes().with_name("kubeadm")
        listing = run(
            [kubeadm, "config", "images", "list", "--kubernetes-version", KUBERNETES],
            what=Text.plain("kubeadm config images list"),
        ).split()
        self._built(stage, "Dockerfile.control", PROGRAMS, _CONTROL_FILES)
        for name in (*listing, PAUSE):
            if "coredns" in name:
                self._image(stage, name, f'FROM {PROGRAMS}\nENTRYPOINT ["/usr/local/bin/coredns"]\n')
            elif "pause" in name:
                self._image(stage, name, 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n')
            else:
                self.engine.tag(PROGRAMS, name)
        return sorted({*listing, PAUSE, PROGRAMS})

    def _image(self, stage: Path, reference: str, recipe: str) -> None:
        """Build a small image; an exec form cannot expand arguments, hence the file made here."""
        (stage / "Dockerfile.small").write_text(recipe)
        self._built(stage, "Dockerfile.small", reference, _SMALL_FILES)

    def _built(
        self,
        stage: Path,
        dockerfile: str,
        reference: str,
        files: tuple[str, ...],
        arguments: dict[str, str] | None = None,
    ) -> None:
        """Build an image of some of the stage's files: the engine is sent those alone, not hundreds of megabytes."""
        (stage / ".dockerignore").write_text("".join(("*\n", *(f"!{each}\n" for each in files))))
        self.engine.build(stage, stage / dockerfile, reference, arguments or {})


def container_defaults(spec: dict[str, Any]) -> dict[str, Any]:
    """Return containerd's default container specification as kind wants it, without limits that a host may refuse."""
    process = {key: value for key, value in spec["process"].items() if key not in ("rlimits", "oomScoreAdj")}
    hooks = dict(spec.get("hooks") or {})
    mount = {"path": "/kind/bin/mount-product-files.sh"}
    return {
        **spec,
        "process": process,
        "hooks": {**hooks, "createContainer": [*hooks.get("createContainer", []), mount]},
    }
