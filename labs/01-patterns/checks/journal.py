"""Exercise `event-sourcing`: a journal that keeps every event, and a read model rebuilt from it."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from . import work
from .work import measured, result

_EXERCISE = "event-sourcing"
_TOPIC = "lab-01.journal"
_UNLIMITED = -1
"""Kafka's retention.ms for "as long as there is room"."""


@check
def event_sourcing(bundle: Bundle) -> Findings:
    """Find whether the journal keeps every event for good, and the read model came back the same."""
    now, config = work.settings(bundle, _EXERCISE), bundle.topic(_TOPIC).at("config")
    yield _kept(config, now["cleanup"])
    yield _retention(config, now["retention_ms"])
    yield measured(bundle, _EXERCISE)
    run = result(bundle, _EXERCISE)
    yield _complete(run)
    yield _rebuilt(run)


def _kept(config: View, wanted: View) -> Finding:
    there = _own(config, "cleanup.policy")
    seen = f"topic {_TOPIC}: cleanup.policy={there}, {wanted.where}={wanted.value}"
    return need(
        "kept",
        there == "delete" and wanted.value == "delete",
        seen,
        Text(
            en=f"the journal may lose every event that another of the same booking follows: {seen}",
            fr=f"le journal peut perdre tout événement suivi d'un autre de la même réservation : {seen}",
        ),
        _hand_over()
        if wanted.value == "delete"
        else work.edit(
            _EXERCISE,
            en="choose for TARMAC_JOURNAL_CLEANUP the policy that looks at age alone, never at keys; "
            "role analyst hands it to the topic when it starts",
            fr="choisissez pour TARMAC_JOURNAL_CLEANUP la politique qui ne regarde que l'âge, jamais les clés ; "
            "le rôle analyst la donne au topic à son démarrage",
        ),
    )


def _retention(config: View, wanted: View) -> Finding:
    there = _own(config, "retention.ms")
    seen = f"topic {_TOPIC}: retention.ms={there}, {wanted.where}={wanted.value}"
    return need(
        "retention",
        there == str(_UNLIMITED) and wanted.number() == _UNLIMITED,
        seen,
        Text(
            en=f"the journal forgets events by age, and with them the truth: {seen}",
            fr=f"le journal oublie les événements selon leur âge, et la vérité avec eux : {seen}",
        ),
        _hand_over()
        if wanted.number() == _UNLIMITED
        else work.edit(
            _EXERCISE,
            en="give TARMAC_JOURNAL_RETENTION_MS the value that Kafka reads as no limit; "
            "role analyst hands it to the topic when it starts",
            fr="donnez à TARMAC_JOURNAL_RETENTION_MS la valeur que Kafka comprend comme « sans limite » ; "
            "le rôle analyst la donne au topic à son démarrage",
        ),
    )


def _complete(run: View) -> Finding:
    written, held = run.number("written"), run.number("held")
    return need(
        "complete",
        held >= written > 0,
        f"written={shown(written)} held={shown(held)}",
        Text(
            en=f"{shown(written)} events were written to {_TOPIC}, {shown(held)} were still there at the rebuild",
            fr=f"{shown(written)} événements ont été écrits dans {_TOPIC}, il en restait {shown(held)} "
            "à la reconstruction",
        ),
        work.edit(
            _EXERCISE,
            en="look at what lets Kafka remove records, by age or by key",
            fr="regardez ce qui autorise Kafka à supprimer des enregistrements, par âge ou par clé",
        ),
    )


def _rebuilt(run: View) -> Finding:
    before, rebuilt = run.text("before"), run.text("rebuilt")
    return need(
        "rebuilt",
        run.flag("agree") and before == rebuilt,
        f"before={before[:8]} rebuilt={rebuilt[:8]}",
        Text(
            en=f"the read model (seats taken per flight) came back different: {before[:8]} before it was dropped, "
            f"{rebuilt[:8]} after the rebuild from {_TOPIC}",
            fr=f"le modèle de lecture (places prises par vol) est revenu différent : {before[:8]} avant sa "
            f"suppression, {rebuilt[:8]} après sa reconstruction depuis {_TOPIC}",
        ),
        work.edit(
            _EXERCISE,
            en="make sure that the journal keeps every event, in its order",
            fr="assurez-vous que le journal garde chaque événement, dans son ordre",
        ),
    )


def _hand_over() -> Text:
    return Text(
        en="Deployment/analyst has the right value, its topic has not: role analyst hands it over when it starts, so "
        f"`kubectl -n lab-01 rollout restart deployment/analyst`, then `lab compare 01 --only {_EXERCISE}`",
        fr="le Deployment/analyst a la bonne valeur, son topic ne l'a pas : le rôle analyst la lui donne à son "
        "démarrage, donc `kubectl -n lab-01 rollout restart deployment/analyst`, puis "
        f"`lab compare 01 --only {_EXERCISE}`",
    )


def _own(config: View, key: str) -> object:
    entry = config.maybe(f"[{key}]")
    return "-" if entry is None else entry.value
