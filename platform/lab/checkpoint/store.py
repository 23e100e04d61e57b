"""Where kept states lie: an archive and what is told of it, under one name."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from pydantic import ValidationError

from lab import files
from lab.checkpoint.snapshot import Kept, Snapshot
from lab.errors import BadInput
from lab.settings import Settings
from lab.text import Text

_OWN = "own"
_PARTIAL = "archive.part"


class Store:
    """A folder of kept states.

    Args:
        folder: the folder; made when something is kept.

    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Kept]:
        """Return what is kept, oldest first; what cannot be read counts as not there."""
        found = []
        for file in self._folder.glob("*.json"):
            try:
                snapshot = Snapshot.model_validate_json(file.read_bytes())
            except (OSError, ValidationError):
                continue
            archive = file.with_suffix(".tar")
            if archive.exists():
                found.append(Kept(file.stem, snapshot, archive))
        return sorted(found, key=lambda kept: kept.snapshot.made)

    def find(self, lab: str, state: str, key: str) -> Kept | None:
        """Return a lab's state that fits a checkout, None where there is none."""
        fits = [each for each in self.all() if self._names(each.snapshot) == (lab, state) and each.snapshot.key == key]
        return fits[-1] if fits else None

    def named(self, name: str) -> Kept:
        """Return what is kept under a name.

        Raises:
            BadInput: nothing is.

        """
        found = {each.name: each for each in self.all()}
        if name not in found:
            there = ", ".join(found) or "-"
            raise BadInput(
                Text(en=f"nothing is kept as {name}", fr=f"rien n'est gardé sous le nom {name}"),
                Text(en=f"choose one of: {there}", fr=f"choisissez parmi : {there}"),
            )
        return found[name]

    def partial(self) -> Path:
        """Return where an archive is written until it is complete; nobody but its owner can read it.

        A database keeps its roles' passwords, if only as hashes.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        archive = self._folder / _PARTIAL
        archive.unlink(missing_ok=True)
        archive.touch(0o600)
        return archive

    def keep(self, snapshot: Snapshot, most: int = 1) -> Kept:
        """Keep the partial archive; of the same lab and state, only so many of the newest stay."""
        moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(snapshot.made))
        tail = moment if snapshot.state == _OWN else snapshot.digest[:12]
        name = f"{snapshot.lab}-{snapshot.state}-{tail}"
        told = self._folder / f"{name}.json"
        (self._folder / _PARTIAL).rename(told.with_suffix(".tar"))
        # Last: without it the archive counts as not there.
        files.write(told, snapshot.model_dump_json())
        same = [each for each in self.all() if self._names(each.snapshot) == self._names(snapshot)]
        for each in same[: max(len(same) - most, 0)]:
            self.drop(each)
        return Kept(name, snapshot, told.with_suffix(".tar"))

    def drop(self, kept: Kept) -> None:
        """Forget one."""
        kept.archive.with_suffix(".json").unlink(missing_ok=True)
        kept.archive.unlink(missing_ok=True)

    @staticmethod
    def _names(snapshot: Snapshot) -> tuple[str, str]:
        return snapshot.lab, snapshot.state


def digest(archive: Path) -> str:
    """Return the SHA-256 of an archive."""
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checkpoints(settings: Settings) -> Store:
    """Return where starts and solutions are kept: they can be made again."""
    return Store(settings.cache / "checkpoints")


def stashes(settings: Settings) -> Store:
    """Return where a trainee's own work is kept: beside the cluster's folder, which `lab down` removes."""
    return Store(settings.home / f"{settings.name}.stash")
