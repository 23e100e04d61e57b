"""The Kubernetes clusters that the labs may run on, behind one small interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.cluster.base import Claim, Cluster, Status
from lab.cluster.context import Context
from lab.cluster.k3s import K3s
from lab.cluster.kind import Kind
from lab.errors import BadInput
from lab.process import found
from lab.settings import Settings
from lab.text import Text

if TYPE_CHECKING:
    # It brings pydantic, for which each `lab kubectl` would wait.
    from lab.spec import Component

__all__ = ["Cluster", "Status", "choose"]


def choose(settings: Settings, components: Sequence[Component] = ()) -> Cluster:
    """Return the cluster that `LAB_CLUSTER` asks for; nothing is started.

    A name keeps the backend that it was made with, so that no command ever meets another cluster's files.

    Args:
        settings: say which.
        components: what is to be brought up there, where anything is.

    Raises:
        BadInput: the cluster of this name was made with another backend.

    """
    claim = Claim(settings)
    made = claim.backend() or ("kind" if claim.taken() else None)
    asked = (made or _best()) if settings.cluster == "auto" else settings.cluster
    if (made and asked != made) or (asked.startswith("context:") and settings.cluster == "auto"):
        raise _other(settings, made or asked)
    if asked == "k3s":
        return K3s(settings)
    return Context(settings, components) if asked.startswith("context:") else Kind(settings)


def _best() -> str:
    """Return kind, or k3s where no engine is there, none can be installed, and k3s is."""
    engine = found("docker") or found("podman") or found("dockerd") or found("apt-get")
    return "k3s" if not engine and found("k3s") else "kind"


def _other(settings: Settings, made: str) -> BadInput:
    return BadInput(
        Text(
            en=f"cluster {settings.name} was made with LAB_CLUSTER={made}, not {settings.cluster}",
            fr=f"le cluster {settings.name} a été fait avec LAB_CLUSTER={made}, pas {settings.cluster}",
        ),
        Text(
            en=f"set LAB_CLUSTER={made} again (`lab down` then ends it), or give the new one its own LAB_NAME",
            fr=f"remettez LAB_CLUSTER={made} (`lab down` y met fin), ou donnez au nouveau son propre LAB_NAME",
        ),
    )
