"""What every cluster can do, whatever it is made of."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Protocol

from lab.errors import BadInput
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text

AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # What is only read, or only beats, would drown what matters.
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {
            "level": "None",
            "resources": [{"group": "coordination.k8s.io"}, {"group": "", "resources": ["events"]}],
        },
        {"level": "Metadata"},
    ],
}
"""The API server's audit policy: who changed what, never the content."""


class Status(Enum):
    """How a cluster stands."""

    ABSENT = "absent"
    STOPPED = "stopped"
    BROKEN = "broken"
    RUNNING = "running"
    FOREIGN = "foreign"


class Cluster(Protocol):
    """A Kubernetes cluster that the tool may use.

    Attributes:
        name: its name.
        backend: `kind`, `k3s` or `context`.
        kubeconfig: the file that leads to it, readable by its owner only.

    """

    backend: str
    name: str
    kubeconfig: Path

    def status(self) -> Status:
        """Say how the cluster stands; changes nothing."""

    def up(self, say: Say) -> None:
        """Make it, or bring it back, until its API answers."""

    def settle(self, say: Say) -> None:
        """Let no part of it go on with what it saw before its API server came back; `up` ends with this."""

    def down(self, say: Say) -> None:
        """Remove it and every file of it."""

    def images(self) -> dict[str, int]:
        """Return the images that its node holds: name -> bytes, as the node counts them."""

    def load_images(self, references: Sequence[str]) -> None:
        """Bring images from the engine to its node."""

    def remove_images(self, references: set[str]) -> None:
        """Take images out of its node."""

    def ask(self, *words: str) -> str:
        """Return what a program prints on its node, which it only looks at."""

    def pack(self, root: str, folders: Sequence[str], containers: Sequence[str], archive: Path) -> None:
        """Write folders of a root on its node to an archive, while containers (by containerd's ids) stand still."""

    def unpack(self, root: str, folders: Collection[str], archive: Path) -> None:
        """Lay an archive's folders aside on its node, for `place`; changes none that are there."""

    def place(self, root: str, folders: Mapping[str, str]) -> None:
        """Put what was laid aside in its place, name in the archive -> name below the root; the rest goes."""


class Claim:
    """Whom a cluster's folder belongs to: the checkout that made the cluster, and its backend.

    Args:
        settings: whose folder.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._checkout = settings.folder / "checkout"
        self._backend = settings.folder / "backend"

    def take(self, backend: str) -> None:
        """Make the folder this checkout's."""
        self._settings.folder.mkdir(parents=True, exist_ok=True)
        self._checkout.write_text(str(self._settings.root))
        self._backend.write_text(backend)

    def taken(self) -> bool:
        """Say whether the folder belongs to any checkout."""
        return self._checkout.exists()

    def ours(self) -> bool:
        """Say whether it belongs to this one."""
        return self.owner() == str(self._settings.root)

    def owner(self) -> str | None:
        """Return the checkout that it belongs to, None where nobody knows."""
        return self._checkout.read_text() if self._checkout.exists() else None

    def foreign(self, name: str, remove: str | None = None) -> BadInput:
        """Return the error for a cluster that is another checkout's.

        Args:
            name: the cluster's.
            remove: the command that removes it; without one, the owner's own `lab down` does.

        """
        owner = self.owner()
        command = remove or f"cd {owner} && make down"
        return BadInput(
            Text(
                en=f"cluster {name} belongs to another checkout ({owner or 'unknown'})",
                fr=f"le cluster {name} appartient à une autre copie du projet ({owner or 'inconnue'})",
            ),
            Text(
                en=f"choose another name (LAB_NAME=...), or remove it if nobody needs it: {command}",
                fr=f"choisissez un autre nom (LAB_NAME=...), ou supprimez-le s'il ne sert à personne : {command}",
            ),
        )

    def backend(self) -> str | None:
        """Return the backend that it belongs to, None where there is none yet."""
        return self._backend.read_text() if self._backend.exists() else None


def answers(port: int) -> bool:
    """Ask the API server on this machine's port whether it is ready; who it is does not matter here."""
    context = ssl._create_unverified_context()  # noqa: S323, SLF001  the question is only whether something answers
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=3, context=context)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
