"""Answers of the lake's workspace as people read them; each act has its own form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lab.text import Language, Text

Told = Mapping[str, Any]
_SHORT = 8
"""Digits of a commit or a hash that are shown."""

_NONE = Text(
    en="no training set is kept yet: `lab data build NAME --from DAY --to DAY` makes one",
    fr="aucun jeu d'entraînement n'est encore gardé : `lab data build NAME --from DAY --to DAY` en fait un",
)
_ROWS = Text(
    en="{rows} rows, {service}, {begin} to {end}, asked {lead} min before departure",
    fr="{rows} lignes, {service}, du {begin} au {end}, demandé {lead} min avant le départ",
)
_LEAKS = Text(en="known too late, and allowed: {names}", fr="connu trop tard, et permis : {names}")
_BUILT = Text(en="{name} is kept in commit {commit}", fr="{name} est gardé dans le commit {commit}")
_KNOWN = Text(
    en="{name} was kept already, with these bytes, in commit {commit}",
    fr="{name} était déjà gardé, avec ces octets, dans le commit {commit}",
)
_SAME = Text(en="{name} made again: the same bytes", fr="{name} refait : les mêmes octets")
_OTHER = Text(en="{name} made again: OTHER bytes, {rebuilt}", fr="{name} refait : d'AUTRES octets, {rebuilt}")
_FROM = Text(en="from {tables}", fr="à partir de {tables}")
_EQUAL = Text(en="{name}: {before} and {after} are the same", fr="{name} : {before} et {after} sont identiques")
_MODIFIED = Text(en="{name}: the content differs", fr="{name} : le contenu diffère")
_UNTOUCHED = Text(
    en="{name}: the content is the same, what is said of it differs",
    fr="{name} : le contenu est le même, ce qui en est dit diffère",
)
_BACK = Text(
    en="{name} is as it was in {origin}; commit {commit} says so",
    fr="{name} est comme dans {origin} ; le commit {commit} le dit",
)
_INTACT = Text(en="intact", fr="intact")
_CHANGED = Text(en="CHANGED or missing", fr="MODIFIÉ ou absent")
_GONE = Text(en="this version is gone", fr="cette version n'est plus là")
_LOG = Text(en="the log up to", fr="le journal jusqu'à")


def shown(act: str, told: Told, language: Language) -> list[str]:
    """Return the lines of an answer.

    Args:
        act: what was asked, `build` or another word of `lab data`.
        told: the answer.
        language: the user's.

    """
    return list(_ACTS[act](told, lambda text, **words: text.in_(language).format(**words)))


_Say = Callable[..., str]


def _build(told: Told, say: _Say) -> Iterator[str]:
    yield say(_BUILT if told["new"] else _KNOWN, name=told["name"], commit=_short(told["commit"]))
    yield from _facts(told, say)


def _list(told: Told, say: _Say) -> Iterator[str]:
    if not told["sets"]:
        yield say(_NONE)
    for each in told["sets"]:
        yield each["name"]
        for version in each["versions"]:
            yield f"  {_short(version['commit'])}  {version['time'][:19]}  {version['message']}"
            yield from ("  " + line for line in _facts(version, say))


def _lineage(told: Told, say: _Say) -> Iterator[str]:
    dvc = f"  dvc {_short(told['dvc'])}" if told["dvc"] else ""
    state = say(_INTACT if told["intact"] else _CHANGED)
    yield f"{told['file']}  commit {_short(told['commit'])}{dvc}  sha256 {_short(told['sha256'])}  {state}"
    yield f"  service {told['service']}  registry {_short(told['registry'])}  recipe {_short(told['recipe'])}"
    tables = {f"{each['name']}@{each['version']}": each for each in told["tables"]}
    used = {name for each in told["tables"] for name in each.get("made_from", ())}
    for key in sorted(tables.keys() - used):
        yield from _branch(tables, key, say, 1)


def _branch(tables: Mapping[str, Told], key: str, say: _Say, depth: int) -> Iterator[str]:
    table = tables[key]
    places = " ".join(f"{partition}:{offset}" for partition, offset in table.get("log", {}).items())
    log = f"  {say(_LOG)} {places}" if places else ""
    yield f"{'  ' * depth}{key}{log}{f'  ({say(_GONE)})' if 'gone' in table else ''}"
    for name in table.get("made_from", ()):
        yield from _branch(tables, name, say, depth + 1)


def _rebuild(told: Told, say: _Say) -> Iterator[str]:
    yield say(_SAME if told["same"] else _OTHER, name=told["name"], rebuilt=_short(told["rebuilt"]))
    yield from _facts(told, say)
    yield "  " + say(_FROM, tables=", ".join(told["tables"]))


def _diff(told: Told, say: _Say) -> Iterator[str]:
    words = {"name": told["name"], "before": _short(told["before"]), "after": _short(told["after"])}
    if not told["fields"]:
        yield say(_EQUAL, **words)
        return
    yield say(_MODIFIED if told["modified"] else _UNTOUCHED, **words)
    width = max(map(len, told["fields"]))
    for field, (before, after) in told["fields"].items():
        yield f"  {field:<{width}}  {_value(before)} → {_value(after)}"


def _checkout(told: Told, say: _Say) -> Iterator[str]:
    yield say(_BACK, name=told["name"], origin=_short(told["from"]), commit=_short(told["commit"]))
    yield from _facts(told, say)


def _facts(told: Told, say: _Say) -> Iterator[str]:
    days = {"begin": told["begin"][:10], "end": told["end"][:10]}
    yield "  " + say(_ROWS, rows=told["rows"], service=told["service"], lead=told["lead"], **days)
    yield f"  sha256 {_short(told['sha256'])}  registry {_short(told['registry'])}"
    if told["leaks"]:
        yield "  " + say(_LEAKS, names=", ".join(told["leaks"]))


def _short(digits: str) -> str:
    return digits[:_SHORT]


def _value(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    text = str(value)
    return _short(text) if len(text) >= 40 and text.isalnum() else text  # noqa: PLR2004  a hash, in hexadecimal


_ACTS: Mapping[str, Callable[[Told, _Say], Iterator[str]]] = {
    "build": _build,
    "list": _list,
    "lineage": _lineage,
    "rebuild": _rebuild,
    "diff": _diff,
    "checkout": _checkout,
}
