"""Versions of files with DVC: the file's content goes to a remote, a pointer of a few lines goes to git.

Thin commands over the real program, so that whoever reads the trace can type the same. What it needs to get into an S3
remote is given to it by its environment; nothing secret is written anywhere. Whatever else it keeps lies in the folder.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configobj import ConfigObj

from lake import git, manifest
from lake.errors import BadRequest, ToolFailed
from runtime.store import StoreSettings

REMOTE = "lake"
_SEVERAL = (
    "import json, sys; from dvc.cli import main; sys.exit(next(filter(None, map(main, json.loads(sys.argv[1]))), 0))"
)
"""Runs commands of DVC one after the other until one fails: its start takes a second or two, and is paid once."""


def keys(settings: StoreSettings) -> dict[str, str]:
    """What DVC is told of an object store: by the environment, so that no key is written to the folder."""
    return {
        "AWS_ACCESS_KEY_ID": settings.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": settings.s3_secret_key,
        "AWS_DEFAULT_REGION": settings.s3_region,
    }


class Workspace:
    """A folder that git and DVC follow.

    Args:
        folder: the top of the git repository.
        keys: variables for an S3 remote, where the environment does not have them already.

    Raises:
        ToolFailed: by every call, where git or DVC fails; with what it said.
    """

    def __init__(self, folder: Path, keys: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._keys = dict(keys or {})

    def begin(self, remote: str, endpoint: str = "") -> None:
        """Make the folder a repository of both, with a remote (a folder or `s3://bucket/prefix`)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        git.begin(self.folder)
        if not (self.folder / ".dvc").exists():
            self._dvc(["init"])
        self._configure(remote if "://" in remote else str((self.folder / remote).resolve()), endpoint)
        git.stage(self.folder, ".dvc/config", ".dvc/.gitignore", ".dvcignore")
        git.commit(self.folder, "the remote of the data")

    def keep(self, file: Path, message: str, *, push: bool = True) -> str:
        """Take a version of a file (and its manifest) and, unless told otherwise, push it; the commit that names it."""
        name = self._inside(file)
        self._dvc(["add", name], *([["push"]] if push else []))
        beside = manifest.beside(file)
        follows = [f"{name}.dvc", str(Path(name).with_name(".gitignore"))]
        git.stage(self.folder, *follows, *([self._inside(beside)] if beside.exists() else []))
        return git.commit(self.folder, message)

    def push(self) -> None:
        """Send contents that the remote lacks."""
        self._dvc(["push"])

    def pull(self) -> None:
        """Fetch the contents that the pointers name."""
        self._dvc(["pull"])

    def checkout(self, file: Path, commit: str) -> None:
        """Bring a file back as it was in a commit: the pointer from git, the content from cache or remote."""
        name, beside = self._inside(file), self._inside(manifest.beside(file))
        git.bring(self.folder, commit, f"{name}.dvc")
        if git.holds(self.folder, commit, beside):
            git.bring(self.folder, commit, beside)
        self._dvc(["pull", "--force", f"{name}.dvc"])

    def diff(self, before: str, after: str = "") -> dict[str, Any]:
        """What changed between two commits (or a commit and the folder): added, deleted, modified, renamed."""
        told = self._dvc(["diff", "--json", before, *([after] if after else [])])
        found: dict[str, Any] = json.loads(told or "{}")
        return found

    def clone(self, folder: Path) -> "Workspace":
        """The same repository elsewhere, as a colleague gets it: with every pointer, and with no content."""
        git.clone(self.folder, folder)
        return Workspace(folder, self._keys)

    def _configure(self, remote: str, endpoint: str) -> None:
        """Write what `dvc config` and `dvc remote` would, in one go: each call of the program takes a second."""
        config = ConfigObj(str(self.folder / ".dvc" / "config"), encoding="utf-8")
        core = {"analytics": "false", "check_update": "false", "autostage": "true", "remote": REMOTE}
        config.setdefault("core", {}).update(core)
        # A store that is away is noticed within seconds, as by the lake itself.
        config[f'remote "{REMOTE}"'] = {
            "url": remote, **({"endpointurl": endpoint, "connect_timeout": "5"} if endpoint else {})
        }  # fmt: skip
        config.write()

    def _inside(self, file: Path) -> str:
        try:
            return str(file.resolve().relative_to(self.folder.resolve()))
        except ValueError:
            raise BadRequest(f"file {file} is not inside {self.folder}", "name a file of the workspace") from None

    def _dvc(self, *commands: list[str]) -> str:
        """Run commands of DVC; what they say."""
        _look_for_dvc()
        words = [sys.executable, "-c", _SEVERAL, json.dumps(commands)]
        env = self._environment()
        done = subprocess.run(words, cwd=self.folder, env=env, capture_output=True, text=True, check=False)  # noqa: S603  our own words
        if done.returncode:
            told = (done.stderr.strip() or done.stdout.strip())[-1000:]
            line = " && ".join(" ".join(["dvc", *each]) for each in commands)
            raise ToolFailed(f"{line} in {self.folder}: {told}", "see what it says")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """A pod has neither a home to write to nor a name for its user: DVC keeps all it needs under `.dvc/tmp`."""
        own = {"LOGNAME": "lake", "DVC_SITE_CACHE_DIR": str(self.folder.resolve() / ".dvc" / "tmp" / "site")}
        return {**self._keys, **own, **os.environ, "DVC_NO_ANALYTICS": "1", "GIT_TERMINAL_PROMPT": "0"}


def _look_for_dvc() -> None:
    if importlib.util.find_spec("dvc") is None:
        raise BadRequest("package dvc is not installed", "`pip install -r requirements/versions.txt`")
