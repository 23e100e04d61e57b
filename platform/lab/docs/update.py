"""Documents written anew where what is printed has changed."""

from __future__ import annotations

from collections.abc import Sequence

from lab.docs.checkout import Checkout
from lab.docs.guide import Block, blocks
from lab.docs.markdown import Document
from lab.docs.outputs import help_text, helped
from lab.docs.rehearsal import Printed
from lab.docs.renewal import renewed
from lab.errors import BadInput
from lab.text import Text


def update_guide(checkout: Checkout, document: Document, told: Sequence[Printed]) -> bool:
    """Write the outputs of a guide anew from a record; say whether anything changed.

    Raises:
        BadInput: the record is one of other commands.

    """
    parts = blocks(document)
    if [part.commands for part in parts] != [each.commands for each in told]:
        name = document.path.as_posix()
        raise BadInput(
            Text(
                en=f"{name}: its commands changed since they were run",
                fr=f"{name} : ses commandes ont changé depuis leur exécution",
            ),
            Text(en="run them again: `lab docs run`", fr="exécutez-les de nouveau : `lab docs run`"),
        )
    return _write(checkout, document, parts, [each.lines for each in told])


def update_helps(checkout: Checkout, document: Document) -> bool:
    """Write the help texts of a document anew; say whether anything changed."""
    parts = helped(document)
    return _write(checkout, document, parts, [help_text(checkout, part) for part in parts])


def _write(checkout: Checkout, document: Document, parts: Sequence[Block], printed: Sequence[Sequence[str]]) -> bool:
    lines = document.text.splitlines()
    # From the end, so that the places of those before stay what they are.
    for part, came in reversed(list(zip(parts, printed, strict=True))):
        if part.output:
            lines[part.output.line : part.output.end - 1] = renewed(part.shown, came, document.language)
    text = "\n".join(lines) + "\n"
    if text == document.text:
        return False
    (checkout.root / document.path).write_text(text, "utf-8")
    return True
