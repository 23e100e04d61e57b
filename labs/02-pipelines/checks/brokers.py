"""Exercise `choose-broker`: a broker for each situation, and a size by the figures of this cluster."""

from __future__ import annotations

import math

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "choose-broker"
_NAMESPACE = "lab-02"
_BROKERS = "kafka, pulsar, kinesis"
_GROUP = 200
"""The stream that is planned for, the airline group's, in streams of the present pace."""
_SHARD_RECORDS, _SHARD_BYTES = 1_000, 1_000_000
"""What a shard of Kinesis takes in a second: whichever is reached first."""
_SPARE = 2
"""A reserve is wise; shards for more than so many times the stream are paid for and idle."""
_DIGITS = 6
"""More of them are no number of shards."""


@check
def choose_broker(bundle: Bundle) -> Findings:
    """Find whether each situation has a broker that meets its need, and Kinesis the size that was measured."""
    chosen = bundle.object("ConfigMap", "decision", _NAMESPACE)
    run = WORK.result(bundle, _EXERCISE)
    yield _written(run)
    yield _flowing(run)
    yield _carries(run)
    yield _one_team(chosen.at("data.one-team"), run)
    yield _many_tenants(chosen.at("data.many-tenants"))
    yield _no_servers(chosen.at("data.no-servers"))
    yield _shards(chosen.at("data.kinesis-shards"), run)
    yield _idle(chosen.at("data.kinesis-shards"), run)


def _written(run: View) -> Finding:
    records, written = run.number("records"), run.number("written")
    return need(
        "written",
        written >= records > 0,
        f"records={shown(records)} written={shown(written)}",
        Text(
            en=f"of {shown(records)} records of the burst the broker holds {shown(written)}: "
            "a rate of records that are not there says nothing",
            fr=f"sur les {shown(records)} enregistrements de la rafale, le broker en tient {shown(written)} : "
            "un débit d'enregistrements absents ne dit rien",
        ),
        _again(),
    )


def _flowing(run: View) -> Finding:
    events = run.number("replay.events_per_second")
    return need(
        "flowing",
        events > 0,
        f"replay.events_per_second={shown(events)}",
        Text(
            en="the replay stood still while it was measured: a broker for no events is no decision",
            fr="le rejeu était à l'arrêt pendant la mesure : un broker pour aucun événement n'est pas une décision",
        ),
        Text(
            en=f"see `lab kubectl get pods -n chain`; once ingest-producer runs, `lab compare 02 --only {_EXERCISE}`",
            fr=f"voyez `lab kubectl get pods -n chain` ; dès qu'ingest-producer tourne, "
            f"`lab compare 02 --only {_EXERCISE}`",
        ),
    )


def _carries(run: View) -> Finding:
    given, asked = run.number("records_per_second"), _GROUP * run.number("replay.events_per_second")
    return need(
        "carries",
        given >= asked,
        f"records_per_second={shown(given)} asked={shown(asked)}",
        Text(
            en=f"this broker took {shown(given)} records/s; the airline group's stream, {_GROUP} times the present "
            f"pace, is {shown(asked)}/s, so these figures speak for no broker of this size",
            fr=f"ce broker a pris {shown(given)} enregistrements/s ; le flux du groupe aérien, {_GROUP} fois le débit "
            f"actuel, est de {shown(asked)}/s, ces chiffres ne parlent donc pour aucun broker de cette taille",
        ),
        _again(),
    )


def _one_team(chosen: View, run: View) -> Finding:
    seen = (
        f"seconds_p95={shown(run.number('seconds_p95'))} records_per_second={shown(run.number('records_per_second'))}"
    )
    return need(
        "one-team",
        chosen.value == "kafka",
        f"{chosen.where}={chosen.value} {seen}",
        Text(
            en=f"{chosen.where} is {chosen.value}: one team runs it on its own machines and replays a week, so it must "
            f"be had without a cloud, with as few kinds of servers as possible. Measured on one such broker: {seen}",
            fr=f"{chosen.where} vaut {chosen.value} : une seule équipe l'exploite sur ses machines et rejoue une "
            "semaine ; il le faut donc sans cloud, avec aussi peu de sortes de serveurs que possible. "
            f"Mesuré sur un tel broker : {seen}",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"take for one-team, of {_BROKERS}, the one whose servers are of one kind and stand in your own room",
            fr=f"prenez pour one-team, parmi {_BROKERS}, celui dont les serveurs sont d'une seule sorte et restent "
            "chez vous",
        ),
    )


