"""The scale of one Deployment, through the Kubernetes API and with the pod's own account: only the standard library."""

import json
import logging
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.errors import Permanent, Temporary

log = logging.getLogger(__name__)

_SECONDS = 5.0  # time limit of one call
_FORBIDDEN = (401, 403)


class NoAccount(Permanent):
    """The pod has no service account to speak with."""


class ApiFailure(Temporary):
    """The Kubernetes API did not do what was asked."""


@dataclass(frozen=True)
class Replicas:
    """How many replicas a Deployment should have, and how many pods there are."""

    wanted: int
    running: int


class Scale:
    """Reads and sets the replicas of one Deployment of the pod's namespace.

    Args:
        api: base address of the Kubernetes API.
        account: folder with `token`, `namespace` and `ca.crt`, as Kubernetes mounts it.
        deployment: its name.

    Raises:
        NoAccount: the folder holds no account.
    """

    def __init__(self, api: str, account: Path, deployment: str) -> None:
        try:
            namespace = (account / "namespace").read_text().strip()
            self._token = account / "token"
            self._token.read_bytes()
        except OSError as failure:
            remedy = "give the pod a service account (serviceAccountName, automountServiceAccountToken: true)"
            raise NoAccount(f"no service account in {account}: {failure}", remedy) from failure
        self._address = f"{api}/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}/scale"
        self._tls = ssl.create_default_context(cafile=account / "ca.crt") if api.startswith("https") else None

    def get(self) -> Replicas:
        """How many there are.

        Raises:
            ApiFailure: the API does not say.
        """
        return _replicas(self._call("GET", None))

    def set(self, replicas: int) -> Replicas:
        """Ask for so many.

        Raises:
            ApiFailure: the API refuses or does not answer.
        """
        return _replicas(self._call("PATCH", {"spec": {"replicas": replicas}}))

    def _call(self, method: str, body: dict[str, Any] | None) -> Any:  # noqa: ANN401  any JSON
        request = urllib.request.Request(  # noqa: S310  the address is the cluster's own API
            self._address,
            data=json.dumps(body).encode() if body is not None else None,
            method=method,
            headers={
                # Read each time: Kubernetes replaces the token while the pod runs.
                "Authorization": f"Bearer {self._token.read_text().strip()}",
                "Content-Type": "application/merge-patch+json",
                "Accept": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS, context=self._tls) as answer:  # noqa: S310  as above
                return json.load(answer)
        except urllib.error.HTTPError as failure:
            remedy = "look at Role/scaler" if failure.code in _FORBIDDEN else "look at the Deployment"
            raise ApiFailure(f"{method} {self._address} answered {failure.code}", remedy) from failure
        except (OSError, ValueError) as failure:
            raise ApiFailure(f"{method} {self._address}: {failure}", "look at the Kubernetes API") from failure


def _replicas(scale: Any) -> Replicas:  # noqa: ANN401  any JSON
    return Replicas(int(scale.get("spec", {}).get("replicas", 0)), int(scale.get("status", {}).get("replicas", 0)))
