"""Exercise `scale-to-zero`: workers that come with the work and go with it."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, figure, need, shown

from . import work
from .work import measured, result

_EXERCISE = "scale-to-zero"


@check
def scale_to_zero(bundle: Bundle) -> Findings:
    """Find whether waiting jobs brought a worker up from nothing, and an empty queue let it go again."""
    now = work.settings(bundle, _EXERCISE)
    yield _signal(now["signal"])
    yield _zero(now["min_replicas"])
    yield _bounded(now["max_replicas"])
    yield measured(bundle, _EXERCISE)
    run = result(bundle, _EXERCISE)
    yield _woke(run)
    yield _slept(run)


def _signal(signal: View) -> Finding:
    seen = f"{signal.where}={signal.value}"
    return need(
        "signal",
        signal.value == "lag",
        seen,
        Text(
            en=f"{seen}: a signal that comes from the workers themselves falls silent when there is none",
            fr=f"{seen} : un signal qui vient des workers eux-mêmes se tait quand il n'y en a aucun",
        ),
        work.edit(
            _EXERCISE,
            en="let TARMAC_SIGNAL name what the broker knows about the queue, worker or not",
            fr="faites nommer à TARMAC_SIGNAL ce que le broker sait de la file, worker ou non",
        ),
    )


def _zero(least: View) -> Finding:
    count = shown(least.number())
    return need(
        "zero",
        least.number() == 0,
        f"{least.where}={count}",
        Text(
            en=f"{least.where} is {count}: as many workers stand by when nothing waits",
            fr=f"{least.where} vaut {count} : autant de workers restent quand rien n'attend",
        ),
        work.edit(
            _EXERCISE,
            en="lower the floor TARMAC_MIN_REPLICAS as far as the exercise's name says",
            fr="abaissez le plancher TARMAC_MIN_REPLICAS jusqu'où le dit le nom de l'exercice",
        ),
    )


def _bounded(most: View) -> Finding:
    count = shown(most.number())
    return need(
        "bounded",
        most.number() >= 1,
        f"{most.where}={count}",
        Text(
            en=f"{most.where} is {count}: no worker may ever start, jobs wait for good",
            fr=f"{most.where} vaut {count} : aucun worker ne peut démarrer, les tâches attendent sans fin",
        ),
        work.edit(
            _EXERCISE,
            en="let TARMAC_MAX_REPLICAS allow a worker",
            fr="faites permettre un worker à TARMAC_MAX_REPLICAS",
        ),
    )


def _woke(run: View) -> Finding:
    jobs, done, first = run.number("jobs"), run.number("done"), figure(run.at("cold_start_s"))
    seen = f"jobs={shown(jobs)} done={shown(done)} cold_start_s={first}"
    return need(
        "woke",
        done == jobs > 0,
        seen,
        Text(
            en=f"not all jobs of topic lab-01.jobs were done: {seen}",
            fr=f"toutes les tâches du topic lab-01.jobs n'ont pas été faites : {seen}",
        ),
        work.edit(
            _EXERCISE,
            en="see `kubectl -n lab-01 logs deployment/scaler` for what it decides on; "
            "TARMAC_SIGNAL and TARMAC_MAX_REPLICAS say when a worker comes",
            fr="voyez dans `kubectl -n lab-01 logs deployment/scaler` sur quoi il décide ; "
            "TARMAC_SIGNAL et TARMAC_MAX_REPLICAS disent quand un worker vient",
        ),
    )


def _slept(run: View) -> Finding:
    names = ("replicas_before", "replicas_most", "replicas_after")
    seen = " ".join(f"{name}={figure(run.at(name))}" for name in names)
    return need(
        "slept",
        run.number("replicas_after") == 0,
        seen,
        Text(
            en=f"Deployment/worker did not go down to 0 after the last job: {seen}",
            fr=f"le Deployment/worker n'est pas descendu à 0 après la dernière tâche : {seen}",
        ),
        work.edit(
            _EXERCISE,
            en="TARMAC_MIN_REPLICAS says how many stay, TARMAC_COOLDOWN_SECONDS how long: seconds, not minutes",
            fr="TARMAC_MIN_REPLICAS dit combien restent, TARMAC_COOLDOWN_SECONDS combien de temps : des secondes, "
            "pas des minutes",
        ),
    )
