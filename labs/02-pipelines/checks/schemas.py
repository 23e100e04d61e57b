"""Exercise `schema-evolution`: a further column is taken, another type is refused, and what was there stays."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "schema-evolution"
_RIGHT = "merge"


@check
def schema_evolution(bundle: Bundle) -> Findings:
    """Find whether the writer adds what is new and refuses what breaks, and whether that was measured so."""
    mode = WORK.settings(bundle, _EXERCISE)["schema_mode"]
    yield _chosen(mode)
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    used = run.text("settings.schema_mode")
    outcome = run.at(f"modes[{used}]")
    yield _kept(used, outcome, run.number("rows_before"))
    yield _taken(used, outcome)
    yield _refused(used, outcome)


def _chosen(mode: View) -> Finding:
    return need(
        "mode",
        mode.text() == _RIGHT,
        f"{mode.where}={mode.text()}",
        Text(
            en=f"{mode.where} is {mode.text()}: a producer that changes its columns either takes the table with it or "
            "is locked out, even where the change would hurt nobody",
            fr=f"{mode.where} vaut {mode.text()} : un producteur qui change ses colonnes emporte la table, ou reste "
            "dehors, même si le changement ne gênerait personne",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose the way of writing that adds new columns and leaves the ones that are there as they are",
            fr="choisissez la façon d'écrire qui ajoute les colonnes nouvelles et laisse telles quelles celles qui "
            "existent",
        ),
    )


def _kept(mode: str, outcome: View, before: float) -> Finding:
    lost, same = outcome.number("rows_lost"), outcome.flag("old_query_same")
    return need(
        "kept",
        lost == 0 and same,
        f"rows_before={shown(before)} rows_lost={shown(lost)} old_query_same={str(same).lower()}",
        Text(
            en=f"with {mode}, {shown(lost)} of the {shown(before)} rows that were there are gone, or a query of the "
            "old columns no longer answers the same",
            fr=f"avec {mode}, {shown(lost)} des {shown(before)} lignes présentes ont disparu, ou une requête sur les "
            "anciennes colonnes ne répond plus pareil",
        ),
        WORK.edit(
            _EXERCISE,
            en="append to the table instead of replacing it",
            fr="ajoutez à la table au lieu de la remplacer",
        ),
    )


def _taken(mode: str, outcome: View) -> Finding:
    taken = outcome.flag("additive_taken")
    return need(
        "additive",
        taken,
        f"additive_taken={str(taken).lower()}",
        Text(
            en=f"with {mode}, the batch with one more column was refused: a change that breaks no reader stops the "
            "flow of data",
            fr=f"avec {mode}, le lot avec une colonne de plus a été refusé : un changement qui ne casse aucun lecteur "
            "arrête le flux de données",
        ),
        WORK.edit(
            _EXERCISE,
            en="let the table gain columns that a batch brings",
            fr="laissez la table gagner les colonnes qu'un lot apporte",
        ),
    )


def _refused(mode: str, outcome: View) -> Finding:
    refused = outcome.flag("breaking_refused")
    return need(
        "breaking",
        refused,
        f"breaking_refused={str(refused).lower()}",
        Text(
            en=f"with {mode}, the batch whose temperatures are text was taken: every reader that computes with them "
            "fails from then on",
            fr=f"avec {mode}, le lot dont les températures sont du texte a été pris : tout lecteur qui calcule avec "
            "échoue désormais",
        ),
        WORK.edit(
            _EXERCISE,
            en="let the table keep the types of the columns that it has",
            fr="laissez à la table les types des colonnes qu'elle a",
        ),
    )
