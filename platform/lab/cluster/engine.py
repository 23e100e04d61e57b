"""The container engine: the machine's own when it answers, else the distribution's, installed and started here."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.cluster.daemon import Daemon, born, until
from lab.errors import MissingRequirement
from lab.process import CommandFailed, found, run
from lab.progress import Say
from lab.text import Text
from lab.tools import debian

_CAP_SYS_RESOURCE = 24
_START_SECONDS = 60
_STARTING = threading.Lock()
"""Phases that run side by side may both need the engine; one of them starts it."""
_FOLDER = Path("/run/tarmac")
"""The engine's files. Each container starts through the runtime in there, so it has to outlive every state folder."""
_PID_FILES = (Path("/var/run/docker.pid"), Path("/var/run/docker/containerd/containerd.pid"))
_SOCKET = Path("/var/run/docker.sock")


@dataclass(frozen=True)
class Engine:
    """A container engine that answers.

    Attributes:
        command: how it is called, `("docker",)` or `("podman",)`.
        lacks_resource: True where the host cannot grant CAP_SYS_RESOURCE.

    """

    command: tuple[str, ...]
    lacks_resource: bool

    def call(self, *words: str | Path, what: Text, timeout: float | None = 600) -> str:
        """Run one engine command and return what it printed."""
        return run([*self.command, *words], what=what, timeout=timeout, env={"DOCKER_BUILDKIT": "0"})

    def has_image(self, reference: str) -> bool:
        """Say whether the engine holds the image."""
        return self.image_id(reference) is not None

    def image_id(self, reference: str) -> str | None:
        """Return an image's id, None where the engine does not hold it."""
        try:
            return self.call("image", "inspect", "--format", "{{.Id}}", reference, what=Text.plain(reference)).strip()
        except CommandFailed:
            return None

    def images(self) -> set[str]:
        """Return the names of all images that the engine holds; none where it does not tell."""
        form = "{{.Repository}}:{{.Tag}}"
        try:
            return set(self.call("images", "--format", form, what=Text.plain("images")).split())
        except CommandFailed:
            return set()

    def root(self) -> Path | None:
        """Return the folder in which the engine keeps images and containers; None where it is not told."""
        form = "{{.DockerRootDir}}" if self.command[0] == "docker" else "{{.Store.GraphRoot}}"
        try:
            return Path(self.call("info", "--format", form, what=Text.plain("info"), timeout=20).strip())
        except CommandFailed:
            return None

    def pull(self, reference: str, seconds: float) -> bool:
        """Try to pull an image; say whether it came within the time."""
        try:
            self.call("pull", "--quiet", reference, what=Text.plain(f"pull {reference}"), timeout=seconds)
        except CommandFailed:
            return False
        return True

    def build(self, context: Path, dockerfile: Path, reference: str, arguments: dict[str, str]) -> None:
        """Build an image; the network stays closed, since all that enters it was fetched before.

        Raises:
            CommandFailed: with the last lines of the build.

        """
        words = [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
        self.call(
            "build", "--network", "none", "--quiet", "--force-rm", "-f", dockerfile, "-t", reference, *words, context,
            what=Text(en=f"building image {reference}", fr=f"construction de l'image {reference}"),
            timeout=1800,
        )  # fmt: skip

    def tag(self, reference: str, name: str) -> None:
        """Give an image another name."""
        self.call("tag", reference, name, what=Text.plain(f"tag {name}"))

    @property
    def several(self) -> tuple[str, ...]:
        """Return the option of `save` that lets one archive hold several images."""
        return ("--multi-image-archive",) if self.command[0] == "podman" else ()

    def save(self, archive: Path, *references: str) -> None:
        """Write images to an archive, what they share once; the file appears only when complete."""
        archive.parent.mkdir(parents=True, exist_ok=True)
        partial = archive.with_suffix(".part")
        names = ", ".join(references)
        what = Text(en=f"saving {names}", fr=f"archive de {names}")
        self.call("save", *self.several, "-o", partial, *references, what=what)
        partial.rename(archive)

    def load(self, archive: Path) -> None:
        """Load an image from an archive."""
        self.call(
            "load",
            "--quiet",
            "-i",
            archive,
            what=Text(en=f"loading {archive.name}", fr=f"chargement de {archive.name}"),
        )

    def remove_image(self, reference: str) -> None:
        """Take a name away, and the image with its last name."""
        self.call("rmi", reference, what=Text.plain(f"rmi {reference}"))


def running() -> Engine | None:
    """Return the engine that answers now, or None; starts nothing.

    Raises:
        MissingRequirement: an engine runs but refuses us.

    """
    for program in ("docker", "podman"):
        if not found(program):
            continue
        try:
            # The cheapest question that the daemon itself has to answer; `info` takes ten times as long.
            run([program, "ps", "--quiet", "--last", "1"], what=Text.plain(f"{program} ps"), timeout=20)
        except CommandFailed as error:
            if "permission denied" in error.output.lower():
                raise _no_rights(program) from error
            continue
        return Engine((program,), lacks_resource())
    return None


def ensure(say: Say) -> Engine:
    """Return an engine that answers, installing and starting the distribution's where there is none.

    Raises:
        MissingRequirement: there is none and we may not install one.

    """
    with _STARTING:
        return running() or _brought(say)


def obtainable() -> None:
    """See that an engine can be installed and started here.

    Raises:
        MissingRequirement: only root can, and only where the daemon is there or apt is.

    """
    if os.geteuid() != 0 or not (_dockerd() or found("apt-get")):
        raise MissingRequirement(
            Text(
                en="no container engine answers (docker, podman)",
                fr="aucun moteur de conteneurs ne répond (docker, podman)",
            ),
            Text(
                en="start Docker, or install it: apt install docker.io",
                fr="démarrez Docker, ou installez-le : apt install docker.io",
            ),
        )


def _brought(say: Say) -> Engine:
    obtainable()
    debian.need("dockerd", "docker.io", say)
    if not found("docker"):
        debian.install(["docker-cli"], say)
    debian.need("iptables", "iptables", say)
    _start(say)
    started = running()
    if started is None:
        raise _silent()
    return started


def lacks_resource() -> bool:
    """Say whether CAP_SYS_RESOURCE is missing from the bounding set."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return not int(line.split()[1], 16) >> _CAP_SYS_RESOURCE & 1
    return False


def forget_dead(files: Iterable[Path]) -> None:
    """Remove the files of a daemon that is gone.

    A power cut leaves old process numbers behind; dockerd would take any process of that number for itself.
    """
    for file in files:
        try:
            number = int(file.read_text())
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            number = 0
        if not _is_dockerd(number):
            file.unlink(missing_ok=True)


def _daemon() -> Daemon:
    """Return the daemon that the tool starts: one engine for all clusters of this machine."""
    return Daemon("dockerd", _FOLDER)


def _start(say: Say) -> None:
    daemon = _daemon()
    folder = daemon.folder
    folder.mkdir(parents=True, exist_ok=True)
    wrapped = lacks_resource()
    note = " (without CAP_SYS_RESOURCE, through a runtime of ours)" if wrapped else ""
    note_fr = " (sans CAP_SYS_RESOURCE, par un runtime à nous)" if wrapped else ""
    say(Text(en=f"starting Docker{note}", fr=f"démarrage de Docker{note_fr}"))
    if Path("/run/systemd/system").exists() and not wrapped:
        run(["systemctl", "start", "docker"], what=Text(en="starting Docker", fr="démarrage de Docker"))
        return
    runtime = folder / "runtime"
    shutil.copyfile(Path(__file__).with_name("runtime.py"), runtime)
    runtime.chmod(0o755)
    config: dict[str, object] = {"log-level": "warn"}
    if wrapped:
        config |= {"runtimes": {"tarmac": {"path": str(runtime)}}, "default-runtime": "tarmac"}
    (folder / "daemon.json").write_text(json.dumps(config))
    forget_dead(_PID_FILES)
    daemon.start([_dockerd() or "dockerd", "--config-file", folder / "daemon.json"])
    until(lambda: daemon.pid() is None or (_SOCKET.exists() and running() is not None), _START_SECONDS)


def _dockerd() -> Path | None:
    return found("dockerd") or found("/usr/sbin/dockerd")


def _is_dockerd(pid: int) -> bool:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return False
    return name in ("dockerd", "containerd") and born(pid) is not None


def _no_rights(program: str) -> MissingRequirement:
    user = os.environ.get("USER", str(os.geteuid()))
    return MissingRequirement(
        Text(
            en=f"{program} runs, but user {user} may not use it",
            fr=f"{program} tourne, mais {user} n'y a pas droit",
        ),
        Text(
            en=f"add the user to the group docker (usermod -aG docker {user}) and log in again",
            fr=f"ajoutez l'utilisateur au groupe docker (usermod -aG docker {user}) et reconnectez-vous",
        ),
    )


def _silent() -> MissingRequirement:
    daemon = _daemon()
    alive = daemon.pid() is not None
    en = f"dockerd does not answer after {_START_SECONDS} s" if alive else "dockerd does not run"
    fr = f"dockerd ne répond pas après {_START_SECONDS} s" if alive else "dockerd ne tourne pas"
    return MissingRequirement(
        Text(en=f"{en}\n{daemon.tail()}".rstrip(), fr=f"{fr}\n{daemon.tail()}".rstrip()),
        Text(
            en=f"read {daemon.log}; `lab doctor` checks the kernel",
            fr=f"lisez {daemon.log} ; `lab doctor` vérifie le noyau",
        ),
    )
