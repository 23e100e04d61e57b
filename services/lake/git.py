"""What versions of files need of git, by Dulwich, which DVC brings along: no program `git` has to be there.

The repositories are ordinary ones: whoever has the program looks into them with it.
"""

import shutil
from pathlib import Path

from dulwich import porcelain
from dulwich.errors import NotGitRepository
from dulwich.objects import Commit
from dulwich.objectspec import parse_commit, parse_object, parse_tree
from dulwich.repo import Repo

from lake.errors import BadRequest, ToolFailed

_AUTHOR = b"lake <lake@tarmac.invalid>"


def begin(folder: Path) -> None:
    """Make a folder a repository, where it is none yet."""
    if not (folder / ".git").exists():
        porcelain.init(folder).close()


def stage(folder: Path, *names: str) -> None:
    """Add files, as paths from the top, to what is committed next."""
    with _opened(folder) as repository:
        porcelain.add(repository, [str(folder.resolve() / name) for name in names])


def commit(folder: Path, message: str) -> str:
    """Commit what is staged, if anything is; the newest commit."""
    with _opened(folder) as repository:
        if any(porcelain.get_tree_changes(repository).values()):
            porcelain.commit(repository, message, author=_AUTHOR, committer=_AUTHOR, sign=False)
        return repository.head().decode()


def bring(folder: Path, commit: str, *names: str) -> None:
    """Bring files back as they were in a commit, and stage them so.

    Raises:
        BadRequest: one of them is not in that commit.
        ToolFailed: there is no such commit.
    """
    with _opened(folder) as repository:
        found = _commit(repository, commit)
        for name in names:
            if not _holds(repository, found, name):
                raise BadRequest(f"file {name} is not in commit {commit}", "`git log -- FILE` lists the commits of it")
        porcelain.checkout(repository, found, paths=list(names))


def holds(folder: Path, commit: str, name: str) -> bool:
    """Whether a commit has a file.

    Raises:
        ToolFailed: there is no such commit.
    """
    with _opened(folder) as repository:
        return _holds(repository, _commit(repository, commit), name)


def clone(source: Path, target: Path) -> None:
    """Copy a repository, as onto another machine: what git does not follow stays behind."""
    with _opened(source):
        # Dulwich's own clone writes down who made it, and a pod has no name for its user.
        shutil.copytree(source / ".git", target / ".git")
    with _opened(target) as repository:
        repository.get_worktree().reset_index()


def _opened(folder: Path) -> Repo:
    try:
        return Repo(str(folder))
    except NotGitRepository as failure:
        raise ToolFailed(f"git in {folder}: {failure}", "make it one first: `python -m lake version begin`") from None


def _commit(repository: Repo, name: str) -> Commit:
    """The commit of that name: a branch, an id or the beginning of one, or `HEAD~1`."""
    for parse in (parse_commit, parse_object):
        try:
            found = parse(repository, name)
        except (KeyError, ValueError):
            continue
        if isinstance(found, Commit):
            return found
    raise ToolFailed(f"git has no commit {name}", "`git log` lists the commits")


def _holds(repository: Repo, commit: Commit, name: str) -> bool:
    try:
        parse_tree(repository, commit).lookup_path(repository.object_store.__getitem__, name.encode())
    except KeyError:
        return False
    return True
