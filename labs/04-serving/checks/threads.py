"""Exercise `session-threads`: a model has the threads that its pod has cores for, and none that only take turns."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "session-threads"
_NAMESPACE = "lab-04"
_WORK = 1.8
"""Times the work of one thread that a request may be, the server's own share included."""
_SECONDS = 0.5
_FEWEST = 300


@check
def session_threads(bundle: Bundle) -> Findings:
    """Find whether threads and cores agree, and what a request is in work and in waiting."""
    cores = bundle.object("Deployment", "server", _NAMESPACE).at(
        "spec.template.spec.containers[server].resources.limits.cpu"
    )
    yield _threads(WORK.settings(bundle, _EXERCISE)["threads"], cores)
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _lean(run)
    yield _fast(run)
    yield _enough(run)


def _threads(threads: View, cores: View) -> Finding:
    return need(
        "threads",
        threads.number() <= _count(cores),
        f"{threads.where}={shown(threads.number())} cpu={cores.value}",
        Text(
            en=f"{threads.where} is {shown(threads.number())} and the pod has {cores.value} core: the threads take "
            "turns, and wake each other for it",
            fr=f"{threads.where} vaut {shown(threads.number())} et le pod a {cores.value} cœur : les threads se "
            "relaient, et se réveillent pour cela",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose as many threads as the pod has cores",
            fr="choisissez autant de threads que le pod a de cœurs",
        ),
    )


def _count(cores: View) -> float:
    """Return the cores of a limit, which Kubernetes also writes in thousandths."""
    text = str(cores.value)
    return View(text[:-1], cores.where).number() / 1000 if text.endswith("m") else cores.number()


def _lean(run: View) -> Finding:
    spent, alone = run.number("cpu_seconds"), run.number("alone_seconds")
    return need(
        "lean",
        spent <= _WORK * alone,
        f"cpu_seconds={shown(spent)} alone_seconds={shown(alone)}",
        Text(
            en=f"a request is {shown(spent)} s of work, and on one thread the model needs {shown(alone)} s: the rest "
            "is threads that wake each other and wait",
            fr=f"une requête fait {shown(spent)} s de travail, et sur un thread le modèle demande {shown(alone)} s : "
            "le reste, ce sont des threads qui se réveillent et s'attendent",
        ),
        WORK.edit(
            _EXERCISE,
            en="take away threads until the work is the model's",
            fr="retirez des threads jusqu'à ce que le travail soit celui du modèle",
        ),
    )


def _fast(run: View) -> Finding:
    slowest, half = run.number("seconds_p99"), run.number("seconds_p50")
    return need(
        "fast",
        slowest <= _SECONDS,
        f"seconds_p99={shown(slowest)} <= {_SECONDS:g} seconds_p50={shown(half)}",
        Text(
            en=f"99 of 100 answers took up to {shown(slowest)} s; {_SECONDS:g} s is wanted",
            fr=f"99 réponses sur 100 ont pris jusqu'à {shown(slowest)} s ; il en faut {_SECONDS:g} au plus",
        ),
        WORK.edit(
            _EXERCISE,
            en="take away threads; if there is one, let the machine rest (`lab status`) and measure again",
            fr="retirez des threads ; s'il n'y en a qu'un, laissez la machine se reposer (`lab status`) et mesurez de "
            "nouveau",
        ),
    )


def _enough(run: View) -> Finding:
    requests, failed = run.number("requests"), run.number("failed")
    return need(
        "enough",
        requests >= _FEWEST and failed == 0,
        f"requests={shown(requests)} failed={shown(failed)}",
        Text(
            en=f"{shown(requests)} requests, {shown(failed)} without an answer: too few to speak of the slowest",
            fr=f"{shown(requests)} requêtes, dont {shown(failed)} sans réponse : trop peu pour parler des plus lentes",
        ),
        WORK.measure(_EXERCISE),
    )
