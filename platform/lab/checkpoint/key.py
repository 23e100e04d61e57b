"""What a checkpoint depends on, as one hash: it is put back only where replaying would lead to the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.spec import Course

_OWN = ("manifests/base", "manifests/start", "manifests/solved")
_CHARTS = "platform/helm"
_TOLD = {"title", "exercises", "evidence", "budget", "checkpoint"}
"""Fields of a lab's declaration that change nothing of its state: texts, what is looked at, what it may take."""
_FORM = b"2"
"""Of what is kept beside the volumes: what was kept in another one does not fit."""


def key(course: Course, code: str, references: Iterable[str]) -> str:
    """Return the hash of what a lab declares of its state, its manifests, the charts and the images.

    Args:
        course: whose checkout.
        code: the lab's number.
        references: names of the images, which say what is in them.

    """
    content = hashlib.sha256(_FORM)
    for reference in sorted(references):
        content.update(f"{reference}\n".encode())
    content.update(course.lab(code).model_dump_json(exclude=_TOLD).encode())
    for file in _files(course, code):
        content.update(f"{file.relative_to(course.root)}\n".encode())
        content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()


def _files(course: Course, code: str) -> Iterator[Path]:
    folder = course.folder(code)
    yield course.root / "platform/stack.yaml"
    for each in (*(folder / own for own in _OWN), course.root / _CHARTS):
        yield from sorted(path for path in each.rglob("*") if path.is_file())
