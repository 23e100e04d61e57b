"""Exercise `time-travel`: the version before a mistake is still there when the mistake is noticed."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "time-travel"
_HOURS = 24
"""A mistake of the night is noticed in the course of the next day."""


@check
def time_travel(bundle: Bundle) -> Findings:
    """Find whether the vacuum leaves older versions alone for a day, and whether one of them brought the table back."""
    yield _kept(WORK.settings(bundle, _EXERCISE)["kept_hours"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _mistake(run)
    yield _readable(run)
    yield _restored(run)


def _kept(hours: View) -> Finding:
    return need(
        "kept",
        hours.number() >= _HOURS,
        f"{hours.where}={shown(hours.number())}",
        Text(
            en=f"{hours.where} is {shown(hours.number())} h: who notices a mistake on the next day finds no version "
            "from before it",
            fr=f"{hours.where} vaut {shown(hours.number())} h : qui remarque une erreur le lendemain ne trouve plus de "
            "version d'avant",
        ),
        WORK.edit(
            _EXERCISE,
            en=f"keep older versions for at least {_HOURS} hours, better for a week",
            fr=f"gardez les anciennes versions au moins {_HOURS} heures, mieux une semaine",
        ),
    )


def _mistake(run: View) -> Finding:
    wrong, rows = run.number("rows_wrong"), run.number("rows")
    return need(
        "mistake",
        wrong > 0,
        f"rows_wrong={shown(wrong)} rows={shown(rows)}",
        Text(
            en=f"the bad batch changed {shown(wrong)} of {shown(rows)} rows: there was nothing to come back from",
            fr=f"le mauvais lot a changé {shown(wrong)} lignes sur {shown(rows)} : il n'y avait rien à réparer",
        ),
        WORK.measure(_EXERCISE),
    )


def _readable(run: View) -> Finding:
    removed = run.number("files_removed")
    version = shown(run.number("versions.before"))
    return need(
        "readable",
        run.flag("old_readable"),
        f"version={version} files_removed={shown(removed)}",
        Text(
            en=f"version {version}, from before the mistake, cannot be read any more: the vacuum removed "
            f"{shown(removed)} of its files",
            fr=f"la version {version}, d'avant l'erreur, ne se lit plus : le vacuum a supprimé {shown(removed)} "
            "de ses fichiers",
        ),
        WORK.edit(
            _EXERCISE,
            en="let the vacuum spare the files that versions of the last days need",
            fr="laissez le vacuum épargner les fichiers dont les versions des derniers jours ont besoin",
        ),
    )


def _restored(run: View) -> Finding:
    before, after = run.text("content.before"), run.at("content.after_restore").value or "null"
    return need(
        "restored",
        after == before,
        f"before={before} after_restore={after}",
        Text(
            en=f"the restore did not bring back what the table said before the mistake ({before}); it left {after}",
            fr=f"la restauration n'a pas ramené ce que la table disait avant l'erreur ({before}) ; elle a laissé "
            f"{after}",
        ),
        WORK.edit(
            _EXERCISE,
            en="keep older versions, so that there is one to restore",
            fr="gardez les anciennes versions, pour qu'il y en ait une à restaurer",
        ),
    )
