"""Exercise `shadow`: a wrong version is found out by copies of requests, before anybody gets its answers."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, figure, need, shown

from .work import WORK

_EXERCISE = "shadow"
_RIGHT = "shadow"
_COPIES = 50
_SLOWER, _ALLOWED = 2.0, 0.1
"""Times, and seconds beyond that, by which callers' answers may become slower: the machine computes twice as much."""


@check
def shadow(bundle: Bundle) -> Findings:
    """Find whether the new version was rehearsed on copies, found out there, and touched nobody."""
    yield _rehearsal(WORK.settings(bundle, _EXERCISE)["rehearsal"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    chosen = run.at(f"ways.{run.text('settings.rehearsal')}")
    yield _found(chosen)
    yield _copied(chosen)
    yield _unhurt(chosen)
    yield _untouched(chosen)


def _rehearsal(chosen: View) -> Finding:
    return need(
        "rehearsal",
        chosen.text() == _RIGHT,
        f"{chosen.where}={chosen.text()}",
        Text(
            en=f"{chosen.where} is {chosen.text()}: callers get the new version's answers before anybody has compared "
            "them with anything",
            fr=f"{chosen.where} vaut {chosen.text()} : les appelants reçoivent les réponses de la nouvelle version "
            "avant que quiconque les ait comparées",
        ),
        WORK.edit(
            _EXERCISE,
            en="let the new version answer copies first",
            fr="faites d'abord répondre la nouvelle version à des copies",
        ),
    )


def _found(chosen: View) -> Finding:
    phase, index = chosen.text("phase"), figure(chosen.at("index"))
    return need(
        "found",
        phase == "rolled back",
        f"phase={phase.replace(' ', '-')} index={index}",
        Text(
            en=f"the wrong version was not found out: the release ended as {phase}, with a drift of its outputs of "
            f"{index}",
            fr=f"la mauvaise version n'a pas été découverte : la livraison a fini en {phase}, avec une dérive des "
            f"sorties de {index}",
        ),
        WORK.measure(_EXERCISE),
    )


def _copied(chosen: View) -> Finding:
    seen, requests = chosen.number("seen_by_new"), chosen.number("requests")
    return need(
        "copied",
        seen >= _COPIES,
        f"seen_by_new={shown(seen)} requests={shown(requests)}",
        Text(
            en=f"the new version saw {shown(seen)} of {shown(requests)} requests: too few to say anything of it",
            fr=f"la nouvelle version a vu {shown(seen)} requêtes sur {shown(requests)} : trop peu pour en dire quoi "
            "que ce soit",
        ),
        WORK.measure(_EXERCISE),
    )


def _unhurt(chosen: View) -> Finding:
    hurt, failed = chosen.number("hurt"), chosen.number("failed")
    return need(
        "unhurt",
        hurt == failed == 0,
        f"hurt={shown(hurt)} failed={shown(failed)}",
        Text(
            en=f"{shown(hurt)} callers got a wrong prediction and {shown(failed)} none while the version was tried",
            fr=f"{shown(hurt)} appelants ont reçu une prédiction fausse et {shown(failed)} aucune pendant l'essai",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose the rehearsal whose `hurt` is 0 under `ways` in the JSON output",
            fr="choisissez la répétition dont `hurt` est 0 sous `ways` dans la sortie JSON",
        ),
    )


def _untouched(chosen: View) -> Finding:
    after, before = chosen.number("seconds_p95"), chosen.number("seconds_p95_before")
    return need(
        "untouched",
        after <= _SLOWER * before + _ALLOWED,
        f"seconds_p95={shown(after)} before={shown(before)}",
        Text(
            en=f"19 of 20 answers took up to {shown(after)} s while copies were sent, and {shown(before)} s before: "
            "the copies are in the callers' way",
            fr=f"19 réponses sur 20 ont pris jusqu'à {shown(after)} s pendant l'envoi des copies, et {shown(before)} s "
            "avant : les copies gênent les appelants",
        ),
        Text(
            en=f"let the machine rest (`lab status` shows what runs), then `lab compare 04 --only {_EXERCISE}`",
            fr="laissez la machine se reposer (`lab status` montre ce qui tourne), puis "
            f"`lab compare 04 --only {_EXERCISE}`",
        ),
    )
