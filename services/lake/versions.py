"""Versions of files with DVC: the file's content goes to a remote, a pointer of a few lines goes to git.

Thin commands over the real programs, so that whoever reads the trace can type the same. Credentials of an S3 remote
come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY); nothing secret is written anywhere.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from lake import manifest
from lake.errors import BadRequest, ToolFailed

REMOTE = "lake"
_AUTHOR = ("-c", "user.name=lake", "-c", "user.email=lake@tarmac.invalid")


class Workspace:
    """A folder that git and DVC follow.

    Args:
        folder: the top of the git repository.

    Raises:
        ToolFailed: by every call, where git or DVC fails; with what it said.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, remote: str, endpoint: str = "") -> None:
        """Make the folder a repository of both, with a remote (a folder or `s3://bucket/prefix`)."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / ".git").exists():
            self._git("init", "--quiet")
        if not (self.folder / ".dvc").exists():
            self._dvc("init", "--quiet")
        for option in ("core.analytics", "core.check_update"):
            self._dvc("config", option, "false")
        self._dvc("config", "core.autostage", "true")
        self._dvc("remote", "add", "--default", "--force", REMOTE, remote)
        if endpoint:
            self._dvc("remote", "modify", REMOTE, "endpointurl", endpoint)
        self._git("add", ".dvc")
        self._commit("the remote of the data")

    def keep(self, file: Path, message: str) -> str:
        """Take a version of a file (and its manifest) and push it; the commit that names it."""
        name = self._inside(file)
        self._dvc("add", "--quiet", name)
        self._git("add", f"{name}.dvc", ".gitignore" if "/" not in name else f"{Path(name).parent}/.gitignore")
        beside = manifest.beside(file)
        if beside.exists():
            self._git("add", self._inside(beside))
        self._commit(message)
        self.push()
        return self._git("rev-parse", "HEAD").strip()

    def push(self) -> None:
        """Send contents that the remote lacks."""
        self._dvc("push", "--quiet")

    def pull(self) -> None:
        """Fetch the contents that the pointers name."""
        self._dvc("pull", "--quiet")

    def checkout(self, file: Path, commit: str) -> None:
        """Bring a file back as it was in a commit: the pointer from git, the content from cache or remote."""
        name = self._inside(file)
        self._git("checkout", "--quiet", commit, "--", f"{name}.dvc")
        beside = self._inside(manifest.beside(file))
        if self._git("ls-tree", "--name-only", commit, "--", beside).strip():
            self._git("checkout", "--quiet", commit, "--", beside)
        self._dvc("pull", "--quiet", "--force", f"{name}.dvc")

    def diff(self, before: str, after: str = "") -> dict[str, Any]:
        """What changed between two commits (or a commit and the folder): added, deleted, modified, renamed."""
        told = self._dvc("diff", "--json", before, *([after] if after else []))
        found: dict[str, Any] = json.loads(told or "{}")
        return found

    def _inside(self, file: Path) -> str:
        try:
            return str(file.resolve().relative_to(self.folder.resolve()))
        except ValueError:
            raise BadRequest(f"file {file} is not inside {self.folder}", "name a file of the workspace") from None

    def _commit(self, message: str) -> None:
        if self._git("status", "--porcelain", "--untracked-files=no").strip():
            self._git(*_AUTHOR, "commit", "--quiet", "--message", message)

    def _git(self, *words: str) -> str:
        return _run("git", *words, folder=self.folder)

    def _dvc(self, *words: str) -> str:
        return _run("dvc", *words, folder=self.folder)


def _program(name: str) -> str:
    """The program beside this interpreter, else the one on PATH.

    Raises:
        BadRequest: it is not there.
    """
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise BadRequest(f"program {name} is not on PATH", f"install {name}")
    return found


def _run(name: str, *words: str, folder: Path) -> str:
    env = {**os.environ, "DVC_NO_ANALYTICS": "1", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(  # noqa: S603  our own words
        [_program(name), *words], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip())[-1000:]
        raise ToolFailed(f"{name} {' '.join(words)} in {folder}: {told}", "see what it says; nothing was half done")
    return done.stdout
