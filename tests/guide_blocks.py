"""The commands of a guide, as a trainee would paste them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of commands.

    Attributes:
        heading: the part of the guide in which it stands.
        line: its first line in the file, from 1.
        commands: what is pasted.

    """

    heading: str
    line: int
    commands: str


def blocks(guide: Path) -> list[Block]:
    """Return the guide's bash blocks in order."""
    text = guide.read_text("utf-8")
    return [
        Block(_heading_before(text, match.start()), text.count("\n", 0, match.start(1)) + 1, match[1])
        for match in _BLOCK.finditer(text)
    ]


def script(parts: list[Block]) -> str:
    """Return one shell session that runs the blocks in turn, stops at the first failure and names its line."""
    lines = ["set -euo pipefail"]
    for part in parts:
        lines += [f"trap 'echo \"guide line {part.line}: {_plain(part.heading)}\" >&2' ERR", part.commands]
    return "\n".join(lines)


def _heading_before(text: str, place: int) -> str:
    found = [match[1] for match in _HEADING.finditer(text, 0, place)]
    return found[-1] if found else ""


def _plain(heading: str) -> str:
    return re.sub(r"[^\w .,:-]", "", heading)
