"""Takes secrets out of recorded state, so that a bundle can be mailed to a trainer.

By kind (Secret), by name (a field, an environment variable, a command-line option called password, token, …) and by
form (bearer tokens, signed tokens, private keys, credentials in an address, `password=…` inside a text). What is
taken out leaves the mark `REDACTED`; names and keys stay, so that the trainer sees what was there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

REDACTED = "REDACTED"

_WORDS = (
    r"(?:pass(?:word|wd|phrase)|(?<![a-z])pass|pwd|secret|token|credentials?|bearer|authorization|cookie"
    r"|(?:api|access|private|signing|encryption|client|secret)[-_.]?key(?:[-_.]?data)?"
    r"|client-certificate-data|certificate-authority-data|dockerconfigjson)"
)
_NAME = re.compile(rf"{_WORDS}$", re.IGNORECASE)
_FORMS = (
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"(?i)(?<=\bbearer )\S+|(?<=\bbasic )[A-Za-z0-9+/=]{8,}"),
    re.compile(r"(?<=://)[^/\s:@\"']*:[^/\s@\"']+(?=@)"),
)
# A name begins where no letter stands before it: sought from every letter, a long word would cost its length squared.
_INLINE = re.compile(rf"(?i)((?<![\w.-])(?:[\w.-]*?{_WORDS})\"?\s*(?:[=:]\s*))(\"[^\"]*\"|'[^']*'|[^\s,;&\"'}}]+)")
_NOISE = "kubectl.kubernetes.io/last-applied-configuration"


def redacted(value: object) -> object:
    """Return the JSON without its secrets; the given value stays as it is."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return _list(value)
    if isinstance(value, Mapping):
        return _map(value)
    return value


def _map(value: Mapping[str, object]) -> dict[str, object]:
    if value.get("kind") == "Secret":
        value = {key: _all(item) if key in ("data", "stringData") else item for key, item in value.items()}
    name = value.get("name") or value.get("key")
    hidden = isinstance(name, str) and bool(_NAME.search(name))
    return {
        key: _all(item) if _is_secret(key, item) or (hidden and key == "value") else redacted(item)
        for key, item in value.items()
        if key != _NOISE
    }


def _is_secret(key: str, item: object) -> bool:
    # Maps under such a name (`secret: {secretName: …}`) hold references and are looked through instead.
    return isinstance(item, str | int | list) and not isinstance(item, bool) and bool(_NAME.search(key))


def _list(items: list[object]) -> list[object]:
    kept: list[object] = []
    for index, item in enumerate(items):
        before = items[index - 1] if index else None
        option = isinstance(before, str) and before.startswith("-") and bool(_NAME.search(before))
        kept.append(_all(item) if option and isinstance(item, str) else redacted(item))
    return kept


def _all(item: object) -> object:
    if isinstance(item, Mapping):
        return {key: _all(inner) for key, inner in item.items()}
    if isinstance(item, list):
        return [_all(inner) for inner in item]
    return REDACTED if item not in ("", None) else item


def _text(text: str) -> str:
    for form in _FORMS:
        text = form.sub(REDACTED, text)
    return _INLINE.sub(rf"\g<1>{REDACTED}", text)
