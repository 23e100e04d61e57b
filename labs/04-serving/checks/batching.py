"""Exercise `dynamic-batching`: one run computes what waits together, and an idle server lets nobody wait."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "dynamic-batching"
_FEWEST = 8
_ANSWERED = 0.99
_SECONDS = 0.5
_OVER = 1.2
_WAITED = 0.005
"""Seconds that a request may wait for its run while nobody else asks."""


@check
def dynamic_batching(bundle: Bundle) -> Findings:
    """Find whether runs take several rows, and whether that carried a load that single rows could not."""
    yield _rows(WORK.settings(bundle, _EXERCISE)["batch_rows"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _loaded(run)
    yield _answered(run)
    yield _fast(run)
    yield _idle(run)


def _rows(rows: View) -> Finding:
    return need(
        "rows",
        rows.number() >= _FEWEST,
        f"{rows.where}={shown(rows.number())}",
        Text(
            en=f"{rows.where} is {shown(rows.number())}: requests that wait together are computed one after the other",
            fr=f"{rows.where} vaut {shown(rows.number())} : des requêtes qui attendent ensemble sont calculées l'une "
            "après l'autre",
        ),
        WORK.edit(
            _EXERCISE,
            en="let a run have some dozens of rows",
            fr="laissez à un calcul quelques dizaines de lignes",
        ),
    )


def _loaded(run: View) -> Finding:
    offered, alone = run.number("load.offered_per_second"), run.number("load.alone_per_second")
    return need(
        "loaded",
        offered >= _OVER * alone,
        f"offered_per_second={shown(offered)} alone_per_second={shown(alone)}",
        Text(
            en=f"{shown(offered)} requests/s were sent, and single rows would allow {shown(alone)}/s: whoever is not "
            "busy has nothing to gather",
            fr=f"{shown(offered)} requêtes/s ont été envoyées, et des lignes seules en permettraient {shown(alone)}/s "
            ": qui n'est pas occupé n'a rien à regrouper",
        ),
        WORK.measure(_EXERCISE),
    )


def _answered(run: View) -> Finding:
    sent, answered, refused = (run.number(f"load.{name}") for name in ("requests", "answered", "refused"))
    return need(
        "answered",
        answered >= _ANSWERED * sent > 0,
        f"requests={shown(sent)} answered={shown(answered)} refused={shown(refused)}",
        Text(
            en=f"of {shown(sent)} requests {shown(answered)} were answered and {shown(refused)} refused, as too many "
            "waited already",
            fr=f"sur {shown(sent)} requêtes, {shown(answered)} ont eu une réponse et {shown(refused)} ont été refusées "
            ": trop d'autres attendant déjà",
        ),
        WORK.edit(
            _EXERCISE,
            en="let a run have more rows, until the load is carried",
            fr="laissez plus de lignes à un calcul, jusqu'à porter la charge",
        ),
    )


def _fast(run: View) -> Finding:
    seconds, together = run.number("load.seconds_p99"), run.number("load.requests_per_run")
    return need(
        "fast",
        seconds <= _SECONDS,
        f"seconds_p99={shown(seconds)} <= {_SECONDS:g} requests_per_run={shown(together)}",
        Text(
            en=f"99 of 100 answers took up to {shown(seconds)} s with {shown(together)} requests in a run; "
            f"{_SECONDS:g} s is wanted",
            fr=f"99 réponses sur 100 ont pris jusqu'à {shown(seconds)} s avec {shown(together)} requêtes par calcul ; "
            f"il en faut {_SECONDS:g} au plus",
        ),
        WORK.edit(
            _EXERCISE,
            en="let a run have more rows; if it has dozens, let the machine rest (`lab status`) and measure again",
            fr="laissez plus de lignes à un calcul ; s'il en a des dizaines, laissez la machine se reposer "
            "(`lab status`) et mesurez de nouveau",
        ),
    )


def _idle(run: View) -> Finding:
    waited, seconds = run.number("idle.waited_seconds"), run.number("idle.seconds_p50")
    return need(
        "idle",
        waited <= _WAITED,
        f"idle.waited_seconds={shown(waited)} idle.seconds_p50={shown(seconds)}",
        Text(
            en=f"a request waited {shown(waited)} s for its run while nobody else asked: batching is not to make an "
            "idle server slower",
            fr=f"une requête a attendu {shown(waited)} s son calcul alors que personne d'autre ne demandait : le "
            "regroupement ne doit pas ralentir un serveur au repos",
        ),
        WORK.measure(_EXERCISE),
    )
