"""The commands, put together from their parts.

Results go to standard output as JSON or plain lines, logs to standard error.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

from contracts.views_flights import DEFINITIONS
from lake import answers, etl, lineage, manifest, training
from lake.errors import BadQuality, BadRequest
from lake.quality import daily, report, watch
from lake.settings import LakeSettings
from lake.steps import steps
from lake.store import MADE_FROM, Lake
from runtime.health import Health
from runtime.process import Stop
from runtime.store import Store
from runtime.web import Question, Web


def told(value: Any) -> None:  # noqa: ANN401  JSON
    """Print a result as JSON."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def _build(settings: LakeSettings, asked: argparse.Namespace) -> None:
    from lake.build import build  # noqa: PLC0415  the contracts' library takes a second, and who answers needs it not

    known = {step.output for step in steps()}
    for name in asked.only:
        if name not in known:
            raise BadRequest(f"table {name}: no step makes it", f"choose of {', '.join(sorted(known))}")
    told([made._asdict() for made in build(Lake(Store.of(settings)), asked.only, anew=asked.anew)])
    if settings.redis and not asked.only:
        _materialized(settings)


def _materialized(settings: LakeSettings) -> dict[str, Any]:
    """Bring the online store up to the batch layer; view -> rows written, and rows that stood there already."""
    # Imported here: where there is no online store, nobody needs its client.
    from contracts.online import Writer  # noqa: PLC0415
    from lake.materialize import materialize  # noqa: PLC0415

    where = settings.online
    with closing(
        Writer(DEFINITIONS, where.host, where.port, password=settings.redis_password, database=where.database)
    ) as writer:
        return {view: outcome._asdict() for view, outcome in materialize(Lake(Store.of(settings)), writer).items()}


def _materialize(settings: LakeSettings, _asked: argparse.Namespace) -> None:
    told(_materialized(settings))


def _training(settings: LakeSettings, asked: argparse.Namespace) -> None:
    from lake.quality import rows  # noqa: PLC0415  as above

    wanted, allowed, versions = _wanted(asked)
    made = training.make(Lake(Store.of(settings)), wanted, allowed, versions)
    rows.check(made.rows, rows.TRAINING, "training set")
    kept = manifest.keep(made, wanted, asked.out)
    told({"file": str(asked.out), "rows": kept.rows, "sha256": kept.sha256, "leaks": kept.allowed_leaks})


def _wanted(asked: argparse.Namespace) -> tuple[training.Wanted, list[str], Any]:
    if asked.like:
        kept = manifest.read(asked.like)
        manifest.check_definitions(kept)
        return kept.wanted(), list(kept.allowed_leaks), kept.tables
    for name in ("begin", "end", "service"):
        if getattr(asked, name) is None:
            option = {"begin": "--from", "end": "--to", "service": "--service"}[name]
            raise BadRequest(f"training-set {option} is missing", "give it, or --like MANIFEST")
    wanted = training.Wanted(asked.service, asked.begin, asked.end, asked.lead, tuple(asked.extra), asked.label)
    return wanted, asked.allow_leak, None


def _lineage(settings: LakeSettings, asked: argparse.Namespace) -> None:
    found = lineage.chain(Lake(Store.of(settings)), asked.file)
    if asked.json:
        told(found)
    else:
        sys.stdout.write("\n".join(lineage.lines(found)) + "\n")


def _table(settings: LakeSettings, asked: argparse.Namespace) -> None:
    lake = Lake(Store.of(settings))
    if asked.act == "list":
        told(_listed(lake))
    elif asked.act == "history":
        told([{key: each.get(key) for key in _ENTRY} for each in lake.history(asked.name)])
    elif asked.act == "show":
        told(_shown(lake, asked.name, asked.version))
    elif asked.act == "restore":
        told({"table": asked.name, "restored": asked.version, "version": lake.restore(asked.name, asked.version)})
    else:
        hours = settings.keep_hours if asked.hours is None else asked.hours
        told({"removed": lake.vacuum(asked.name, hours, dry=asked.dry_run), "dry_run": asked.dry_run})


_ENTRY = ("version", "timestamp", "operation", MADE_FROM)


