"""Where a training set comes from: file, tables, what these were made from, and the places in the log."""

import re
from pathlib import Path
from typing import Any

import polars as pl

from contracts.training_sets import Reference
from lake import manifest
from lake.errors import TableMissing
from lake.store import Lake

_MD5 = re.compile(r"md5: ([0-9a-f]{32})")


def chain(lake: Lake, file: Path) -> dict[str, Any]:
    """The whole chain of a training set, from its file to the log, as JSON.

    Raises:
        BadRequest: it has no manifest.
    """
    made = manifest.read(file)
    seen: dict[tuple[str, int], dict[str, Any]] = {}
    for each in made.tables:
        _follow(lake, each, seen)
    return {
        "file": str(file),
        "sha256": made.sha256,
        "intact": intact(file),
        "dvc": _dvc(file),
        "service": made.service,
        "registry": made.registry,
        "recipe": made.recipe,
        "tables": [seen[key] for key in sorted(seen)],
    }


def intact(file: Path) -> bool:
    """Whether a training set is there and has the bytes that its manifest promises.

    Raises:
        BadRequest: it has no manifest.
    """
    return manifest.digest(file) == manifest.read(file).sha256 if file.exists() else False


def _follow(lake: Lake, reference: Reference, seen: dict[tuple[str, int], dict[str, Any]]) -> None:
    key = (reference.name, reference.version)
    if key in seen:
        return
    told: dict[str, Any] = {"name": reference.name, "version": reference.version, "id": reference.id}
    seen[key] = told
    try:
        if reference.name.startswith("bronze/"):
            told["log"] = _places(lake, reference)
            return
        origin = lake.origin(reference.name, reference.version)
    except TableMissing as failure:
        told["gone"] = failure.what
        return
    told["made_from"] = [f"{each.name}@{each.version}" for each in origin.inputs] if origin else []
    for each in origin.inputs if origin else ():
        _follow(lake, each, seen)


def _places(lake: Lake, reference: Reference) -> dict[str, int]:
    """Partition of the topic -> the newest offset in the table."""
    newest = lake.scan(reference.name, reference.version).group_by("kafka_partition").agg(pl.col("kafka_offset").max())
    rows = lake.collect(reference.name, newest.sort("kafka_partition"))
    return {str(partition): offset for partition, offset in rows.iter_rows()}


def _dvc(file: Path) -> str | None:
    """What DVC calls the file's content; None where it does not follow it."""
    pointer = file.with_name(f"{file.name}.dvc")
    if not pointer.exists():
        return None
    found = _MD5.search(pointer.read_text(encoding="utf-8"))
    return found[1] if found else None


def lines(told: dict[str, Any]) -> list[str]:
    """The chain for people: the file first, then each table under what was made from it."""
    by_key = {f"{each['name']}@{each['version']}": each for each in told["tables"]}
    used = {name for each in told["tables"] for name in each.get("made_from", ())}
    out = [
        f"{told['file']}  sha256 {told['sha256'][:12]}  {'intact' if told['intact'] else 'CHANGED or missing'}"
        + (f"  dvc {told['dvc'][:12]}" if told["dvc"] else ""),
        f"  service {told['service']}  registry {told['registry'][:12]}",
    ]
    for key in sorted(by_key.keys() - used):
        out += _branch(by_key, key, 1)
    return out


def _branch(by_key: dict[str, dict[str, Any]], key: str, depth: int) -> list[str]:
    table = by_key[key]
    places = "".join(f"  {partition}:{offset}" for partition, offset in table.get("log", {}).items())
    out = [f"{'  ' * depth}{key}{places}{'  (version is gone)' if 'gone' in table else ''}"]
    for name in table.get("made_from", ()):
        out += _branch(by_key, name, depth + 1)
    return out
