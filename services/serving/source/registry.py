"""What MLflow has for this service: models, versions, aliases, and the files of a version.

Files come through MLflow's server, which alone has the keys of the store behind it.
"""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar
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

_READY = "READY"

T = TypeVar("T")


class Registered(NamedTuple):
    """A model as MLflow has it.

    Attributes:
        aliases: alias -> version.
        versions: those that were registered to the end -> where and when.
    """

    aliases: dict[str, str]
    versions: dict[str, str]


class _Alias(msgspec.Struct):
    alias: str
    version: str


class _Version(msgspec.Struct):
    name: str
    version: str
    status: str = _READY
    source: str = ""
    creation_timestamp: int = 0


class _Model(msgspec.Struct):
    name: str
    aliases: list[_Alias] = []
    creation_timestamp: int = 0
    last_updated_timestamp: int = 0
    latest_versions: list[_Version] = []


class _Models(msgspec.Struct):
    registered_models: list[_Model] = []
    next_page_token: str = ""


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
        self._told: list[_Model] | None = None
        """What MLflow said of its models when it told their versions; None where they have to be asked for again."""
        self._listed: dict[str, dict[str, str]] = {}

    def listed(self) -> dict[str, Registered]:
        """Every registered model.

        Versions are asked for after the aliases, which else might point to what is not listed; and all in one question,
        since several servers ask every few seconds. They are not asked for again while MLflow says the same of its
        models: a version that comes or goes changes its model's time.
        """
        pages = self._pages("mlflow/registered-models/search", _Models)
        told = [each for page in pages for each in page.registered_models]
        if told != self._told:
            versions = self._versions()
            self._listed = _ended(versions)
            # One that is being registered may come to its end at any time.
            self._told = told if all(each.status == _READY for each in versions) else None
        return {
            model.name: Registered(
                {each.alias: each.version for each in model.aliases}, self._listed.get(model.name, {})
            )
            for model in told
        }

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

    def _versions(self) -> list[_Version]:
        return [each for page in self._pages("mlflow/model-versions/search", _Versions) for each in page.model_versions]

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


def _ended(versions: Iterable[_Version]) -> dict[str, dict[str, str]]:
    """Model -> its versions that were registered to the end -> where and when.

    A model that was deleted and registered anew counts from 1 again: its number alone does not name a version.
    """
    found: dict[str, dict[str, str]] = {}
    for each in versions:
        if each.status == _READY:
            found.setdefault(each.name, {})[each.version] = f"{each.creation_timestamp} {each.source}"
    return found


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
