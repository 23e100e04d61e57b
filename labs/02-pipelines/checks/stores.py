"""Exercise `choose-store`: lake, warehouse or lakehouse for each situation, by what the lake showed in this cluster."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown, together

from .work import WORK

_EXERCISE = "choose-store"
_NAMESPACE = "lab-02"
_STORES = "lake, warehouse, lakehouse"


@check
def choose_store(bundle: Bundle) -> Findings:
    """Find whether each situation has a store that meets its need, by the figures measured here."""
    chosen = bundle.object("ConfigMap", "decision", _NAMESPACE)
    yield together(WORK.measured(bundle, "etl-elt"), WORK.measured(bundle, "time-travel"))
    ways, journey = WORK.result(bundle, "etl-elt"), WORK.result(bundle, "time-travel")
    yield _raw_history(chosen.at("data.raw-history"), ways)
    yield _finance_report(chosen.at("data.finance-report"), ways)
    yield _training_sets(chosen.at("data.training-sets"), journey)


def _raw_history(chosen: View, ways: View) -> Finding:
    kept, late = ways.number("elt.bytes_kept"), ways.flag("elt.late_answered")
    seen = f"elt.bytes_kept={shown(kept)} elt.late_answered={str(late).lower()}"
    return need(
        "raw-history",
        chosen.value == "lake" and late,
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: events of many kinds, kept for years and asked rarely, want the "
            "cheapest bytes and no schema before they are asked, and etl-elt must show that what was kept as it came "
            f"answers a late question. Measured: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : des événements de toutes sortes, gardés des années et rarement "
            "interrogés, demandent les octets les moins chers et aucun schéma avant la question, et etl-elt doit "
            f"montrer que ce qui est gardé tel quel répond à une question tardive. Mesuré : {seen}",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"do exercise etl-elt first, then take for raw-history, of {_STORES}, the one that is files alone",
            fr=f"faites d'abord l'exercice etl-elt, puis prenez pour raw-history, parmi {_STORES}, celui qui n'est que "
            "des fichiers",
        ),
    )


def _finance_report(chosen: View, ways: View) -> Finding:
    seen = (
        f"etl.bytes_kept={shown(ways.number('etl.bytes_kept'))} elt.bytes_kept={shown(ways.number('elt.bytes_kept'))}"
    )
    return need(
        "finance-report",
        chosen.value == "warehouse",
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: a few analysts ask in SQL alone, of a schema that must not give "
            f"way; the report's own data are small beside the raw ones. Measured: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : quelques analystes n'interrogent qu'en SQL, sur un schéma qui ne "
            f"doit pas céder ; les données du rapport sont petites à côté des données brutes. Mesuré : {seen}",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"take for finance-report, of {_STORES}, the one in which engine, schema and rights are one",
            fr=f"prenez pour finance-report, parmi {_STORES}, celui où moteur, schéma et droits ne font qu'un",
        ),
    )


def _training_sets(chosen: View, journey: View) -> Finding:
    before, after = journey.text("content.before"), journey.at("content.after_restore").value
    seen = f"content.before={before} content.after_restore={after}"
    return need(
        "training-sets",
        chosen.value == "lakehouse" and before == after,
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: a training set must be rebuilt byte for byte while a stream "
            "writes on, and time-travel must show that an older version comes back as it was. "
            f"Measured: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : un jeu d'entraînement doit être refait à l'octet près pendant "
            "qu'un flux continue d'écrire, et time-travel doit montrer qu'une version ancienne revient telle quelle. "
            f"Mesuré : {seen}",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"do exercise time-travel first, then take for training-sets, of {_STORES}, the one whose tables keep "
            "their versions under transactions",
            fr=f"faites d'abord l'exercice time-travel, puis prenez pour training-sets, parmi {_STORES}, celui dont "
            "les tables gardent leurs versions, sous transactions",
        ),
    )
