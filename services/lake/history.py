"""What the git repository of a workspace remembers of its files, read with the library that DVC brings along.

No git program is needed for it, and none may be there.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dulwich import porcelain
from dulwich.objects import Blob, Commit
from dulwich.repo import Repo

from lake.errors import BadRequest

SHORT = 8
"""Digits of a commit that people are shown."""
_LEAST = 4
_NEWEST = "HEAD"


@dataclass(frozen=True)
class Version:
    """A commit that changed a file.

    Attributes:
        commit: its 40 digits.
        time: when it was made.
        message: what its author said.
    """

    commit: str
    time: dt.datetime
    message: str


class History:
    """The commits of a repository.

    Args:
        folder: its top.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def head(self) -> str | None:
        """The newest commit; None where there is no repository, or none in it."""
        if not (self._folder / ".git").exists():
            return None
        with Repo(str(self._folder)) as repo:
            try:
                return repo.head().decode()
            except KeyError:
                return None

    def of(self, paths: Sequence[str]) -> list[Version]:
        """The commits that changed one of these files, newest first."""
        with Repo(str(self._folder)) as repo:
            walked = repo.get_walker(paths=[path.encode() for path in paths])
            return [_version(entry.commit) for entry in walked]

    def one(self, name: str, paths: Sequence[str], given: str) -> Version:
        """The commit of these files that is meant by some of its first digits, or by HEAD.

        Raises:
            BadRequest: none begins like that, or several do.
        """
        known = self.of(paths)
        if given.upper() == _NEWEST:
            return known[0]
        meant = [each for each in known if each.commit.startswith(given.lower())]
        if len(meant) != 1 or len(given) < _LEAST:
            there = ", ".join(each.commit[:SHORT] for each in known)
            raise BadRequest(f"commit {given!r} of {name}: it has none that begins so", f"choose of {there}")
        return meant[0]

    def content(self, commit: str, path: str) -> bytes | None:
        """A file as it was in a commit; None where that had none of this name."""
        try:
            found = porcelain.get_object_by_path(str(self._folder), path, commit)
        except KeyError:
            return None
        return found.data if isinstance(found, Blob) else None

    def changed(self) -> bool:
        """Whether a file that git follows is other than in the newest commit: an act was cut off."""
        told = porcelain.status(str(self._folder), untracked_files="no")
        return bool(told.unstaged or any(told.staged.values()))

    def back(self, commit: str) -> None:
        """Make every file that git follows what it was in a commit, and that the newest one."""
        porcelain.reset(str(self._folder), "hard", commit)


def _version(commit: Commit) -> Version:
    time = dt.datetime.fromtimestamp(commit.commit_time, dt.UTC)
    return Version(commit.id.decode(), time, commit.message.decode().strip())
