"""The quality report of a day, and the list of all days: HTML pages that need nothing but themselves.

Both languages stand side by side; names of tables, monitors and columns are the same in both.
"""

import datetime as dt
import html
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde3ea}
td.n{text-align:right;font-variant-numeric:tabular-nums}
tr.bad,.verdict.bad{background:#fdecea}.verdict{padding:.6rem 1rem;border-radius:.4rem;background:#e8f4ea}
@media(prefers-color-scheme:dark){body{background:#12161c;color:#e3e8ee}th,td{border-color:#2b3440}
tr.bad,.verdict.bad{background:#4a1d1d}
.verdict{background:#173222}}
"""


def page(day: dt.date, rows: pl.DataFrame) -> str:
    """The page.

    Args:
        day: the day that was judged.
        rows: its judgements.
    """
    bad = rows.filter("alarm")
    tables = "".join(
        _table(str(name[0]), part) for name, part in rows.sort("table").partition_by("table", as_dict=True).items()
    )
    mark = " bad" if bad.height else ""
    verdict = f'<p class="verdict{mark}">{_verdict(bad.height, rows.height)}</p>'
    return _whole(f"Data quality / Qualité des données, {day}", f"{verdict}{tables}")


def index(days: Iterable[dt.date], alarms: Mapping[dt.date, int]) -> str:
    """The page that leads to the days, newest first.

    Args:
        days: those that have a page.
        alarms: day -> monitors out of bounds on it; a day that is not there is not known (any more).
    """
    rows = "".join(_lead(day, alarms.get(day)) for day in sorted(days, reverse=True))
    told = f"<table><tr><th>day / jour<th>alarms / alarmes</tr>{rows}</table>" if rows else f"<p>{_NONE}</p>"
    return _whole("Data quality / Qualité des données", told)


_NONE = "no day has been judged yet / aucun jour n'a encore été jugé"


def _lead(day: dt.date, alarms: int | None) -> str:
    mark = " class=bad" if alarms else ""
    return f'<tr{mark}><td><a href="/reports/{day}">{day}</a><td>{"" if alarms is None else alarms}</tr>'


def _verdict(bad: int, monitors: int) -> str:
    if bad:
        return f"monitors that alarm: {bad} of {monitors} / moniteurs en alerte : {bad} sur {monitors}"
    return f"all {monitors} monitors are quiet / les {monitors} moniteurs se taisent tous"


def _whole(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>{body}</html>\n"
    )


def _table(name: str, rows: pl.DataFrame) -> str:
    ordered = rows.sort(pl.col("alarm").not_(), "monitor", "column")
    body = "".join(_line(row) for row in ordered.iter_rows(named=True))
    count = rows.get_column("rows")[0]
    return (
        f"<h2>{html.escape(name)}: {count} rows / lignes</h2><table><tr><th>monitor / moniteur<th>column / colonne"
        f"<th>value / valeur<th>from / de<th>to / à<th></tr>{body}</table>"
    )


def _line(row: dict[str, object]) -> str:
    figures = "".join(f'<td class="n">{float(str(row[name])):.4g}' for name in ("value", "low", "high"))
    words = f"<td>{html.escape(str(row['monitor']))}<td>{html.escape(str(row['column']))}"
    return (
        f"<tr{' class=bad' if row['alarm'] else ''}>{words}{figures}<td>{'alarm / alarme' if row['alarm'] else ''}</tr>"
    )


def write(found: pl.DataFrame, folder: Path) -> list[Path]:
    """Write one page per day; each appears whole."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for key, rows in sorted(found.partition_by("date", as_dict=True).items()):
        whole = file(folder, key[0])
        partial = whole.with_suffix(".part")
        partial.write_text(page(key[0], rows), encoding="utf-8")
        out.append(partial.replace(whole))
    return out


def file(folder: Path, day: dt.date) -> Path:
    """Where the page of a day stands."""
    return folder / f"{day}.html"
