"""MLflow over REST, as far as experiments need it: models made up for a trial, and what the training has registered.

A trial's model goes when the trial ends, versions, aliases and files: every server of the stack loads what is
registered, and nothing of a trial is to stay in their memory.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from contracts.models import CHAMPION, MODEL
from runtime.errors import Temporary

log = logging.getLogger(__name__)

_API = "/api/2.0/mlflow"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
_EXPERIMENT = "trials"
"""Of MLflow, that the runs of trials belong to."""
_SECONDS = 30.0


class RegistryAway(Temporary):
    """MLflow does not answer, or not as it should."""


class NotRegistered(RegistryAway):
    """There is no such model, version or alias."""


class Registry:
    """One MLflow server.

    Args:
        address: of the server.

    Raises:
        RegistryAway: by every call, while the server does not answer.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False)

    def close(self) -> None:
        """Leave the connections."""
        self._client.close()

    @contextmanager
    def trial(self, name: str, *models: bytes, champion: str = "1") -> Iterator[None]:
        """Versions 1, 2, … of a model, until the trial ends.

        Args:
            name: of the model; what an earlier trial left under it goes first.
            models: model.onnx of each version.
            champion: the version that the alias of that name points to at first.
        """
        self._unnamed(name)
        run = self._run()
        try:
            self._call("POST", f"{_API}/registered-models/create", {"name": name})
            for number, content in enumerate(models, start=1):
                self._version(name, number, content, run)
            self.point(name, CHAMPION, champion)
            yield
        finally:
            self._unnamed(name)
            self._dropped(run)

    def point(self, name: str, alias: str, version: str) -> None:
        """Let an alias name a version."""
        self._call("POST", f"{_API}/registered-models/alias", {"name": name, "alias": alias, "version": version})

    def version(self, name: str, alias: str) -> dict[str, Any]:
        """The version that an alias names, as MLflow tells of it.

        Raises:
            NotRegistered: it names none.
        """
        query = f"{_API}/registered-models/alias?name={quote(name)}&alias={quote(alias)}"
        found: dict[str, Any] = self._call("GET", query).json()["model_version"]
        return found

    def current(self, name: str) -> dict[str, Any]:
        """The version in use, or the newest one of a model that has none.

        Raises:
            NotRegistered: there is no version.
        """
        try:
            return self.version(name, CHAMPION)
        except NotRegistered:
            wanted = quote(f"name = '{name}'")
            query = f"{_API}/model-versions/search?filter={wanted}&max_results=1000"
            versions = self._call("GET", query).json().get("model_versions", [])
        if not versions:
            told = f"model {name} is not registered at {self._address}"
            raise NotRegistered(told, "let the training register it: `lab up` does")
        found: dict[str, Any] = max(versions, key=lambda each: int(each["version"]))
        return found

    def file(self, version: dict[str, Any], file: str) -> bytes:
        """A file of a version."""
        query = f"{_API}/model-versions/get-download-uri?name={quote(version['name'])}&version={version['version']}"
        return self._fetched(self._call("GET", query).json()["artifact_uri"], file)

    def of_run(self, version: dict[str, Any], file: str) -> bytes:
        """A file of the run that a version came from."""
        run = self._call("GET", f"{_API}/runs/get?run_id={quote(version.get('run_id', ''))}").json()["run"]
        return self._fetched(run["info"]["artifact_uri"], file)

    def _fetched(self, folder: str, file: str) -> bytes:
        return self._call("GET", f"{_FILES}/{quote(_place(folder))}/{quote(file)}").content

    def _run(self) -> dict[str, str]:
        """A run that the files of a trial belong to: its id and its place among the artifacts."""
        try:
            query = f"{_API}/experiments/get-by-name?experiment_name={_EXPERIMENT}"
            experiment = self._call("GET", query).json()["experiment"]["experiment_id"]
        except NotRegistered:
            told = self._call("POST", f"{_API}/experiments/create", {"name": _EXPERIMENT})
            experiment = told.json()["experiment_id"]
        info = self._call("POST", f"{_API}/runs/create", {"experiment_id": experiment}).json()["run"]["info"]
        return {"run_id": info["run_id"], "uri": info["artifact_uri"], "place": _place(info["artifact_uri"])}

    def _version(self, name: str, number: int, content: bytes, run: dict[str, str]) -> None:
        self._call("PUT", f"{_FILES}/{quote(run['place'])}/{number}/{MODEL}", content)
        told = {"name": name, "source": f"{run['uri']}/{number}", "run_id": run["run_id"]}
        self._call("POST", f"{_API}/model-versions/create", told)

    def _unnamed(self, name: str) -> None:
        """Let a model go, if it is there."""
        self._left(f"model {name}", "DELETE", f"{_API}/registered-models/delete", {"name": name})

    def _dropped(self, run: dict[str, str]) -> None:
        """Let a trial's run go with its files."""
        self._left("files of a trial", "DELETE", f"{_FILES}/{quote(run['place'])}")
        self._left("run of a trial", "POST", f"{_API}/runs/delete", {"run_id": run["run_id"]})

    def _left(self, what: str, method: str, path: str, body: dict[str, str] | None = None) -> None:
        try:
            self._call(method, path, body)
        except NotRegistered:
            return
        except RegistryAway as failure:
            log.warning("something of a trial may be left over", extra={"what": what, "cause": failure.what})

    def _call(self, method: str, path: str, body: bytes | dict[str, str] | None = None) -> httpx.Response:
        given: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body} if body else {}
        what = f"MLflow at {self._address}, {method} {path.partition('?')[0]}"
        try:
            answer = self._client.request(method, path, **given)
        except httpx.HTTPError as failure:
            raise RegistryAway(f"{what}: {failure!r}", "`lab status` shows whether MLflow stands") from failure
        if answer.is_error:
            raise _failure(what, answer)
        return answer


def _place(uri: str) -> str:
    """The path of an `mlflow-artifacts:` address."""
    return unquote(urlsplit(uri).path).strip("/")


def _failure(what: str, answer: httpx.Response) -> RegistryAway:
    told = f"{what}: {answer.status_code} {answer.text[:200]}"
    # An alias that is not there counts as a wrong parameter.
    if answer.status_code == HTTPStatus.NOT_FOUND or "not found" in answer.text[:200]:
        return NotRegistered(told, "see on MLflow's page what is registered")
    return RegistryAway(told, "see MLflow's log")
