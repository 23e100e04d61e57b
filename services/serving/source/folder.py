"""Where models come from: which versions there are, what the aliases name, and a folder for each version.

A source is asked from a thread and may take its time; nothing on the way of a request waits for it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from serving.errors import SourceUnavailable

ALIASES = "aliases.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Listing:
    """What there is of one model.

    Attributes:
        versions: by their numbers, oldest first.
        aliases: alias -> version, which may not be there.
        origins: version -> what tells it from another of the same number, where the source knows.
    """

    versions: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Where models come from."""

    def names(self) -> Sequence[str]:
        """Every model.

        Raises:
            SourceUnavailable: it does not answer.
        """

    def listing(self, name: str) -> Listing:
        """What there is of a model; nothing of one that is not there.

        Raises:
            SourceUnavailable: it does not answer.
        """

    def folder(self, name: str, version: str) -> Path:
        """A folder with the version's files.

        Raises:
            SourceUnavailable: they cannot be fetched.
            Artifact: they cannot be served.
        """


class FolderSource:
    """Models in a folder: `<root>/<model>/<version>/{model.onnx,card.json}` and `<root>/<model>/aliases.json`.

    Versions are whole numbers. The folder may be written while it is read: what is half there is refused when it is
    examined, and taken once it is whole.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> Sequence[str]:
        """Every model."""
        try:
            return sorted(each.name for each in self._root.iterdir() if is_name(each.name) and each.is_dir())
        except OSError as failure:
            raise _unavailable(self._root, failure) from None

    def listing(self, name: str) -> Listing:
        """What there is of a model."""
        folder = self._root / name
        try:
            versions = [each.name for each in folder.iterdir() if is_number(each.name) and each.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return Listing()
        except OSError as failure:
            raise _unavailable(folder, failure) from None
        return Listing(tuple(sorted(versions, key=int)), _aliases(folder / ALIASES))

    def folder(self, name: str, version: str) -> Path:
        """A folder with the version's files."""
        return self._root / name / version


def is_name(text: str) -> bool:
    """Whether a model may have that name: it becomes the name of a folder."""
    return bool(_NAME.fullmatch(text))


def is_number(text: str) -> bool:
    """Whether a version may have that name: a whole number."""
    return text.isascii() and text.isdecimal() and str(int(text)) == text


def _aliases(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as failure:
        raise _unavailable(file, failure) from None
    if not isinstance(found, dict) or not all(isinstance(each, str | int) for each in found.values()):
        raise _unavailable(file, ValueError("it is no object of alias and version"))
    return {alias: str(version) for alias, version in found.items()}


def _unavailable(place: Path, failure: Exception) -> SourceUnavailable:
    return SourceUnavailable(f"models at {place}: {failure}", "see to the folder; what was loaded goes on serving")
