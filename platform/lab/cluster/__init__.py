"""The Kubernetes clusters that the labs may run on, behind one small interface."""

from __future__ import annotations

from lab.cluster.base import Cluster, Status
from lab.cluster.kind import Kind
from lab.errors import BadInput
from lab.settings import Settings
from lab.text import Text

__all__ = ["Cluster", "Status", "choose"]


def choose(settings: Settings) -> Cluster:
    """Return the cluster that `LAB_CLUSTER` asks for; nothing is started.

    Raises:
        BadInput: the backend is not there.

    """
    if settings.cluster in ("auto", "kind"):
        return Kind(settings)
    raise BadInput(
        Text(
            en=f"LAB_CLUSTER={settings.cluster} is not there yet",
            fr=f"LAB_CLUSTER={settings.cluster} n'existe pas encore",
        ),
        Text(en="use kind", fr="utilisez kind"),
    )
