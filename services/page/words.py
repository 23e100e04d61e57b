"""Words for readers in both languages, and figures as each language writes them."""

import math
from typing import Literal, NamedTuple

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
NONE = "-"
"""Stands where there is no figure."""


class Words(NamedTuple):
    """One message in English and French, equal in content."""

    en: str
    fr: str

    def of(self, language: Language) -> str:
        """The message in a language."""
        return self.fr if language == "fr" else self.en


def number(value: float | None, language: Language, digits: int = 1) -> str:
    """A figure with so many digits behind the point (comma in French); a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:,.{digits}f}"
    return text.replace(",", "\u202f").replace(".", ",") if language == "fr" else text
