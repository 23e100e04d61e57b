"""Blocks of output: each belongs to commands that prove it, and says what they print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lab.docs.checkout import Checkout
from lab.docs.comparison import difference
from lab.docs.guide import OUTPUT, RUN, SHOWN, Block, blocks
from lab.docs.markdown import Document
from lab.docs.rehearsal import LANGUAGES, Printed
from lab.docs.wildcards import named, neutral, unknown
from lab.errors import Fault
from lab.text import Text

_HELP = re.compile(r"lab((?: [a-z]+)*) --help\n")
_AGAIN = Text(en="`lab docs update` writes what is printed", fr="`lab docs update` écrit ce qui est imprimé")


def outputs(checkout: Checkout) -> Iterator[Fault]:
    """Hold each block of output to commands that prove it, and its wildcards to those that there are."""
    for document in checkout.documents:
        kinds = (RUN,) if checkout.is_guide(document) else ()
        proven = helped(document) + blocks(document, kinds)
        lines = {block.output.line for block in proven if block.output}
        for fence in document.fences:
            if fence.kind != OUTPUT:
                continue
            if fence.line not in lines:
                yield Fault(
                    document.place(fence.line),
                    Text(en="no commands prove this output", fr="aucune commande ne prouve cette sortie"),
                    Text(
                        en="put it just behind a bash block of a guide, or behind `lab … --help`",
                        fr="mettez-la juste après un bloc bash d'un guide, ou après `lab … --help`",
                    ),
                )
            for place, line in enumerate(fence.text.splitlines(), start=fence.line + 1):
                for mark in unknown(line, document.language):
                    yield _no_wildcard(document, place, mark)


def helps(checkout: Checkout) -> Iterator[Fault]:
    """Hold each help text in a document to what the command prints."""
    for document in checkout.documents:
        parts = helped(document)
        yield from judged(document, parts, [Printed(part.commands, help_text(checkout, part)) for part in parts])


def both_languages(checkout: Checkout) -> Iterator[Fault]:
    """Hold what the commands are run once for to be the same in both guides."""
    for code in checkout.course.codes():
        english, french = (checkout.guide(code, language) for language in LANGUAGES)
        for left, right in zip(blocks(english), blocks(french), strict=False):
            same = [neutral(line, "en") for line in left.shown] == [neutral(line, "fr") for line in right.shown]
            if left.commands == right.commands and right.output and not left.asks and not same:
                yield Fault(
                    french.place(right.output.line),
                    Text(
                        en="differs from the other language's output, but its commands change something and run once",
                        fr="diffère de la sortie de l'autre langue, mais ses commandes, qui changent quelque chose, ne "
                        "sont exécutées qu'une fois",
                    ),
                    Text(
                        en="show only what is the same, or put what asks into a block of its own",
                        fr="ne montrez que ce qui est pareil, ou mettez ce qui interroge dans un bloc à part",
                    ),
                )


def judged(document: Document, parts: Sequence[Block], told: Sequence[Printed]) -> Iterator[Fault]:
    """Hold the outputs that a document shows to what its blocks printed."""
    if [part.commands for part in parts] != [each.commands for each in told]:
        yield Fault(
            document.path.as_posix(),
            Text(en="its commands changed since they were run", fr="ses commandes ont changé depuis leur exécution"),
            Text(en="run them again: `lab docs run`", fr="exécutez-les de nouveau : `lab docs run`"),
        )
        return
    for part, each in zip(parts, told, strict=True):
        if part.output and (found := difference(part.shown, each.lines, document.language)):
            yield Fault(document.place(part.output.line + 1 + found.place), found.told, _AGAIN)


def help_text(checkout: Checkout, block: Block) -> list[str]:
    """Return the lines of the help that a block asks for."""
    asked = _HELP.fullmatch(block.commands)
    context, _ = checkout.command(asked[1].split() if asked else [])
    return context.get_help().splitlines()


def helped(document: Document) -> list[Block]:
    """Return the blocks that ask for a help text, and show it."""
    return [block for block in blocks(document, (RUN, SHOWN)) if block.output and _HELP.fullmatch(block.commands)]


def _no_wildcard(document: Document, line: int, mark: str) -> Fault:
    names = ", ".join(f"<{name}>" for name in named(document.language))
    return Fault(
        document.place(line),
        Text(en=f"{mark} is no wildcard", fr=f"{mark} n'est pas un joker"),
        Text(en=f"choose among: {names}", fr=f"choisissez parmi : {names}"),
    )
