"""The frame of every page: head, ways to other pages, and what keeps foreign scripts out."""

from html import escape
from typing import NamedTuple

from page.style import CSS
from page.words import Language, Words

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""No script and nothing from elsewhere, whatever a label or a span is called."""
_SKIP = Words("To the figures", "Aller aux chiffres")
_WAYS = Words("Pages", "Pages")
_OTHER = Words("Français", "English")
_STILL = Words("Stop renewing this page", "Ne plus renouveler cette page")
_RENEWED = Words("Renew this page every {seconds} s", "Renouveler cette page toutes les {seconds} s")


class Renewal(NamedTuple):
    """Whether the browser asks again by itself, and after how many seconds it does or would."""

    on: bool
    seconds: int


def document(title: str, body: str, language: Language, *, path: str = "", renewal: Renewal | None = None) -> str:
    """A whole page.

    Args:
        title: its heading.
        body: HTML below the heading.
        language: of its words.
        path: of this page below `/en` and `/fr`.
        renewal: None: of a page that is never renewed.
    """
    other: Language = "fr" if language == "en" else "en"
    renewed = renewal is not None and renewal.on
    head = f'<meta http-equiv="refresh" content="{renewal.seconds}">' if renewal and renewed else ""
    ways = [f'<a href="/{other}{path}" hreflang="{other}" lang="{other}">{_OTHER.of(language)}</a>']
    if renewal and renewed:
        ways.append(f'<a href="/{language}/still">{_STILL.of(language)}</a>')
    elif renewal:
        ways.append(f'<a href="/{language}">{_RENEWED.of(language).format(seconds=renewal.seconds)}</a>')
    items = "".join(f"<li>{each}</li>" for each in ways)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><link rel="icon" href="data:,">{head}<title>{escape(title)}</title>'
        f"<style>{CSS}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#main">{_SKIP.of(language)}</a>\n<header><h1>{escape(title)}</h1>'
        f'<nav aria-label="{_WAYS.of(language)}"><ul>{items}</ul></nav></header>\n'
        f'<main id="main">\n{body}\n</main>\n</body>\n</html>\n'
    )
