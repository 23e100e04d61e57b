"""The quality report of a day as one HTML page that needs nothing but itself."""

import datetime as dt
import html
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
    verdict = f"{bad.height} of {rows.height} monitors alarm" if bad.height else f"all {rows.height} monitors are quiet"
    tables = "".join(
        _table(str(name[0]), part) for name, part in rows.sort("table").partition_by("table", as_dict=True).items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Data quality {day}</title><style>{_STYLE}</style>"
        f'<h1>Data quality, {day}</h1><p class="verdict{" bad" if bad.height else ""}">{verdict}</p>{tables}</html>\n'
    )


def _table(name: str, rows: pl.DataFrame) -> str:
    ordered = rows.sort(pl.col("alarm").not_(), "monitor", "column")
    body = "".join(_line(row) for row in ordered.iter_rows(named=True))
    count = rows.get_column("rows")[0]
    return (
        f"<h2>{html.escape(name)}: {count:,} rows</h2><table><tr><th>monitor<th>column<th>value<th>from<th>to<th></tr>"
        f"{body}</table>"
    )


def _line(row: dict[str, object]) -> str:
    figures = "".join(f'<td class="n">{float(str(row[name])):.4g}' for name in ("value", "low", "high"))
    words = f"<td>{html.escape(str(row['monitor']))}<td>{html.escape(str(row['column']))}"
    return f"<tr{' class=bad' if row['alarm'] else ''}>{words}{figures}<td>{'alarm' if row['alarm'] else ''}</tr>"


def write(found: pl.DataFrame, folder: Path) -> list[Path]:
    """Write one page per day; each appears whole."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for key, rows in sorted(found.partition_by("date", as_dict=True).items()):
        file = folder / f"{key[0]}.html"
        partial = file.with_suffix(".part")
        partial.write_text(page(key[0], rows), encoding="utf-8")
        out.append(partial.replace(file))
    return out
