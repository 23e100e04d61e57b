"""The training sets that are kept: one workspace of git and DVC, one file with its manifest for each set.

What git's newest commit names is what counts. An act that was cut off half-way leaves no trace: the next one first
makes the folder what that commit says. Nothing is ever taken back either: an old version comes back as a new commit, as
a Delta table's does.
"""

import fcntl
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lake import lineage, manifest, training
from lake.errors import BadRequest, Contended, TableBroken, TableMissing
from lake.history import SHORT, History, Version
from lake.manifest import Manifest
from lake.quality import rows
from lake.store import Lake
from lake.training import TrainingSet, Wanted
from lake.versions import Workspace

_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_SETS = "sets"
_ENDING = ".parquet"


class Collection:
    """The training sets of one workspace.

    Args:
        lake: the tables that they are made of.
        workspace: where they are; begun where there is none.
        remote: where DVC keeps the contents, a folder or `s3://bucket/prefix`.
        endpoint: address of the S3 endpoint; empty for a folder.

    Raises:
        BadRequest: by every call that names a set or a commit, where there is none of this name.
        ToolFailed: by every call, where DVC fails; with what it said.
    """

    def __init__(self, lake: Lake, workspace: Workspace, remote: str, endpoint: str = "") -> None:
        self._lake = lake
        self._workspace = workspace
        self._folder = workspace.folder
        self._remote = remote
        self._endpoint = endpoint
        self._history = History(self._folder)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the workspace for oneself, begun and as its newest commit says; the kernel lets go when we end.

        Raises:
            Contended: another act is under way.
        """
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        with self._folder.with_name(f"{self._folder.name}.lock").open("w") as guard:
            try:
                fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Contended(
                    f"workspace {self._folder}: another command is at work in it", "wait for its end"
                ) from None
            self._begin()
            self._mend(self._history.head())
            yield

    def build(self, name: str, wanted: Wanted, allowed: list[str]) -> dict[str, Any]:
        """Make a training set of the newest tables and keep it; what was kept before stays where that fails.

        Raises:
            BadRequest: no such service, column or range; or the name cannot be one.
            EmptyRange: no flight in it.
            Leak: a column is known only after the prediction.
            BadQuality: its rows break the contract of training sets.
        """
        file, before = self._file(name), self._history.head()
        made = training.make(self._lake, wanted, allowed)
        rows.check(made.rows, rows.TRAINING, "training set")
        try:
            kept = manifest.keep(made, wanted, file)
            self._workspace.keep(file, f"{name}: {kept.service}, {kept.begin:%F} to {kept.end:%F}, {kept.rows} rows")
        except BaseException:
            self._mend(before)
            raise
        return self._told(name, self._newest(name)) | {"new": self._history.head() != before}

    def sets(self) -> list[dict[str, Any]]:
        """Every set with its versions, newest first."""
        return [
            {"name": name, "versions": [self._told(name, each) for each in self._history.of(self._paths(name))]}
            for name in self._names()
        ]

    def lineage(self, name: str) -> dict[str, Any]:
        """The chain of a set's newest version, from DVC's pointer back to the log."""
        version = self._newest(name)
        chain = lineage.chain(self._lake, self._file(name))
        return {"name": name, "commit": version.commit, **chain, "file": self._paths(name)[0].removesuffix(".dvc")}

    def rebuild(self, name: str) -> dict[str, Any]:
        """Make a set again by its manifest, from the versions of the tables that it names; are its bytes the same?

        Raises:
            SchemaChanged: the feature definitions are others by now.
            TableMissing: a version of a table is gone.
        """
        version = self._newest(name)
        kept = manifest.read(self._file(name))
        manifest.check_definitions(kept)
        made = self._remade(kept)
        with tempfile.TemporaryDirectory() as folder:
            again = manifest.keep(made, kept.wanted(), Path(folder) / f"{name}{_ENDING}")
        tables = [f"{each.name}@{each.version}" for each in kept.tables]
        same = again.sha256 == kept.sha256
        return self._told(name, version) | {"same": same, "rebuilt": again.sha256, "tables": tables}

    def diff(self, name: str, before: str, after: str) -> dict[str, Any]:
        """What differs between two versions of a set: DVC's word on the content, the manifests' on the cause."""
        self._newest(name)
        old, new = (self._history.one(name, self._paths(name), each) for each in (before, after))
        modified = self._workspace.diff(old.commit, new.commit).get("modified", [])
        path = self._paths(name)[0].removesuffix(".dvc")
        return {
            "name": name,
            "before": old.commit,
            "after": new.commit,
            "modified": any(each["path"] == path for each in modified),
            "fields": _differences(self._manifest(name, old), self._manifest(name, new)),
        }

    def checkout(self, name: str, commit: str) -> dict[str, Any]:
        """Bring a set back as it was in a commit, as a new commit; the content comes from the cache or the remote."""
        self._newest(name)
        wanted, before = self._history.one(name, self._paths(name), commit), self._history.head()
        try:
            self._workspace.checkout(self._file(name), wanted.commit)
            self._workspace.keep(self._file(name), f"{name} as it was in {wanted.commit[:SHORT]}")
        except BaseException:
            self._mend(before)
            raise
        return self._told(name, self._newest(name)) | {"from": wanted.commit}

    def _remade(self, kept: Manifest) -> TrainingSet:
        try:
            return training.make(self._lake, kept.wanted(), list(kept.allowed_leaks), kept.tables)
        except TableBroken as failure:
            old = [f"{each.name}@{each.version}" for each in kept.tables if self._lake.reference(each.name) != each]
            if not old:
                raise
            raise TableMissing(
                f"of {', '.join(old)} one can no longer be read: {failure.what}",
                "a vacuum took its files away: build the set anew",
            ) from None

    def _begin(self) -> None:
        config = self._folder / ".dvc" / "config"
        said = config.read_text(encoding="utf-8") if config.exists() else ""
        if self._history.head() is None or f"url = {self._remote}\n" not in said or self._endpoint not in said:
            self._workspace.begin(self._remote, self._endpoint)

    def _mend(self, commit: str | None) -> None:
        """Make the folder what a commit says; it was cut off, or it failed."""
        if commit is None:
            return
        # Nobody else is at work here: a lock that is left is that of one that was killed.
        (self._folder / ".git" / "index.lock").unlink(missing_ok=True)
        if self._history.head() != commit or self._history.changed():
            self._history.back(commit)
            for name in self._names():
                if not lineage.intact(self._file(name)):
                    self._workspace.checkout(self._file(name), commit)
        known = {self._file(name) for name in self._names()}
        for file in (self._folder / _SETS).glob(f"*{_ENDING}"):
            if file not in known:
                file.unlink()
                manifest.beside(file).unlink(missing_ok=True)

    def _names(self) -> list[str]:
        return sorted(each.name.removesuffix(f"{_ENDING}.dvc") for each in self._folder.glob(f"{_SETS}/*{_ENDING}.dvc"))

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise BadRequest(
                f"training set {name!r}: the name cannot be one",
                "take small letters, digits, - and _, at most 63, a letter or digit first and last",
            )
        return self._folder / _SETS / f"{name}{_ENDING}"

    def _paths(self, name: str) -> list[str]:
        """The files of a set that git follows: DVC's pointer, and the manifest."""
        return [f"{_SETS}/{name}{_ENDING}.dvc", str(manifest.beside(self._file(name)).relative_to(self._folder))]

    def _newest(self, name: str) -> Version:
        self._file(name)
        if name not in self._names():
            there = ", ".join(self._names()) or "none yet: build one"
            raise BadRequest(f"training set {name}: there is none of this name", f"there are: {there}")
        return self._history.of(self._paths(name))[0]

    def _manifest(self, name: str, version: Version) -> Manifest:
        path = self._paths(name)[1]
        content = self._history.content(version.commit, path)
        if content is None:
            raise BadRequest(
                f"training set {name}: commit {version.commit[:SHORT]} took it away", "name another commit"
            )
        return manifest.decoded(content, Path(path))

    def _told(self, name: str, version: Version) -> dict[str, Any]:
        kept = self._manifest(name, version)
        return {
            "name": name, "commit": version.commit, "time": version.time, "message": version.message,
            "rows": kept.rows, "service": kept.service, "begin": kept.begin, "end": kept.end, "lead": kept.lead,
            "leaks": kept.allowed_leaks, "sha256": kept.sha256, "registry": kept.registry,
        }  # fmt: skip


def _differences(old: Manifest, new: Manifest) -> dict[str, list[Any]]:
    """Field of the manifest -> what it was and what it is, where these differ."""
    before, after = _flat(old), _flat(new)
    names = [*before, *(name for name in after if name not in before)]
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def _flat(kept: Manifest) -> dict[str, Any]:
    """A manifest with each table and each column as a field of its own."""
    plain = ("service", "begin", "end", "lead", "extra", "allowed_leaks", "rows", "sha256", "registry", "recipe")
    return {
        **{name: getattr(kept, name) for name in plain},
        "label": kept.predicts,
        **{f"table {each.name}": each.version for each in kept.tables},
        **{f"column {name}": kind for name, kind in kept.columns.items()},
    }