def _many_tenants(chosen: View) -> Finding:
    return need(
        "many-tenants",
        chosen.value == "pulsar",
        f"{chosen.where}={chosen.value}",
        Text(
            en=f"{chosen.where} is {chosen.value}: hundreds of tenants with millions of topics need tenants as a "
            "notion of the broker itself, and storage that grows without more of the servers that clients talk to",
            fr=f"{chosen.where} vaut {chosen.value} : des centaines de locataires et des millions de topics demandent "
            "la notion de locataire dans le broker même, et un stockage qui grandit sans ajouter de ces serveurs "
            "auxquels parlent les clients",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"take for many-tenants, of {_BROKERS}, the one whose brokers hold no data",
            fr=f"prenez pour many-tenants, parmi {_BROKERS}, celui dont les brokers ne tiennent pas les données",
        ),
    )


def _no_servers(chosen: View) -> Finding:
    return need(
        "no-servers",
        chosen.value == "kinesis",
        f"{chosen.where}={chosen.value}",
        Text(
            en=f"{chosen.where} is {chosen.value}: the team is wholly on one cloud and wants to run no server at all, "
            "at a rate that is known",
            fr=f"{chosen.where} vaut {chosen.value} : l'équipe est entièrement sur un seul cloud et ne veut exploiter "
            "aucun serveur, à un débit connu",
        ),
        WORK.decide(
            _EXERCISE,
            en=f"take for no-servers, of {_BROKERS}, the one that only exists as a cloud's own service",
            fr=f"prenez pour no-servers, parmi {_BROKERS}, celui qui n'existe que comme service d'un cloud",
        ),
    )


def _shards(chosen: View, run: View) -> Finding:
    count, wanted, stream = _whole(chosen), _needed(run), _stream(run)
    return need(
        "shards",
        count is not None and count >= wanted,
        f"{chosen.where}={chosen.value} {stream}",
        Text(
            en=f"{chosen.where} is {chosen.value}: the airline group's stream, {_GROUP} times the pace of the replay, "
            f"is {stream}; a shard takes {_SHARD_RECORDS} records/s or {_SHARD_BYTES} bytes/s in, whichever is "
            "reached first",
            fr=f"{chosen.where} vaut {chosen.value} : le flux du groupe aérien, {_GROUP} fois le débit du rejeu, est "
            f"de {stream} ; un shard accepte {_SHARD_RECORDS} enregistrements/s ou {_SHARD_BYTES} octets/s, selon ce "
            "qui est atteint d'abord",
        ),
        WORK.decide(
            _EXERCISE,
            en="divide both figures by what a shard takes, add a quarter in reserve, round up, and take the greater "
            "as kinesis-shards",
            fr="divisez les deux chiffres par ce qu'accepte un shard, ajoutez un quart de réserve, arrondissez vers "
            "le haut, et prenez le plus grand comme kinesis-shards",
        ),
    )


def _idle(chosen: View, run: View) -> Finding:
    count, most, stream = _whole(chosen) or 0, _needed(run, _SPARE), _stream(run)
    # Of a replay that stands still, `flowing` tells; every shard would be one too many.
    still = run.number("replay.events_per_second") <= 0
    return need(
        "idle-shards",
        still or count <= most,
        f"{chosen.where}={chosen.value} <= {most} {stream}",
        Text(
            en=f"{chosen.where} is {chosen.value}: {most} would carry {_SPARE} times the airline group's stream, which "
            f"is {stream}; each further shard is paid for by the hour and idle",
            fr=f"{chosen.where} vaut {chosen.value} : {most} porteraient {_SPARE} fois le flux du groupe aérien, qui "
            f"est de {stream} ; tout shard de plus se paie à l'heure et ne sert pas",
        ),
        WORK.decide(
            _EXERCISE,
            en="size by the pace of the replay (`replay` in the result), not by the burst, with a quarter in reserve",
            fr="dimensionnez sur le débit du rejeu (`replay` dans le résultat), non sur la rafale, avec un quart de "
            "réserve",
        ),
    )


def _whole(chosen: View) -> int | None:
    """Return the number of shards that is written there; None where it is none."""
    words = str(chosen.value)
    return int(words) if words.isascii() and words.isdecimal() and len(words) <= _DIGITS else None


def _needed(run: View, times: int = 1) -> int:
    """Return the shards that so many times the group's stream needs; a stream has one at least."""
    records = run.number("replay.events_per_second") / _SHARD_RECORDS
    size = run.number("replay.bytes_per_second") / _SHARD_BYTES
    return max(1, *(math.ceil(times * _GROUP * each) for each in (records, size)))


def _stream(run: View) -> str:
    records, size = (_GROUP * run.number(f"replay.{name}_per_second") for name in ("events", "bytes"))
    return f"records_per_second={shown(records)} bytes_per_second={shown(size)}"


def _again() -> Text:
    return Text(
        en=f"let the machine rest (`lab status` shows what runs), then `lab compare 02 --only {_EXERCISE}`",
        fr="laissez la machine se reposer (`lab status` montre ce qui tourne), puis "
        f"`lab compare 02 --only {_EXERCISE}`",
    )
