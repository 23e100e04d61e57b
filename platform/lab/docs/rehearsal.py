"""A guide's commands run as a trainee would paste them, and a record of what each block printed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.docs.guide import Block
from lab.errors import BadInput
from lab.process import CommandFailed, run
from lab.progress import Say
from lab.text import Language, Text

LANGUAGES: tuple[Language, ...] = ("en", "fr")
_COLUMNS = 1000
"""Wide enough that nothing is folded: where a line is folded depends on who reads it."""
_LAST = 20
"""Lines of the block that failed."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a block of commands printed.

    Attributes:
        commands: the block.
        lines: its standard output.

    """

    commands: str
    lines: list[str]


def rehearse(root: Path, code: str, parts: Sequence[Block], say: Say) -> None:
    """Run the blocks in one shell session, in English; what only asks, in French as well. Writes both records.

    Raises:
        CommandFailed: a block failed; its line is named, and what it printed is told.

    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            run(
                ["bash", "-c", script(parts, folder)],
                what=Text(en=f"the guide of lab {code}", fr=f"le guide du lab {code}"),
                env={"COLUMNS": str(_COLUMNS), "LAB_LANG": "en"},
                cwd=root,
                stream=lambda line: say(Text.plain(line)),
            )
        except CommandFailed:
            say(Text.plain("\n".join(_last(folder))))
            raise
        for language in LANGUAGES:
            told = [Printed(part.commands, _heard(folder, place, language)) for place, part in enumerate(parts)]
            _write(file(root, code, language), told)


def file(root: Path, code: str, language: Language) -> Path:
    """Return where the record of a guide lies."""
    return root / "build/guides" / f"{code}.{language}.json"


def recorded(root: Path, code: str, language: Language) -> list[Printed]:
    """Return the last record of a guide.

    Raises:
        BadInput: there is none, or none that can be read.

    """
    path = file(root, code, language)
    try:
        return [Printed(**each) for each in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(
            Text(
                en=f"{path.relative_to(root)}: no record of the guide of lab {code}",
                fr=f"{path.relative_to(root)} : aucun enregistrement du guide du lab {code}",
            ),
            Text(en=f"run the guide: `lab docs run {code}`", fr=f"exécutez le guide : `lab docs run {code}`"),
        ) from error


def script(parts: Sequence[Block], folder: Path) -> str:
    """Return one shell session that runs the blocks in turn, stops at the first failure and names its line.

    What the block at place N prints goes into the file N.en; what it prints in French, if it only asks and the guide
    shows the answer, into N.fr. Errors and progress go where those of the session go.

    Args:
        parts: the blocks.
        folder: for the files.

    """
    lines = ["set -euo pipefail"]
    for place, part in enumerate(parts):
        lines += [
            f"trap 'echo \"guide line {part.line}: {_plain(part.heading)}\" >&2' ERR",
            f'exec > "{folder}/{place:03}.en"',
            part.commands,
        ]
        if part.output and part.asks:
            lines += [f'(export LAB_LANG=fr\n{part.commands}) > "{folder}/{place:03}.fr"']
    return "\n".join(lines)


def _heard(folder: Path, place: int, language: Language) -> list[str]:
    """Return what a block printed in a language: what was not said twice is the same in both."""
    path = folder / f"{place:03}.{language}"
    said = path if path.exists() else folder / f"{place:03}.en"
    return [line.rstrip() for line in said.read_text("utf-8", "replace").splitlines()]


def _last(folder: Path) -> list[str]:
    *_, last = [Path("/dev/null"), *sorted(folder.iterdir())]
    return last.read_text("utf-8", "replace").splitlines()[-_LAST:]


def _write(path: Path, told: Sequence[Printed]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(each) for each in told], ensure_ascii=False, indent=1), "utf-8")


def _plain(heading: str) -> str:
    return re.sub(r"[^\w .,:-]", "", heading)
