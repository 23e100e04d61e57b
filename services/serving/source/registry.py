"""MLflow's REST API, the only place where it enters: models, versions, aliases, and the files of a version.

Files come through MLflow's server, which alone has the keys of the store behind it.
"""

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

import httpx
import msgspec

from serving.errors import NotServable, SourceUnavailable, TooBig

_API = "/api/2.0/mlflow"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
_SCHEME = "mlflow-artifacts"
"""Of places that MLflow's server reads for its clients."""
_PAGE, _PAGES = 1000, 100
"""Entries of a page, and pages of an answer, at most."""
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MANY = 64
"""Files of a version, at most."""

T = TypeVar("T")


class _Alias(msgspec.Struct):
    alias: str
    version: str


class _Model(msgspec.Struct):
    name: str
    aliases: list[_Alias] = []


class _Models(msgspec.Struct):
    registered_models: list[_Model] = []
    next_page_token: str = ""


class _Version(msgspec.Struct):
    version: str
    status: str = "READY"


class _Versions(msgspec.Struct):
    model_versions: list[_Version] = []
    next_page_token: str = ""


class _Place(msgspec.Struct):
    artifact_uri: str


class _File(msgspec.Struct):
    path: str
    is_dir: bool = False
    file_size: int = 0


class _Files(msgspec.Struct):
    files: list[_File] = []


class Registry:
    """One MLflow server.

    Args:
        address: of the server.
        seconds: to wait for an answer, or for the next bytes of a file.

    Raises:
        SourceUnavailable: by every call, while the server does not answer or does not answer as MLflow does.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self._address = address
        self._client = httpx.Client(base_url=address, timeout=seconds, trust_env=False)

    def models(self) -> dict[str, dict[str, str]]:
        """Every registered model -> alias -> version."""
        pages = self._pages(f"{_API}/registered-models/search", {}, _Models)
        found = [each for page in pages for each in page.registered_models]
        return {model.name: {each.alias: each.version for each in model.aliases} for model in found}

    def versions(self, name: str) -> list[str]:
        """Versions of a model that were registered to the end."""
        pages = self._pages(f"{_API}/model-versions/search", {"filter": f"name = '{name}'"}, _Versions)
        return [each.version for page in pages for each in page.model_versions if each.status == "READY"]

    def fetch(self, name: str, version: str, folder: Path, *, largest: int, seconds: float) -> None:
        """Put the files of a version into a folder; folders among them are left out.

        Args:
            name: of the model.
            version: of the model.
            folder: to write to.
            largest: bytes that they may have together.
            seconds: that it may take.

        Raises:
            TooBig: they have more.
            NotServable: they are where MLflow's server does not hand them out.
        """
        title, until = f"model {name} version {version}", time.monotonic() + seconds
        place = self._place(name, version, title)
        files = [each for each in self._asked(_FILES, {"path": place}, _Files).files if not each.is_dir]
        names = [each.path for each in files if _FILE.fullmatch(each.path)]
        if len(names) > _MANY:
            raise NotServable(f"{title}: it has {len(names)} files; {_MANY} are the limit", "register it with less")
        if sum(each.file_size for each in files) > largest:
            raise _too_big(title, largest)
        left = largest
        for each in names:
            left -= self._written(f"{_FILES}/{quote(place)}/{each}", folder / each, left, until)
            if left < 0:
                raise _too_big(title, largest)

    def _place(self, name: str, version: str, title: str) -> str:
        told = self._asked(f"{_API}/model-versions/get-download-uri", {"name": name, "version": version}, _Place)
        found = urlsplit(told.artifact_uri)
        if found.scheme != _SCHEME:
            what = f"{title}: its files are at {told.artifact_uri:.100}, which MLflow does not hand out"
            raise NotServable(what, "start MLflow's server with --serve-artifacts and register the version anew")
        return unquote(found.path).strip("/")

    def _written(self, path: str, file: Path, room: int, until: float) -> int:
        """Bytes that a file had; it is given up once it has more than `room`."""
        size = 0
        try:
            with self._client.stream("GET", path) as answer, file.open("wb") as target:
                answer.raise_for_status()
                for part in answer.iter_bytes():
                    size += target.write(part)
                    if size > room:
                        break
                    if time.monotonic() > until:
                        raise self._away(f"{file.name} is not there after the time that a version may take")
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise self._away(f"{file.name}: {_line(failure)}") from None
        return size

    def _pages(self, path: str, asked: Mapping[str, str], kind: type[T]) -> Iterator[T]:
        token = ""
        for _ in range(_PAGES):
            page = self._asked(path, {**asked, "max_results": _PAGE, "page_token": token}, kind)
            yield page
            token = getattr(page, "next_page_token", "")
            if not token:
                return
        raise self._away(f"{path} has more than {_PAGES * _PAGE} entries")

    def _asked(self, path: str, asked: Mapping[str, Any], kind: type[T]) -> T:
        try:
            answer = self._client.get(path, params={name: each for name, each in asked.items() if each != ""})
            answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=kind, strict=False)
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError, UnicodeDecodeError) as failure:
            raise self._away(_line(failure)) from None

    def _away(self, why: str) -> SourceUnavailable:
        told = f"models of MLflow at {self._address}: {why}"
        return SourceUnavailable(told, "see to its server, and to TARMAC_MLFLOW; what was loaded goes on serving")


def _too_big(title: str, largest: int) -> TooBig:
    return TooBig(f"{title}: its files have more than {largest} bytes", "set TARMAC_MODEL_BYTES, or make it smaller")


def _line(failure: Exception) -> str:
    return f"{(str(failure).strip().splitlines() or [type(failure).__name__])[0]:.300}"
