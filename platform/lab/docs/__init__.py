"""Documents that cannot lie: what they print, name and link to is held to what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lab.docs.checkout import Checkout
from lab.docs.lines import command_lines
from lab.docs.outputs import both_languages, helps, outputs
from lab.docs.references import file_names, links
from lab.errors import Fault

RULES: tuple[Callable[[Checkout], Iterator[Fault]], ...] = (
    links, file_names, command_lines, outputs, both_languages, helps,
)  # fmt: skip


def examine(checkout: Checkout) -> list[Fault]:
    """Hold every document of a checkout to every rule."""
    return [fault for rule in RULES for fault in rule(checkout)]


__all__ = ["RULES", "Checkout", "examine"]
