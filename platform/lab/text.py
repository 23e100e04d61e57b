"""Words for people, in French and English side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "fr"]


@dataclass(frozen=True, slots=True)
class Text:
    """One message in both languages; both are required, so that none is forgotten.

    Attributes:
        en: the English words.
        fr: the French words, equal in content.

    """

    en: str
    fr: str

    @classmethod
    def plain(cls, words: str) -> Text:
        """Return a text that is the same in both languages: a name, a path, another program's output."""
        return cls(en=words, fr=words)

    def in_(self, language: Language) -> str:
        """Return the words in the given language."""
        return self.fr if language == "fr" else self.en

    def __str__(self) -> str:
        """Return the English words: what a log file or a traceback shows."""
        return self.en


def language(environment: Mapping[str, str]) -> Language:
    """Return the user's language: `LAB_LANG` first, else the locale, else English."""
    for variable in ("LAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(variable, "")
        if value:
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"
