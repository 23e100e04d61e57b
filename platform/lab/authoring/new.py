"""Makes a lab that keeps every rule from its first minute: a small one, whose author replaces it part by part.

What is written stands under `template/`: `lab/` becomes the lab's folder, `image/` the recipe of its image.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

from lab.errors import BadInput, LabError
from lab.spec import LABS
from lab.text import Text

FIRST_HOST_PORT, FIRST_NODE_PORT = 8100, 30100
"""A new lab's own ports: these, and its number."""
_TEMPLATE = Path(__file__).with_name("template")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 30
_IMAGE = """\
  lab-{code}:
    from: python
    sources: [labs/{folder}/service]
"""
_COVERED = """
## {folder}: new

| topic | exercise | what the trainee changes | questions |
|---|---|---|---|
| retries | `retry` | how often one call is tried | when-to-ask-again |
"""


def create(root: Path, code: str, name: str) -> list[Path]:
    """Make a lab that is a draft, its image's recipe, and its rows in images.yaml and in the table of coverage.

    Args:
        root: the checkout.
        code: the lab's number, `3` or `03`.
        name: the lab's name, such as `resilience`.

    Returns:
        The files that were written or changed.

    Raises:
        BadInput: the number or the name cannot be taken; nothing was written.

    """
    code = _number(root, code)
    _usable(root, name)
    folder = f"{code}-{name}"
    words = {
        "@NN@": code,
        "@NUMBER@": str(int(code)),
        "@NAME@": name,
        "@PACKAGE@": _package(name),
        "@NODEPORT@": str(FIRST_NODE_PORT + int(code)),
    }
    added = {"platform/images/images.yaml": _IMAGE, "docs/coverage.md": _COVERED}
    try:
        texts = {root / file: (root / file).read_text("utf-8") for file in added}
        written = _write(_TEMPLATE / "lab", root / "labs" / folder, words)
        written += _write(_TEMPLATE / "image", root / "platform/images" / f"lab-{code}", words)
        for (file, text), more in zip(texts.items(), added.values(), strict=True):
            file.write_text(text + more.format(code=code, folder=folder), "utf-8")
    except OSError as error:
        raise _unwritten(error) from error
    return [*written, *texts]


def _number(root: Path, code: str) -> str:
    """Return the number as folders write it."""
    if not re.fullmatch(r"0?[1-9]", code):
        raise BadInput(
            Text(en=f"number: {code!r} is no lab's", fr=f"numéro : {code!r} n'est celui d'aucun lab"),
            Text(en=f"choose one of 01 to {LABS:02d}", fr=f"choisissez un numéro de 01 à {LABS:02d}"),
        )
    code = f"{int(code):02d}"
    for there in [*(root / "labs").glob(f"{code}-*"), *(root / "platform/images").glob(f"lab-{code}")]:
        place = there.relative_to(root)
        raise BadInput(
            Text(en=f"number: {code} is taken by {place}", fr=f"numéro : {code} est pris par {place}"),
            Text(en=f"choose a free number, or remove {place}", fr=f"choisissez un numéro libre, ou retirez {place}"),
        )
    return code


def _usable(root: Path, name: str) -> None:
    """Hold that a folder, a Deployment and a Python package can have the name."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise BadInput(
            Text(en=f"name: {name!r} cannot be used", fr=f"nom : {name!r} est inutilisable"),
            Text(
                en=f"a-z, 0-9 and single hyphens, a letter first, {_LONGEST} characters at most",
                fr=f"a-z, 0-9 et des tirets simples, une lettre d'abord, {_LONGEST} caractères au plus",
            ),
        )
    package = _package(name)
    ours = {path.name for path in [*(root / "services").glob("*"), *(root / "labs").glob("*/service/*")]}
    if package in ours | {"lab"} or package in sys.stdlib_module_names or keyword.iskeyword(package):
        raise BadInput(
            Text(
                en=f"name: {name!r}: there is a Python package {package} already",
                fr=f"nom : {name!r} : il y a déjà un paquet Python {package}",
            ),
            Text(en="choose another name", fr="choisissez un autre nom"),
        )


def _package(name: str) -> str:
    return name.replace("-", "_")


def _write(template: Path, target: Path, words: dict[str, str]) -> list[Path]:
    """Write a folder of templates, each word replaced in names and contents."""
    files = sorted(path for path in template.rglob("*.in"))
    written = []
    for file in files:
        path = target / _filled(file.relative_to(template).as_posix().removesuffix(".in"), words)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(file.read_text("utf-8"), words), "utf-8")
        written.append(path)
    return written


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _unwritten(error: OSError) -> LabError:
    reason = error.strerror or str(error)
    return LabError(
        Text(
            en=f"{error.filename} cannot be written: {reason}", fr=f"{error.filename} ne peut pas être écrit : {reason}"
        ),
        Text(
            en="is this a checkout that you may write to? What was begun can be removed",
            fr="est-ce un dépôt où vous pouvez écrire ? Ce qui a été commencé peut être retiré",
        ),
    )
