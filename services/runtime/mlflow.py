"""MLflow's REST API, for whoever needs little of it: questions and orders, and files by way of MLflow's own server.

The training writes runs and models with MLflow's own client, which nothing else has to carry.

RegistryFailure       MLflow did not do what was asked: no answer, none of MLflow's, or an error
└── NotRegistered     there is no such model, version, alias, run or file
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

import httpx
import msgspec

from runtime.errors import Temporary

SCHEME = "mlflow-artifacts"
"""Of places whose files MLflow's server hands out."""
_API = "/api/2.0"
_FILES = f"{_API}/mlflow-artifacts/artifacts"
_WORDS = 200
"""Characters of an answer that are told when it is an error."""

T = TypeVar("T")


class RegistryFailure(Temporary):
    """MLflow did not do what was asked."""


class NotRegistered(RegistryFailure):
    """There is no such model, version, alias, run or file."""


class Mlflow:
    """One MLflow server.

    Args:
        address: of the server.
        seconds: to wait for an answer, or for the next bytes of a file.
        transport: in place of real connections.

    Raises:
        RegistryFailure: by every call that the server does not answer as MLflow does.
        NotRegistered: by every call about what is not there.
    """

    def __init__(self, address: str, seconds: float, transport: httpx.BaseTransport | None = None) -> None:
        self._address = address
        # The registry is in the cluster, never behind a proxy.
        self._connect = partial(httpx.Client, base_url=address, timeout=seconds, trust_env=False, transport=transport)
        self._client = self._connect()
        self._doubted = False

    def close(self) -> None:
        """Leave the connections."""
        self._client.close()

    def ask(self, path: str, kind: type[T], /, **asked: str | int) -> T:
        """The answer to a question.

        Args:
            path: of the API, such as `mlflow/runs/get`.
            kind: what the answer is to be.
            asked: parameters; those that are empty are left out.
        """
        given = {name: each for name, each in asked.items() if each != ""}
        return self._read(kind, "GET", f"{_API}/{path}", params=given)

    def order(self, path: str, body: Mapping[str, str], method: str = "POST") -> dict[str, Any]:
        """The answer to an order.

        Args:
            path: of the API.
            body: what is to be done.
            method: of HTTP.
        """
        return self._read(dict[str, Any], method, f"{_API}/{path}", json=body)

    def point(self, model: str, alias: str, version: str) -> None:
        """Let an alias of a model name a version; the same again changes nothing."""
        self.order("mlflow/registered-models/alias", {"name": model, "alias": alias, "version": version})

    def located(self, model: str, version: str) -> str:
        """Address of a version's files; where its scheme is `SCHEME`, the server hands them out under its `path_of`."""
        found = self.ask("mlflow/model-versions/get-download-uri", dict[str, Any], name=model, version=version)
        return str(found.get("artifact_uri", ""))

    @contextmanager
    def streamed(self, folder: str, file: str) -> Iterator[Iterator[bytes]]:
        """A file, piece by piece.

        Args:
            folder: its path (`path_of`).
            file: its name.
        """
        path = _file(folder, file)
        with self._named("GET", path), self._connected().stream("GET", path) as answer:
            if not answer.is_success:
                answer.read()
            self._check("GET", path, answer)
            yield answer.iter_bytes()

    def download(self, folder: str, file: str) -> bytes:
        """A whole file."""
        return self._call("GET", _file(folder, file)).content

    def upload(self, folder: str, file: str, content: bytes) -> None:
        """Write a file, in place of what was there."""
        self._call("PUT", _file(folder, file), content=content)

    def remove(self, folder: str) -> None:
        """Remove a folder with all its files."""
        self._call("DELETE", f"{_FILES}/{quote(folder)}")

    def _read(self, kind: type[T], method: str, path: str, **given: Any) -> T:  # noqa: ANN401  the client's words
        answer = self._call(method, path, **given)
        try:
            return msgspec.json.decode(answer.content, type=kind, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as failure:
            raise RegistryFailure(f"{self._what(method, path)}: {failure}", "is that address MLflow?") from None

    def _call(self, method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401  the client's words
        with self._named(method, path):
            answer = self._connected().request(method, path, **given)
        self._check(method, path, answer)
        return answer

    def _connected(self) -> httpx.Client:
        """The connections; new ones after an error.

        A Service that was made again has another address. Whoever answers at the old one would do so for as long as the
        connection is kept, and that is as long as it is used.
        """
        if self._doubted:
            self._client.close()
            self._client, self._doubted = self._connect(), False
        return self._client

    @contextmanager
    def _named(self, method: str, path: str) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            what = f"{self._what(method, path)}: {failure!r}"
            raise RegistryFailure(what, "`lab status` shows whether MLflow stands") from failure

    def _check(self, method: str, path: str, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        self._doubted = True
        words = " ".join(answer.text.split())[:_WORDS]
        told = f"{self._what(method, path)}: {answer.status_code} {words}"
        # An alias that is not there counts as a wrong parameter.
        if answer.status_code == HTTPStatus.NOT_FOUND or "not found" in words:
            raise NotRegistered(told, "see on MLflow's page what is registered")
        raise RegistryFailure(told, "see MLflow's log")

    def _what(self, method: str, path: str) -> str:
        return f"MLflow at {self._address}, {method} {path}"


def path_of(address: str) -> str:
    """The path of a place among the files that MLflow's server hands out."""
    return unquote(urlsplit(address).path).strip("/")


def _file(folder: str, file: str) -> str:
    return f"{_FILES}/{quote(folder)}/{quote(file)}"