def _listed(lake: Lake) -> list[dict[str, Any]]:
    names = dict.fromkeys([name for step in steps() for name in (*step.inputs, step.output)] + [daily.TABLE])
    return [{"table": name, "version": lake.reference(name).version} for name in names if lake.exists(name)]


def _shown(lake: Lake, name: str, version: int | None) -> dict[str, Any]:
    reference = lake.reference(name, version)
    scanned = lake.scan(name, reference.version)
    columns = {each: str(kind) for each, kind in scanned.collect_schema().items()}
    days = [pl.col("date").min().alias("first"), pl.col("date").max().alias("last")] if "date" in columns else []
    counted = lake.collect(name, scanned.select(pl.len().alias("rows"), *days)).row(0, named=True)
    return {"table": name, "version": reference.version, **counted, "columns": columns}


def _version(settings: LakeSettings, asked: argparse.Namespace) -> None:
    workspace = _workspace(settings, asked.folder)
    if asked.act == "begin":
        workspace.begin(asked.remote, settings.s3_endpoint if asked.remote.startswith("s3://") else "")
    elif asked.act == "keep":
        told({"commit": workspace.keep(asked.file, asked.message)})
    elif asked.act == "push":
        workspace.push()
    elif asked.act == "pull":
        workspace.pull()
    elif asked.act == "checkout":
        workspace.checkout(asked.file, asked.commit)
    else:
        told(workspace.diff(asked.before, asked.after))


def _data(settings: LakeSettings, asked: argparse.Namespace) -> None:
    from lake import data  # noqa: PLC0415  what it stands on comes with DVC, which one image alone has

    wanted = _wanted(asked)[:2] if asked.act == "build" else None
    data.act(settings, asked, wanted)


def _workspace(settings: LakeSettings, folder: Path) -> Any:  # noqa: ANN401  its module may not be there
    try:
        from lake.versions import Workspace, keys  # noqa: PLC0415  the lake's own image has no DVC
    except ImportError as failure:
        raise BadRequest(
            f"package {failure.name} is not installed", "`pip install -r requirements/versions.txt`"
        ) from None
    return Workspace(folder, keys(settings))


def _quality(settings: LakeSettings, asked: argparse.Namespace) -> None:
    found = daily.judge(Lake(Store.of(settings)), set(asked.day) or None)
    folder = asked.reports or (Path(settings.reports) if settings.reports else None)
    pages = report.write(found, folder) if folder and found.height else []
    alarms = found.filter("alarm").select("date", "table", "monitor", "column", "value", "low", "high").to_dicts()
    told({"days": found.get_column("date").n_unique(), "alarms": alarms, "pages": [str(page) for page in pages]})
    if alarms and asked.strict:
        first = alarms[0]
        raise BadQuality(
            f"table {first['table']}, {first['date']}: {first['monitor']} {first['column']} is {first['value']:.4g}, "
            f"not from {first['low']:.4g} to {first['high']:.4g} (and {len(alarms) - 1} more)",
            "see the day's report; correct the source, and build again",
        )


def _watch(settings: LakeSettings, _asked: argparse.Namespace) -> None:
    lake, health, figures, stop = Lake(Store.of(settings)), Health(), watch.Figures(), Stop().listen()
    watched = watch.Watch(lake, figures, health)
    questions: dict[str, Question] = {"rows": answers.Rows(lake).told}
    if settings.reports:
        questions["reports"] = answers.Reports(Path(settings.reports), lambda: watched.alarms).told
    web = Web(settings.port, health, figures.registry, questions=questions).start()
    try:
        watched.run(stop, settings.watch_seconds)
    finally:
        web.close()


def _compare(settings: LakeSettings, _asked: argparse.Namespace) -> None:
    told(etl.compare(Lake(Store.of(settings))))


COMMANDS: Mapping[str, Callable[[LakeSettings, argparse.Namespace], None]] = {
    "build": _build,
    "materialize": _materialize,
    "training-set": _training,
    "lineage": _lineage,
    "table": _table,
    "version": _version,
    "data": _data,
    "quality": _quality,
    "watch": _watch,
    "compare-etl": _compare,
}
"""Command -> what carries it out."""
