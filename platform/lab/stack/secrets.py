"""The platform's Secrets: made at random once for each cluster, the same in every namespace that needs them.

What is there stays. A copy that was lost or changed is put right from the component's own, and that one, where it was
lost, from a copy. Values that are lost everywhere come new, and count for a pod from its next start. No value is ever
printed, handed to another program or written to a file.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from lab.api import Api, Object
from lab.spec import Component, Secret

_BYTES = 32
_LAB = "lab"


def ensure(api: Api, components: Mapping[str, Component], spaces: set[str], lab: str) -> set[str]:
    """Make the Secrets of components stand.

    Args:
        api: the cluster.
        components: who declares them, by name.
        spaces: the namespaces that stand.
        lab: the namespace of the lab that is brought up.

    Returns:
        The names of the components for which something had to be done.

    Raises:
        Refused: the API server refuses one; names it.

    """
    wanted = [
        (name, secret, _places(each, secret, spaces, lab))
        for name, each in components.items()
        for secret in each.secrets
    ]
    with ThreadPoolExecutor() as pool:
        done = pool.map(lambda row: _ensured(api, *row), wanted)
        return {name for (name, _, _), changed in zip(wanted, done, strict=True) if changed}


def _places(component: Component, secret: Secret, spaces: set[str], lab: str) -> list[str]:
    """Return where a Secret is to be, the component's own namespace first: its copy is the one that counts."""
    named = [component.namespace, *(lab if each == _LAB else each for each in secret.into)]
    return [each for each in dict.fromkeys(named) if each in spaces]


def _ensured(api: Api, owner: str, secret: Secret, places: list[str]) -> bool:
    held = {place: (api.get("Secret", secret.name, place) or {}).get("data") or {} for place in places}
    data = {key: next((each[key] for each in held.values() if each.get(key)), None) or _random() for key in secret.keys}
    lacking = [place for place in places if not data.items() <= held[place].items()]
    api.apply([_object(owner, secret.name, place, data) for place in lacking])
    return bool(lacking)


def _random() -> str:
    return base64.b64encode(secrets.token_urlsafe(_BYTES).encode()).decode()


def _object(owner: str, name: str, namespace: str, data: dict[str, str]) -> Object:
    labels = {"app.kubernetes.io/part-of": "tarmac", "tarmac.dev/component": owner}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}
