"""Kubernetes events: each decision explained where people look first, at the route itself."""

import contextlib
import datetime as dt
from typing import Any

from releases.errors import Conflict
from releases.kube import MANAGER, Kube
from releases.state import State, Tell

_LONGEST = 1024  # characters of an event's message


class Events:
    """Events about one HTTPRoute.

    Args:
        kube: the API.
        route: name of the route.
    """

    def __init__(self, kube: Kube, route: str) -> None:
        self._kube = kube
        self._route = route

    def tell(self, state: State, uid: str, told: Tell) -> None:
        """Make the event of one decision; the same decision makes no second one.

        Args:
            state: the release.
            uid: of the route.
            told: what is said.

        Raises:
            ApiFailure: the API refuses or does not answer.
        """
        path = f"/api/v1/namespaces/{self._kube.namespace}/events"
        with contextlib.suppress(Conflict):  # told before, by a controller that ended before it could say so
            self._kube.post(path, self._event(state, uid, told))

    def _event(self, state: State, uid: str, told: Tell) -> dict[str, Any]:
        at = state.decisions[-1].at if state.decisions else state.started
        when = dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{self._route}.{int(state.started)}.{told.number}",
                "namespace": self._kube.namespace,
                "annotations": {"tarmac.dev/message-fr": told.words.fr},
            },
            "involvedObject": {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "HTTPRoute",
                "name": self._route,
                "namespace": self._kube.namespace,
                "uid": uid,
            },
            "reason": told.reason,
            "message": told.words.en[:_LONGEST],
            "type": "Warning" if told.warning else "Normal",
            "source": {"component": MANAGER},
            "firstTimestamp": when,
            "lastTimestamp": when,
            "count": 1,
        }
