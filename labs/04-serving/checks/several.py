"""Exercise `several-models`: one server holds the models that it is asked for, within its memory."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "several-models"
_MODELS, _CALLS = 3, 12
_SECONDS = 0.25
_MEBIBYTE = 2**20
_ROOM = 460
"""MiB that the server may have resident: its pod's limit is 512."""


@check
def several_models(bundle: Bundle) -> Findings:
    """Find whether the server has room for the models that are asked in turn, and whether its memory allows it."""
    yield _limit(WORK.settings(bundle, _EXERCISE)["models_limit"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _kept(run)
    yield _fast(run)
    yield _memory(run)
    yield _enough(run)


def _limit(limit: View) -> Finding:
    return need(
        "limit",
        limit.number() >= _MODELS,
        f"{limit.where}={shown(limit.number())}",
        Text(
            en=f"{limit.where} is {shown(limit.number())}, and {_MODELS} models are asked in turn: each call has to "
            "load what the call before it has evicted",
            fr=f"{limit.where} vaut {shown(limit.number())}, et {_MODELS} modèles sont demandés tour à tour : chaque "
            "appel doit charger ce que le précédent a évincé",
        ),
        WORK.edit(
            _EXERCISE,
            en="give the server room for all models that are asked, and some more",
            fr="donnez au serveur la place de tous les modèles demandés, et un peu plus",
        ),
    )


def _kept(run: View) -> Finding:
    evicted, loaded, calls = run.number("evicted"), run.number("loaded"), run.number("calls")
    return need(
        "kept",
        evicted == loaded == 0,
        f"evicted={shown(evicted)} loaded={shown(loaded)} calls={shown(calls)}",
        Text(
            en=f"{shown(loaded)} loads and {shown(evicted)} evictions for {shown(calls)} calls: the models take turns "
            "in memory",
            fr=f"{shown(loaded)} chargements et {shown(evicted)} évictions pour {shown(calls)} appels : les modèles se "
            "relaient en mémoire",
        ),
        WORK.edit(
            _EXERCISE,
            en="raise the limit until nothing is evicted between two calls",
            fr="augmentez la limite jusqu'à ce que rien ne soit évincé entre deux appels",
        ),
    )


def _fast(run: View) -> Finding:
    seconds = run.number("seconds_p95")
    return need(
        "fast",
        seconds <= _SECONDS,
        f"seconds_p95={shown(seconds)} <= {_SECONDS:g}",
        Text(
            en=f"19 of 20 calls took up to {shown(seconds)} s; {_SECONDS:g} s is wanted, and a model that is in memory "
            "answers in milliseconds",
            fr=f"19 appels sur 20 ont pris jusqu'à {shown(seconds)} s ; il en faut {_SECONDS:g} au plus, et un modèle "
            "en mémoire répond en millisecondes",
        ),
        WORK.edit(
            _EXERCISE,
            en="raise the limit; if it is high already, let the machine rest (`lab status`) and measure again",
            fr="augmentez la limite ; si elle l'est déjà, laissez la machine se reposer (`lab status`) et mesurez de "
            "nouveau",
        ),
    )


def _memory(run: View) -> Finding:
    resident, models = run.number("resident") / _MEBIBYTE, run.number("in_memory") / _MEBIBYTE
    return need(
        "memory",
        0 < resident <= _ROOM,
        f"resident_mib={shown(resident)} in_memory_mib={shown(models)}",
        Text(
            en=f"the server has {shown(resident)} MiB resident, {shown(models)} MiB of them files of models; beyond "
            f"{_ROOM} MiB the pod's limit ends it",
            fr=f"le serveur occupe {shown(resident)} Mio, dont {shown(models)} Mio de fichiers de modèles ; au-delà de "
            f"{_ROOM} Mio, la limite du pod l'arrête",
        ),
        WORK.edit(
            _EXERCISE,
            en="lower the limit to what the memory allows",
            fr="abaissez la limite à ce que permet la mémoire",
        ),
    )


def _enough(run: View) -> Finding:
    models, calls, failed = (run.number(name) for name in ("models", "calls", "failed"))
    return need(
        "enough",
        models >= _MODELS and calls >= _CALLS and failed == 0,
        f"models={shown(models)} calls={shown(calls)} failed={shown(failed)}",
        Text(
            en=f"{shown(calls)} calls of {shown(models)} models, of which {shown(failed)} failed: that measures "
            "nothing",
            fr=f"{shown(calls)} appels de {shown(models)} modèles, dont {shown(failed)} ont échoué : ce n'est pas une "
            "mesure",
        ),
        WORK.measure(_EXERCISE),
    )
