"""The bundle as a file: one JSON document that holds a lab's recorded state, with no secrets in it."""

from __future__ import annotations

import json
from pathlib import Path

from lab import files
from lab.errors import BadInput, LabError
from lab.text import Text

FORMAT = 1
"""The form that this version writes and reads."""

State = dict[str, object]

_PARTS: dict[str, type] = {
    "versions": dict,
    "objects": list,
    "topics": dict,
    "groups": dict,
    "metrics": dict,
    "traces": dict,
    "answers": dict,
}
_MAKE_AGAIN = Text(
    en="make it again with `lab support`, and send the whole file",
    fr="refaites-le avec `lab support`, et envoyez le fichier entier",
)


def read(file: Path, lab: str) -> State:
    """Read a bundle of one lab.

    Args:
        file: where it is.
        lab: the lab's two digits, such as `01`.

    Raises:
        BadInput: it is missing, malformed, of another format, or of another lab.

    """
    state = _parsed(file)
    found = state.get("format")
    if found != FORMAT or isinstance(found, bool):
        raise BadInput(
            Text(
                en=f"{file}: format is {found!r}, this version reads format {FORMAT}",
                fr=f"{file} : format vaut {found!r}, cette version lit le format {FORMAT}",
            ),
            Text(
                en="use the version of the tool that wrote it, or make the bundle again with `lab support`",
                fr="prenez la version de l'outil qui l'a écrit, ou refaites-le avec `lab support`",
            ),
        )
    if state.get("lab") != lab:
        raise _other_lab(file, state.get("lab"), lab)
    for part, kind in _PARTS.items():
        if not isinstance(state.get(part), kind):
            raise _malformed(file, f"{part}: {kind.__name__}")
    return state


def write(file: Path, state: State) -> None:
    """Write a bundle so that only its owner can read it.

    Raises:
        LabError: the file cannot be written.

    """
    text = json.dumps(state, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    try:
        files.write(file, text, private=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LabError(
            Text(en=f"{file} cannot be written: {reason}", fr=f"{file} ne peut pas être écrit : {reason}"),
            Text(en="name another file with --file", fr="nommez un autre fichier avec --file"),
        ) from error


def _parsed(file: Path) -> State:
    try:
        state = json.loads(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadInput(
            Text(en=f"{file} does not exist", fr=f"{file} n'existe pas"),
            Text(en="check the path given to --state", fr="vérifiez le chemin donné à --state"),
        ) from error
    except OSError as error:
        raise _malformed(file, error.strerror or str(error)) from error
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _malformed(file, str(error)) from error
    if not isinstance(state, dict):
        raise _malformed(file, f"{type(state).__name__}, not an object")
    return state


def _malformed(file: Path, detail: str) -> BadInput:
    return BadInput(
        Text(en=f"{file} is no state bundle: {detail}", fr=f"{file} n'est pas un état enregistré : {detail}"),
        _MAKE_AGAIN,
    )


def _other_lab(file: Path, found: object, wanted: str) -> BadInput:
    return BadInput(
        Text(
            en=f"{file}: lab is {found!r}: a bundle of another lab than {wanted}",
            fr=f"{file} : lab vaut {found!r} : l'état d'un autre lab que {wanted}",
        ),
        Text(
            en=f"check it with `lab check {found} --state {file}`, or give a bundle of lab {wanted}",
            fr=f"vérifiez-le avec `lab check {found} --state {file}`, ou donnez un état du lab {wanted}",
        ),
    )
