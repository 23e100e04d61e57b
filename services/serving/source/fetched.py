"""Models of a registry, by way of a folder that holds what was fetched of them.

The folder is one that `FolderSource` can read: a server that starts while the registry is away serves what it last had.
A version is fetched once; it appears in the folder as a whole, after its files were held to its card.
"""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts import compositions, models
from contracts.compositions import COMPOSITION, BadComposition
from contracts.models import CARD, MODEL, BadCard
from serving.errors import CardWrong, CompositionWrong, NotOnnx, SourceUnavailable
from serving.source.folder import ALIASES, FolderSource, Listing, is_name, is_number
from serving.source.registry import Registry

log = logging.getLogger(__name__)

FOLDER = "fetched"
"""Of the folder of models; whatever else lies there is not ours to remove."""
_UNFINISHED = ".part-"
_ORIGIN = ".origin"
"""File of a version that tells where and when it was registered; the registry has no file of such a name."""


class FetchedSource:
    """Models of a registry; asked by one thread at a time, as the repository does.

    Args:
        registry: where they come from.
        root: folder for their files; made where there is none, and kept clean.
        largest: bytes of the files of one version.
        room: bytes that all of them may have; those used least recently go, to be fetched again when they are needed.
        seconds: that fetching a version may take.
    """

    def __init__(self, registry: Registry, root: Path, *, largest: int, room: int, seconds: float) -> None:
        self._registry = registry
        self._root = root
        self._kept = FolderSource(root)
        self._largest = largest
        self._room = room
        self._seconds = seconds
        self._said = False
        self._aliases: dict[str, dict[str, str]] | None = None
        """Model -> alias -> version, once the registry has answered."""
        self._origins: dict[str, dict[str, str]] = {}
        """Model -> version -> where and when it was registered, oldest first."""

    def names(self) -> Sequence[str]:
        """Every model; before the registry has answered for the first time, those that were kept.

        Raises:
            SourceUnavailable: it does not answer.
        """
        try:
            found = self._registry.listed()
        except SourceUnavailable as failure:
            kept = [] if self._aliases is not None or not self._root.is_dir() else self._kept.names()
            if not kept:
                raise
            self._say_kept(failure)
            return kept
        self._aliases = {name: each.aliases for name, each in found.items() if is_name(name)}
        self._origins = {name: _ordered(found[name].versions) for name in self._aliases}
        self._tidy()
        return sorted(self._aliases)

    def listing(self, name: str) -> Listing:
        """What there is of a model, as when the names were asked for; nothing of one that is not there."""
        if self._aliases is None:
            kept = self._kept.listing(name)
            origins = {each: _origin(self._root / name / each) for each in kept.versions}
            return Listing(kept.versions, kept.aliases, origins)
        if name not in self._aliases:
            return Listing()
        origins = self._origins[name]
        self._drop(name, origins)
        self._remember(name)
        return Listing(tuple(origins), self._aliases[name], origins)

    def folder(self, name: str, version: str) -> Path:
        """A folder with the version's files.

        Raises:
            SourceUnavailable: they cannot be fetched.
            Artifact: they cannot be served.
        """
        place = self._root / name / version
        try:
            if place.is_dir():
                os.utime(place)
            else:
                self._fetch(name, version, place)
                self._make_room(place)
                self._remember(name)
        except OSError as failure:
            raise SourceUnavailable(
                f"files of models at {place}: {failure}", "see to the disk of TARMAC_MODELS"
            ) from None
        return place

    def _say_kept(self, failure: SourceUnavailable) -> None:
        if not self._said:
            log.warning("serving what was kept", extra={"cause": failure.what, "remedy": failure.remedy})
        self._said = True

    def _fetch(self, name: str, version: str, place: Path) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._root))
        try:
            self._registry.fetch(name, version, unfinished, largest=self._largest, seconds=self._seconds)
            _check(f"model {name} version {version}", unfinished)
            (unfinished / _ORIGIN).write_text(self._origins.get(name, {}).get(version, ""), "utf-8")
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        log.info("fetched", extra={"model": name, "version": version})

    def _drop(self, name: str, origins: Mapping[str, str]) -> None:
        """Remove what was fetched of versions that were registered anew under their old numbers."""
        for version, origin in origins.items():
            place = self._root / name / version
            if place.is_dir() and _origin(place) != origin:
                log.info("registered anew", extra={"model": name, "version": version})
                shutil.rmtree(place, ignore_errors=True)

    def _make_room(self, newest: Path) -> None:
        there = [each for each in self._root.glob("*/*") if each.is_dir()]
        size = sum(map(_size, there))
        for each in sorted(there, key=lambda folder: folder.stat().st_mtime_ns):
            if size <= self._room:
                return
            if each != newest:
                size -= _size(each)
                shutil.rmtree(each)

    def _remember(self, name: str) -> None:
        """Write the aliases of a model beside its versions, where it has any and they are new."""
        file, aliases = self._root / name / ALIASES, (self._aliases or {}).get(name)
        if aliases is None or not file.parent.is_dir():
            return
        text = json.dumps(aliases, sort_keys=True)
        try:
            if not file.exists() or file.read_text("utf-8") != text:
                part = file.with_suffix(_UNFINISHED)
                part.write_text(text, "utf-8")
                part.replace(file)
        except OSError as failure:  # it is for later; what was asked has an answer
            log.warning("aliases could not be written", extra={"model": name, "cause": str(failure)})

    def _tidy(self) -> None:
        """Remove what was left unfinished and models that the registry has no more."""
        known: Mapping[str, object] = self._aliases or {}
        for each in self._root.glob("*"):
            if each.name not in known:
                shutil.rmtree(each, ignore_errors=True)


def _check(title: str, folder: Path) -> None:
    """Hold the files to their card, so that nothing stays that was cut off or belongs to another version."""
    if (folder / COMPOSITION).is_file():
        _check_composition(title, folder)
        return
    file = folder / MODEL
    if not file.is_file():
        raise NotOnnx(
            f"{title}: the registry has no file {MODEL} of it", "export the model to ONNX and register it anew"
        )
    if not (folder / CARD).exists():
        return
    try:
        models.check(models.read(folder), file.read_bytes())
    except BadCard as failure:
        raise CardWrong(f"{title}: {failure.what}", failure.remedy) from None


def _check_composition(title: str, folder: Path) -> None:
    try:
        compositions.read(folder)
    except BadComposition as failure:
        raise CompositionWrong(f"{title}: {failure}", "register it anew") from None


def _ordered(versions: Mapping[str, str]) -> dict[str, str]:
    return {each: versions[each] for each in sorted(filter(is_number, versions), key=int)}


def _origin(folder: Path) -> str:
    try:
        return (folder / _ORIGIN).read_text("utf-8")
    except OSError:  # an earlier server fetched it, and did not write it down
        return ""


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir())
