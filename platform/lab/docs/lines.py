"""Command lines in documents: every `lab …` and its options, every `make …`, exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import groupby

import click

from lab.docs.checkout import Checkout
from lab.docs.guide import RUN, SHOWN
from lab.docs.markdown import Document
from lab.errors import Fault
from lab.text import Text

_BEFORE = r"(?:^|[|;&(]|\b(?:do|then)\b)\s*(?:[A-Z_]+=\S* )*(?:\.venv/bin/)?"
_WORDS = r"((?: +(?:\"[^\"]*\"|'[^']*'|[^\s|;&()<>\"'`#]+))*)"
_LAB = re.compile(_BEFORE + r"lab\b(?![-./:])" + _WORDS)
_MAKE = re.compile(_BEFORE + r"make\b(?![-./:])" + _WORDS)
_NUMBER = re.compile(r"0?\d")
_LEFT_OUT = ("…", "...")


def command_lines(checkout: Checkout) -> Iterator[Fault]:
    """Hold every command line of every document to what the tool and the Makefile know."""
    for document in checkout.documents:
        for line, text in _lines(document):
            for match in _LAB.finditer(text):
                yield from _lab(checkout, document, line, match[1])
            for match in _MAKE.finditer(text):
                yield from _make(checkout, document, line, match[1])


def _lines(document: Document) -> Iterator[tuple[int, str]]:
    """Yield what can be typed; an option that stands alone belongs to the command named before it in its paragraph."""
    for fence in document.fences:
        if fence.kind in (RUN, SHOWN):
            yield from enumerate(fence.text.splitlines(), start=fence.line + 1)
    for _, words in groupby(document.codes, key=lambda word: word.paragraph):
        last = ""
        for word in words:
            text = f"{last} {word.text}" if last and word.text.startswith("--") else word.text
            yield word.line, text
            last = text if re.match(r"lab \w", text) else ""


def _lab(checkout: Checkout, document: Document, line: int, typed: str) -> Iterator[Fault]:
    context, words = checkout.command(shlex.split(typed))
    name, place = context.command_path, document.place(line)
    passes_on = context.ignore_unknown_options
    if isinstance(context.command, click.Group) and words and re.match(r"[a-z]", words[0]):
        yield Fault(
            place,
            Text(en=f"`{name}` has no command {words[0]}", fr=f"`{name}` n'a pas de commande {words[0]}"),
            Text(
                en=f"choose among: {', '.join(context.command.list_commands(context))}",
                fr=f"choisissez parmi : {', '.join(context.command.list_commands(context))}",
            ),
        )
        return
    known = {option for each in context.command.get_params(context) for option in (*each.opts, *each.secondary_opts)}
    for word in words:
        if word.startswith("-") and not passes_on and word.partition("=")[0] not in known:
            options = ", ".join(sorted(option for option in known if option.startswith("--")))
            yield Fault(
                place,
                Text(en=f"`{name}` has no option {word}", fr=f"`{name}` n'a pas d'option {word}"),
                Text(en=f"choose among: {options}", fr=f"choisissez parmi : {options}"),
            )
    if (
        words
        and _NUMBER.fullmatch(words[0])
        and words[0].zfill(2) not in {*checkout.course.codes(), *document.imagined}
    ):
        yield _no_lab(place, words[0])


def _make(checkout: Checkout, document: Document, line: int, typed: str) -> Iterator[Fault]:
    targets = checkout.targets(document.imagined)
    for word in shlex.split(typed):
        if not word.startswith(("-", *_LEFT_OUT)) and "=" not in word and word not in targets:
            yield Fault(
                document.place(line),
                Text(en=f"make has no target {word}", fr=f"make n'a pas de cible {word}"),
                Text(en="`make help` lists them", fr="`make help` les énumère"),
            )


def _no_lab(place: str, number: str) -> Fault:
    return Fault(
        place,
        Text(en=f"there is no lab {number}", fr=f"il n'y a pas de lab {number}"),
        Text(en="name one that exists", fr="nommez-en un qui existe"),
    )
