"""The checkout as its documents speak of it: files, labs, commands."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path

import click

from lab.docs.markdown import Document, read
from lab.spec import Course
from lab.text import Language

_MADE = re.compile(r"\.(?!ci$|github$)|build$|work|__pycache__$|.*\.egg-info$")
"""Folders that tools and trainees make."""
_TARGET = re.compile(r"^([a-z%-]+):.*## ", re.MULTILINE)
_GUIDES: dict[Language, str] = {"en": "guide.md", "fr": "guide.fr.md"}
_WIDTH = 80
"""Columns of a help text, whatever the terminal."""


class Checkout:
    """What documents are held to.

    Args:
        root: the checkout.
        program: the `lab` command, whose options are asked for.

    """

    def __init__(self, root: Path, program: click.Group) -> None:
        self.root = root
        self.course = Course(root)
        self._program = program

    @cached_property
    def paths(self) -> frozenset[str]:
        """Return every file and folder that belongs to the project, relative to its root."""
        return frozenset(self._walk())

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """Return every Markdown file."""
        return tuple(read(self.root, Path(path)) for path in sorted(self.paths) if path.endswith(".md"))

    def targets(self, more: Collection[str] = ()) -> frozenset[str]:
        """Return what `make` can be asked for, with the labs that there are and further ones."""
        found = _TARGET.findall((self.root / "Makefile").read_text("utf-8"))
        return frozenset(name.replace("%", code) for name in found for code in (*self.course.codes(), *more))

    def guide(self, code: str, language: Language) -> Document:
        """Return a lab's guide.

        Raises:
            BadInput: there is no such lab.

        """
        folder = self.course.folder(code)
        return read(self.root, (folder / _GUIDES[language]).relative_to(self.root))

    def is_guide(self, document: Document) -> bool:
        """Say whether a document is one whose commands are run."""
        return document.path.parts[0] == "labs" and document.path.name in _GUIDES.values()

    def command(self, words: list[str]) -> tuple[click.Context, list[str]]:
        """Return the command that words begin with, and the words behind it."""
        context = self._program.make_context("lab", [], resilient_parsing=True, terminal_width=_WIDTH)
        while words and isinstance(context.command, click.Group):
            found = context.command.get_command(context, words[0])
            if found is None:
                break
            context = found.make_context(words[0], [], parent=context, resilient_parsing=True)
            words = words[1:]
        return context, words

    def _walk(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if not _MADE.match(name)]
            base = Path(folder).relative_to(self.root)
            yield from ((base / name).as_posix() for name in (*folders, *files))
