"""The Kubernetes API with the pod's own account: read one object, patch it, make one."""

import ssl
from pathlib import Path
from typing import Any

import httpx

from releases.errors import ApiFailure, Conflict, Missing, NoAccount

_SECONDS = 5.0  # time limit of one call
MANAGER = "release-controller"
"""Name under which Kubernetes keeps what this controller has set."""


class Kube:
    """Calls to the API.

    Args:
        api: its base address.
        account: folder with `token` and `ca.crt`, as Kubernetes mounts it.
        namespace: of the objects that it is asked about.

    Raises:
        NoAccount: the folder holds no account.
    """

    def __init__(self, api: str, account: Path, namespace: str) -> None:
        self.namespace = namespace
        try:
            self._token = account / "token"
            self._token.read_bytes()
            tls = ssl.create_default_context(cafile=account / "ca.crt") if api.startswith("https") else False
        except OSError as failure:
            remedy = "give the pod a service account (serviceAccountName, automountServiceAccountToken: true)"
            raise NoAccount(f"no service account in {account}: {failure}", remedy) from failure
        # The cluster's own API is never behind a proxy.
        self._client = httpx.Client(base_url=api, verify=tls, timeout=_SECONDS, trust_env=False)

    def get(self, path: str) -> Any:  # noqa: ANN401  any JSON
        """The object at `path`.

        Raises:
            Missing: there is none.
            ApiFailure: the API does not say.
        """
        return self._call("GET", path)

    def patch(self, path: str, body: Any) -> Any:  # noqa: ANN401  any JSON
        """The object after a JSON merge patch; one with `metadata.resourceVersion` holds for that version alone.

        Raises:
            Conflict: the object has another version by now.
            ApiFailure: the API refuses or does not answer.
        """
        return self._call("PATCH", path, body, "application/merge-patch+json")

    def post(self, path: str, body: Any) -> Any:  # noqa: ANN401  any JSON
        """The object that is made.

        Raises:
            Conflict: it is there already.
            ApiFailure: the API refuses or does not answer.
        """
        return self._call("POST", path, body, "application/json")

    def close(self) -> None:
        """Leave the connections."""
        self._client.close()

    def _call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:  # noqa: ANN401
        # The token is read each time: Kubernetes replaces it while the pod runs.
        headers = {"Authorization": f"Bearer {self._token.read_text().strip()}", "Content-Type": kind}
        writes = method != "GET"
        try:
            answer = self._client.request(
                method, path, headers=headers, json=body if writes else None,
                params={"fieldManager": MANAGER} if writes else None,
            )  # fmt: skip
            return _good(method, path, answer)
        except (httpx.HTTPError, ValueError) as failure:
            raise ApiFailure(f"{method} {path}: {failure!r}", "look at the Kubernetes API") from failure


def _good(method: str, path: str, answer: httpx.Response) -> Any:  # noqa: ANN401  any JSON
    if answer.status_code == httpx.codes.CONFLICT:
        raise Conflict(f"{method} {path}: somebody else was first", "read it again")
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise ApiFailure(f"{method} {path} answered {answer.status_code}", "look at the Role of the controller")
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise Missing(f"{method} {path} answered {answer.status_code}", "make the object that it names")
    if answer.is_error:
        told = answer.text[:300]
        raise ApiFailure(f"{method} {path} answered {answer.status_code}: {told}", "look at the object it names")
    return answer.json()
