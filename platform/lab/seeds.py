"""The trainee's seed: a number that decides facts of exercises, so that a neighbour's answer is no answer.

It is `LAB_SEED`, or drawn once for this workstation and kept. A lab's manifests name it, the recorded state holds it,
and the check derives the right answer from there:

    seed:                       the seed itself
    seed:FACT:one,two,three     these things in the order that the seed gives them for the fact, with commas between
    seed:FACT:one|two|three     the first of them in that order

`order` stands in `runtime.seeds` as well, for labs' services: neither side may import the other.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from lab import files
from lab.errors import LabError
from lab.settings import Settings
from lab.text import Text

_HIGHEST = 1_000_000
_MARK = re.compile(r"seed:(?:([a-z][a-z0-9-]*):([\w-]+(?:(?:,[\w-]+)+|(?:\|[\w-]+)+)))?")
_DIGITS = re.compile(r"[0-9]{1,9}")


def order(seed: str, fact: str, things: Iterable[str]) -> list[str]:
    """Return things in the order that a seed gives them; of each fact it is another one."""
    return sorted(things, key=lambda thing: hashlib.sha256(f"{seed} {fact} {thing}".encode()).digest())


def kept(settings: Settings) -> str | None:
    """Return the workstation's seed; None where none was set or drawn yet."""
    if settings.seed is not None:
        return settings.seed
    try:
        found = _file(settings).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return found if _DIGITS.fullmatch(found) else None


def drawn(settings: Settings) -> str:
    """Return the workstation's seed, drawn and kept where there is none yet.

    Raises:
        LabError: it cannot be kept.

    """
    if (found := kept(settings)) is not None:
        return found
    seed, file = str(secrets.randbelow(_HIGHEST)), _file(settings)
    try:
        files.write(file, seed + "\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise LabError(
            Text(
                en=f"{file}: the seed cannot be kept: {reason}", fr=f"{file} : la graine ne peut être gardée : {reason}"
            ),
            Text(en="make the folder writable, or set LAB_SEED", fr="rendez le dossier accessible, ou fixez LAB_SEED"),
        ) from error
    return seed


def filled(value: object, seed: Callable[[], str]) -> object:
    """Return JSON in which each text that names the seed is what it decides; without such a text nobody asks for it."""
    if isinstance(value, dict):
        return {key: filled(each, seed) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, seed) for each in value]
    mark = _MARK.fullmatch(value) if isinstance(value, str) else None
    if mark is None:
        return value
    return _decided(seed(), mark[1], mark[2]) if mark[1] else seed()


def _decided(seed: str, fact: str, things: str) -> str:
    if "|" in things:
        return order(seed, fact, things.split("|"))[0]
    return ",".join(order(seed, fact, things.split(",")))


def decides(manifests: Path) -> bool:
    """Say whether a seed decides anything of a lab's manifests, a folder."""
    files = (path for part in ("base", "solved") for path in (manifests / part).rglob("*.yaml"))
    return any('"seed:' in path.read_text("utf-8") for path in files)


def _file(settings: Settings) -> Path:
    return settings.home / "seed.txt"  # no cluster can have this name
