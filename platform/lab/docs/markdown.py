"""A Markdown document, as far as its words can be held to something: blocks, headings, links, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from lab.text import Language

_NEW = re.compile(r"\blab new (\d\d)\b")
_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block.

    Attributes:
        kind: the word behind the fence, such as `bash`.
        line: of the opening fence in the file, from 1.
        end: of the closing fence.
        text: what stands between.
        heading: the part of the document in which it stands.

    """

    kind: str
    line: int
    end: int
    text: str
    heading: str


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of a line: the target of a link, or what stands between backticks.

    Attributes:
        text: the piece.
        line: where it stands in the file, from 1.
        paragraph: number of the paragraph or table cell, so that neighbours can be told.

    """

    text: str
    line: int
    paragraph: int


@dataclass
class Document:
    """One file, parsed.

    Attributes:
        path: of the file, relative to the checkout.
        text: all of it.
        fences: its fenced blocks, in order.
        titles: its headings' words.
        links: the targets of its links and pictures.
        codes: what stands between backticks.

    """

    path: Path
    text: str
    fences: list[Fence] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    links: list[Word] = field(default_factory=list)
    codes: list[Word] = field(default_factory=list)

    @property
    def language(self) -> Language:
        """Return the language in which it is written: its name says so."""
        return "fr" if self.path.name.endswith(".fr.md") else "en"

    def place(self, line: int) -> str:
        """Return a line of it as authors are told it."""
        return f"{self.path.as_posix()}:{line}"

    @property
    def imagined(self) -> set[str]:
        """Return the numbers of labs that its reader is to make: they need not be there."""
        return set(_NEW.findall(self.text))

    @property
    def anchors(self) -> set[str]:
        """Return its anchors as forges make them: lower case, blanks to hyphens, no punctuation, doubles numbered."""
        found: set[str] = set()
        for title in self.titles:
            slug = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
            numbered = (f"{slug}-{number}" for number in range(1, len(self.titles)))
            found.add(slug if slug not in found else next(each for each in numbered if each not in found))
        return found


def read(root: Path, path: Path) -> Document:
    """Parse a file of the checkout."""
    return parse(path, (root / path).read_text("utf-8"))


def parse(path: Path, text: str) -> Document:
    """Parse a document's text."""
    document = Document(path, text)
    opened = False
    for number, token in enumerate(_PARSER.parse(text)):
        if token.type == "heading_open":
            opened = True
        elif token.type == "inline":
            if opened:
                document.titles.append(_plain(token))
            opened = False
            _words(document, token, number)
        elif token.type == "fence" and token.map:
            begin, end = token.map
            heading = document.titles[-1] if document.titles else ""
            document.fences.append(Fence(token.info.strip(), begin + 1, end, token.content, heading))
    return document


def _words(document: Document, paragraph: Token, number: int) -> None:
    for line, token in _lines(paragraph):
        if token.type == "code_inline":
            document.codes.append(Word(token.content, line, number))
        elif target := token.attrGet("href") or token.attrGet("src"):
            document.links.append(Word(str(target), line, number))


def _lines(paragraph: Token) -> Iterator[tuple[int, Token]]:
    """Yield a paragraph's pieces with the line on which each stands."""
    line = paragraph.map[0] + 1 if paragraph.map else 0
    for token in paragraph.children or ():
        yield line, token
        line += token.type in ("softbreak", "hardbreak")


def _plain(heading: Token) -> str:
    return "".join(token.content for token in heading.children or ())
