"""Exercise `late-events`: the newest event stands, whatever was written last."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "late-events"
_RIGHT = "event-time"


@check
def late_events(bundle: Bundle) -> Findings:
    """Find whether writes are guarded by event time, and whether that left no key out of date."""
    writes = WORK.settings(bundle, _EXERCISE)["writes"]
    yield _guarded(writes)
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _current(run)
    yield _tested(run)


def _guarded(writes: View) -> Finding:
    return need(
        "guarded",
        writes.text() == _RIGHT,
        f"{writes.where}={writes.text()}",
        Text(
            en=f"{writes.where} is {writes.text()}: a row that comes late or again takes the place of a newer one",
            fr=f"{writes.where} vaut {writes.text()} : une ligne en retard ou rejouée remplace une plus récente",
        ),
        WORK.edit(
            _EXERCISE,
            en="let the time at which something happened decide, not the time at which it was written",
            fr="laissez décider l'instant où la chose s'est produite, pas celui où elle a été écrite",
        ),
    )


def _current(run: View) -> Finding:
    chosen = run.text("settings.writes")
    outdated, keys = run.number(f"outdated[{chosen}]"), run.number("keys")
    return need(
        "current",
        outdated == 0,
        f"outdated[{chosen}]={shown(outdated)} keys={shown(keys)}",
        Text(
            en=f"with {chosen}, {shown(outdated)} of {shown(keys)} keys hold an older row than the newest one",
            fr=f"avec {chosen}, {shown(outdated)} clés sur {shown(keys)} ont une ligne plus vieille que la dernière",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose the way of writing that leaves none",
            fr="choisissez la façon d'écrire qui n'en laisse aucune",
        ),
    )


def _tested(run: View) -> Finding:
    keys, rows = run.number("keys"), run.number("rows")
    return need(
        "tested",
        rows > keys > 0,
        f"keys={shown(keys)} rows={shown(rows)}",
        Text(
            en=f"{shown(rows)} rows for {shown(keys)} keys: no key had a second row, so nothing could come late",
            fr=f"{shown(rows)} lignes pour {shown(keys)} clés : aucune n'a eu de seconde ligne, rien ne pouvait tarder",
        ),
        WORK.measure(_EXERCISE),
    )
