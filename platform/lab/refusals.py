"""What the Kubernetes API refuses or does not say, as its user is told: object, reason, remedy."""

from __future__ import annotations

import json

from kubernetes.dynamic.exceptions import DynamicApiError

from lab.errors import LabError, NotConverged
from lab.text import Text

_PORT_TAKEN = "provided port is already allocated"
_PORT_REMEDY = Text(
    en="remove the Service that has this node port (`lab kubectl get services -A`); if none has, a command was killed "
    "while it made one: Kubernetes notices within ten minutes, run again then",
    fr="supprimez le Service qui a ce port de nœud (`lab kubectl get services -A`) ; si aucun ne l'a, une commande a "
    "été tuée en le créant : Kubernetes s'en aperçoit en dix minutes, relancez alors",
)


class Refused(LabError):
    """The API server refused an object."""


def silent(reason: str) -> NotConverged:
    """Return the error of an API server that does not answer."""
    return NotConverged(
        Text(en=f"the cluster's API does not answer: {reason}", fr=f"l'API du cluster ne répond pas : {reason}"),
        Text(
            en="run `lab up 01`, which starts or heals the cluster",
            fr="lancez `lab up 01`, qui démarre ou répare le cluster",
        ),
    )


def refused(kind: str, name: str, error: DynamicApiError) -> Refused:
    """Return the error of an object that the API server does not take."""
    try:
        reason = json.loads(error.body or "")["message"]
    except (ValueError, KeyError, TypeError):
        reason = str(error.reason)
    where = f"{kind}/{name}"
    taken = _PORT_TAKEN in reason
    return Refused(
        Text(en=f"{where} is refused: {reason}", fr=f"{where} est refusé : {reason}"),
        _PORT_REMEDY
        if taken
        else Text(en=f"correct that field of {where} and run again", fr=f"corrigez ce champ de {where} et relancez"),
    )
