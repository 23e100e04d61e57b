"""Exercise `etl-elt`: a question that nobody foresaw can still be answered when its source is gone."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "etl-elt"
_RIGHT = "elt"


@check
def etl_elt(bundle: Bundle) -> Findings:
    """Find whether the team loads first and transforms later, and whether that answered the late question."""
    yield _transform(WORK.settings(bundle, _EXERCISE)["transform"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _late(run)
    yield _same(run)


def _transform(transform: View) -> Finding:
    return need(
        "transform",
        transform.text() == _RIGHT,
        f"{transform.where}={transform.text()}",
        Text(
            en=f"{transform.where} is {transform.text()}: only what today's question needs is loaded, the source "
            "expires after a week, and next month's question is another one",
            fr=f"{transform.where} vaut {transform.text()} : seul est chargé ce qu'il faut à la question du jour, la "
            "source expire après une semaine, et la question du mois prochain sera une autre",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose the way that keeps what a later question may need",
            fr="choisissez la voie qui garde ce dont une question ultérieure peut avoir besoin",
        ),
    )


def _late(run: View) -> Finding:
    chosen = run.text("settings.transform")
    answered, kept = run.flag(f"{chosen}.late_answered"), shown(run.number(f"{chosen}.bytes_kept"))
    return need(
        "late",
        answered,
        f"{chosen}.late_answered={str(answered).lower()} {chosen}.bytes_kept={kept}",
        Text(
            en=f"with {chosen}, nobody could answer the question that came after the source had expired: "
            f"the {kept} bytes that were kept do not hold it",
            fr=f"avec {chosen}, personne n'a pu répondre à la question venue après l'expiration de la source : "
            f"les {kept} octets gardés ne la contiennent pas",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose the way whose `late_answered` is true",
            fr="choisissez la voie dont `late_answered` est vrai",
        ),
    )


def _same(run: View) -> Finding:
    same, rows = run.flag("same"), shown(run.number("rows"))
    return need(
        "same",
        same,
        f"same={str(same).lower()} rows={rows}",
        Text(
            en=f"ETL and ELT gave different answers to the same question about {rows} arrivals: "
            "there is nothing to choose between as long as one of them is wrong",
            fr=f"ETL et ELT ont répondu différemment à la même question sur {rows} arrivées : "
            "il n'y a pas à choisir tant que l'une des deux a tort",
        ),
        WORK.measure(_EXERCISE),
    )
