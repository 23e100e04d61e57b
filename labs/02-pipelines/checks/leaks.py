"""Exercise `leakage`: a model reads no column that becomes known only after its prediction."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "leakage"
_WITH = "with"
"""The model that reads the further columns, in the experiment's result."""
_WORSE = 0.05
"""Share by which a model may be worse when it serves than it was offline: the days differ a little."""
_KNOWN = {
    "departed": Text(en="once the plane has left", fr="une fois l'avion parti"),
    "arrived": Text(en="once the plane has landed", fr="une fois l'avion arrivé"),
    "weather_time": Text(en="with the last reading before the departure", fr="avec le dernier relevé avant le départ"),
}


@check
def leakage(bundle: Bundle) -> Findings:
    """Find whether a further column is kept, and none that is known too late, so that the offline error holds."""
    yield _kept(WORK.settings(bundle, _EXERCISE)["extra_columns"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _in_time(run)
    yield _holds(run)


def _kept(columns: View) -> Finding:
    names = [name.strip() for name in columns.text().split(",") if name.strip()]
    return need(
        "kept",
        bool(names),
        f"{columns.where}={','.join(names) or 'none'}",
        Text(
            en=f"{columns.where} is empty: a model without any further column leaks nothing and learns nothing new",
            fr=f"{columns.where} est vide : sans autre colonne, rien ne fuit et le modèle n'apprend rien de neuf",
        ),
        WORK.edit(
            _EXERCISE,
            en="put back the column that the timetable tells",
            fr="remettez la colonne que donne l'horaire",
        ),
    )


def _in_time(run: View) -> Finding:
    late = run.entries("late")
    return need(
        "in-time",
        not late,
        "late=" + (",".join(late) or "none"),
        Text(
            en="; ".join(
                f"{name} becomes known only {_known(column).en}, up to {shown(column.number('minutes'))} min after the "
                f"prediction, in {shown(column.number('rows'))} rows: no prediction can read it"
                for name, column in late.items()
            ),
            fr=" ; ".join(
                f"{name} n'est connue qu'{_known(column).fr}, jusqu'à {shown(column.number('minutes'))} min après la "
                f"prédiction, dans {shown(column.number('rows'))} lignes : aucune prédiction ne peut la lire"
                for name, column in late.items()
            ),
        ),
        WORK.edit(
            _EXERCISE,
            en=f"take out {', '.join(late) or 'what is known too late'}, and keep what is known before the prediction",
            fr=f"retirez {', '.join(late) or 'ce qui est connu trop tard'}, et gardez ce qui est connu avant la "
            "prédiction",
        ),
    )


def _known(column: View) -> Text:
    """When a column becomes known, in words; the experiment names the column that holds the instant."""
    instant = column.text("known")
    return _KNOWN.get(instant) or Text(en=f"at {instant}", fr=f"à l'instant {instant}")


def _holds(run: View) -> Finding:
    offline, served = run.number(f"offline_rmse[{_WITH}]"), run.number(f"served_rmse[{_WITH}]")
    return need(
        "holds",
        served <= offline * (1 + _WORSE),
        f"offline_rmse[{_WITH}]={shown(offline)} served_rmse[{_WITH}]={shown(served)}",
        Text(
            en=f"the error is {shown(offline)} minutes offline and {shown(served)} when the model serves: the offline "
            "figure was reached with something that serving does not have",
            fr=f"l'erreur est de {shown(offline)} minutes hors ligne et de {shown(served)} quand le modèle sert : le "
            "chiffre hors ligne a été atteint avec quelque chose que le service n'a pas",
        ),
        WORK.edit(
            _EXERCISE,
            en="look in `late` for the column that is missing when the model serves",
            fr="cherchez dans `late` la colonne qui manque quand le modèle sert",
        ),
    )
