"""What every cluster can do, whatever it is made of."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Protocol

from lab.progress import Say


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

    def down(self, say: Say) -> None:
        """Remove it and every file of it."""

    def images(self) -> set[str]:
        """Return the names of the images that its node holds."""

    def load_image(self, reference: str) -> None:
        """Bring an image from the engine to its node."""

    def remove_images(self, references: set[str]) -> None:
        """Take images out of its node."""
