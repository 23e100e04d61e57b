"""What MLflow has for this service: models, versions, aliases, and the files of a version.

Files come through MLflow's server, which alone has the keys of the store behind it.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from runtime.mlflow import SCHEME, Mlflow, RegistryFailure, path_of
from serving.errors import NotServable, SourceUnavailable, TooBig

_PAGE, _PAGES = 1000, 100
"""Entries of a page, and pages of an answer, at most."""
_FILES = "mlflow-artifacts/artifacts"
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
    name: str
    version: str
    status: str = "READY"
    source: str = ""
    creation_timestamp: int = 0


class _Versions(msgspec.Struct):
    model_versions: list[_Version] = []
    next_page_token: str = ""


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
        transport: in place of real connections.

    Raises:
        SourceUnavailable: by every call, while the server does not answer or does not answer as MLflow does.
    """

    def __init__(self, address: str, seconds: float, transport: httpx.BaseTransport | None = None) -> None:
        self._mlflow = Mlflow(address, seconds, transport)

    def models(self) -> dict[str, dict[str, str]]:
        """Every registered model -> alias -> version."""
        pages = self._pages("mlflow/registered-models/search", _Models)
        found = [each for page in pages for each in page.registered_models]
        return {model.name: {each.alias: each.version for each in model.aliases} for model in found}

    def versions(self) -> dict[str, dict[str, str]]:
        """Every model -> versions of it that were registered to the end -> where and when.

        One question for all of them: several servers ask every few seconds. A model that was deleted and registered
        anew counts from 1 again: its number alone does not name a version.
        """
        found: dict[str, dict[str, str]] = {}
        for page in self._pages("mlflow/model-versions/search", _Versions):
            for each in page.model_versions:
                if each.status == "READY":
                    found.setdefault(each.name, {})[each.version] = f"{each.creation_timestamp} {each.source}"
        return found

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
        with _available():
            place = self._place(name, version, title)
            files = [each for each in self._mlflow.ask(_FILES, _Files, path=place).files if not each.is_dir]
        names = [each.path for each in files if _FILE.fullmatch(each.path)]
        if len(names) > _MANY:
            raise NotServable(f"{title}: it has {len(names)} files; {_MANY} are the limit", "register it with less")
        if sum(each.file_size for each in files) > largest:
            raise _too_big(title, largest)
        left = largest
        for each in names:
            left -= self._written(place, folder / each, left, until)
            if left < 0:
                raise _too_big(title, largest)

    def _place(self, name: str, version: str, title: str) -> str:
        address = self._mlflow.located(name, version)
        if urlsplit(address).scheme != SCHEME:
            what = f"{title}: its files are at {address:.100}, which MLflow does not hand out"
            raise NotServable(what, "start MLflow's server with --serve-artifacts and register the version anew")
        return path_of(address)

    def _written(self, place: str, file: Path, room: int, until: float) -> int:
        """Bytes that a file had; it is given up once it has more than `room`."""
        size = 0
        with _available(), self._mlflow.streamed(place, file.name) as parts, file.open("wb") as target:
            for part in parts:
                size += target.write(part)
                if size > room:
                    break
                if time.monotonic() > until:
                    raise _away(f"{file.name} is not there after the time that a version may take")
        return size

    def _pages(self, path: str, kind: type[T], **asked: str) -> Iterator[T]:
        token = ""
        for _ in range(_PAGES):
            with _available():
                page = self._mlflow.ask(path, kind, **asked, max_results=_PAGE, page_token=token)
            yield page
            token = getattr(page, "next_page_token", "")
            if not token:
                return
        raise _away(f"{path} has more than {_PAGES * _PAGE} entries")


@contextmanager
def _available() -> Iterator[None]:
    """Let MLflow's failures go by the service's own name."""
    try:
        yield
    except RegistryFailure as failure:
        raise _away(failure.what) from None


def _away(why: str) -> SourceUnavailable:
    remedy = "see to MLflow's server, and to TARMAC_MLFLOW; what was loaded goes on serving"
    return SourceUnavailable(f"models of the registry: {why}", remedy)


def _too_big(title: str, largest: int) -> TooBig:
    return TooBig(f"{title}: its files have more than {largest} bytes", "set TARMAC_MODEL_BYTES, or make it smaller")
