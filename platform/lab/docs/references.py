"""Links and file names in documents: each leads somewhere inside the checkout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import filter as matching
from os.path import normpath
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from lab.docs.checkout import Checkout
from lab.docs.markdown import Document, read
from lab.errors import Fault
from lab.text import Text

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:")
_PATH = re.compile(r"[\w.*{}<>-]+(?:/[\w.*{}<>-]+)*/?")
_FILE = re.compile(r".+\.(?:md|py|yaml|toml|go|sh)")
"""Bare names of files that people write; data have names like these in many places."""
_OPEN = re.compile(r"<[^>]+>|\{[^}]+\}|\b[A-Z]{2,}(?:_[A-Z]+)*(?:-name|-nom)?\b")
"""What stands for a name."""
_MADE = re.compile(r"(?:^|/)(?:work|build|\.venv)\b|^lab\.draft\.yaml$")
"""What trainees and tools make, and a lab's file until it is finished."""
_BASES = ("", "services", "platform", "platform/lab", "platform/helm", "platform/images", "tests/contract")
"""Folders from which documents name files."""
_PAST = ("docs/adr/", "CHANGELOG.md")
"""Documents of what was: a file may have gone since."""


def links(checkout: Checkout) -> Iterator[Fault]:
    """Hold every link inside the checkout to a file that is there, and to a heading that the file has."""
    for document in checkout.documents:
        for link in document.links:
            if not _ELSEWHERE.match(link.text) and (missing := _missing(checkout, document, unquote(link.text))):
                yield Fault(
                    document.place(link.line),
                    Text(
                        en=f"link to {link.text}: there is no {missing}", fr=f"lien vers {link.text} : pas de {missing}"
                    ),
                    Text(en="correct it", fr="corrigez-le"),
                )


def _missing(checkout: Checkout, document: Document, link: str) -> str:
    """Return what of a link is not there; nothing where it leads somewhere."""
    place, _, anchor = link.partition("#")
    path = normpath((document.path.parent / place).as_posix()) if place else document.path.as_posix()
    if path != "." and path not in checkout.paths:
        return path
    if not anchor:
        return ""
    known = read(checkout.root, Path(path)).anchors if path.endswith(".md") else set()
    return "" if anchor in known else f"#{anchor}"


def file_names(checkout: Checkout) -> Iterator[Fault]:
    """Hold every path between backticks to a file or folder of the checkout."""
    names = {PurePosixPath(path).name for path in checkout.paths}
    for document in checkout.documents:
        for code in document.codes:
            if _is_name(code.text, document) and not _known(checkout, document, code.text.rstrip("/"), names):
                yield Fault(
                    document.place(code.line),
                    Text(en=f"`{code.text}` is not there", fr=f"`{code.text}` n'existe pas"),
                    Text(en="correct the name", fr="corrigez le nom"),
                )


def _is_name(text: str, document: Document) -> bool:
    if not _PATH.fullmatch(text) or _MADE.search(text):
        return False
    if "/" in text:
        return "/" in text.rstrip("/")
    return bool(_FILE.fullmatch(text)) and not document.path.as_posix().startswith(_PAST)


def _known(checkout: Checkout, document: Document, text: str, names: set[str]) -> bool:
    """Say whether a path is there; one that begins in no folder of ours is no path: a topic, a route, a type."""
    if any(re.search(rf"(?:^|/)(?:lab-{number}|{number}-)", text) for number in document.imagined):
        return True
    path = _OPEN.sub("*", text)
    if "/" not in path:
        return bool(matching(names, path))
    first = path.split("/")[0]
    bases = [base for base in (document.path.parent.as_posix(), *_BASES) if _there(checkout, base, first)]
    return not bases or "*" in first or any(_there(checkout, base, path) for base in bases)


def _there(checkout: Checkout, base: str, name: str) -> bool:
    path = normpath(f"{base or '.'}/{name}")
    return bool(matching(checkout.paths, path)) if "*" in path else path in checkout.paths
