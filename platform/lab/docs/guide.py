"""A guide as a trainee works through it: commands to paste, and what they print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

from lab.docs.markdown import Document, Fence

RUN = "bash"
"""Blocks that are pasted, and run by the tests."""
SHOWN = "sh"
"""Blocks that are only shown."""
OUTPUT = "output"
"""Blocks that hold what the block just before prints."""
_ASKING = re.compile(
    r"(make (check-\d\d|status)|lab (check|status|quiz|hint|lint|env)\b|lab data (list|lineage|diff)\b"
    r"|lab release status\b|lab kubectl (get|describe|top)\b|kubectl (-n \S+ )?(get|describe|top)\b|ask |ls )[^<>;&]*"
    r"( \|\| true)?"
)
"""Commands that may be repeated: they answer a question and change nothing."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of commands, and the one of its output.

    Attributes:
        heading: the part of the guide in which it stands.
        line: its first command's in the file, from 1.
        commands: what is pasted.
        output: the block that holds what is printed, if the guide shows it.

    """

    heading: str
    line: int
    commands: str
    output: Fence | None

    @property
    def asks(self) -> bool:
        """Say whether every line only asks, so that it can be run again to hear it in another language."""
        return all(_ASKING.fullmatch(line) for line in self.commands.splitlines())

    @property
    def shown(self) -> list[str]:
        """Return the lines of the output that the guide shows."""
        return self.output.text.splitlines() if self.output else []


def blocks(document: Document, kinds: tuple[str, ...] = (RUN,)) -> list[Block]:
    """Return a document's blocks of commands in order, each with the block of output that follows it."""
    lines, found = document.text.splitlines(), []
    for fence, after in zip_longest(document.fences, document.fences[1:]):
        if fence.kind in kinds:
            mine = after if after and after.kind == OUTPUT and _adjacent(lines, fence, after) else None
            found.append(Block(fence.heading, fence.line + 1, fence.text, mine))
    return found


def _adjacent(lines: list[str], fence: Fence, after: Fence) -> bool:
    """Say whether nothing stands between two blocks."""
    return not "".join(lines[fence.end : after.line - 1]).strip()
