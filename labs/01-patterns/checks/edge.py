"""Exercise `edge-offline`: an airport that goes on without its link, and hands everything over afterwards."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Seeded, Text, View, check, need, order, shown

from . import work
from .work import measured, result

_EXERCISE = "edge-offline"
_ENOUGH = 1000
"""Readings: a long cut's worth for one site."""
_AIRPORTS = ("EWR", "JFK", "LGA")
_CUT_SITE = Seeded(work.WORK, _EXERCISE, "cut-site", "centre", lambda seed: order(seed, _EXERCISE, _AIRPORTS)[:1])


@check
def edge_offline(bundle: Bundle) -> Findings:
    """Find whether a site answered through the cut, and its readings arrived all, in order, and once."""
    now = work.settings(bundle, _EXERCISE)
    yield _store(now["store"])
    yield _capacity(now["store_readings"])
    yield _local(now["answer_from"])
    yield measured(bundle, _EXERCISE)
    run = result(bundle, _EXERCISE)
    yield _answered(run)
    yield _restarted(run)
    yield _kept(run)
    yield _order(run)
    yield _once(run)
    yield from _CUT_SITE.found(
        bundle,
        run,
        Text(
            en="the airport that lost its link and its process in the experiment",
            fr="l'aéroport qui a perdu son lien et son processus dans l'expérience",
        ),
        Text(
            en="find the site that was told to end: "
            "`kubectl -n lab-01 logs -l app.kubernetes.io/name=edge --tail=-1 | grep 'told to end'`",
            fr="trouvez le site à qui l'on a dit de s'arrêter : "
            "`kubectl -n lab-01 logs -l app.kubernetes.io/name=edge --tail=-1 | grep 'told to end'`",
        ),
    )


def answered_offline(run: View) -> bool:
    """Tell whether a site answered every question while its link was cut."""
    return run.number("answered_offline") == run.number("asked_offline") > 0


def _store(store: View) -> Finding:
    seen = f"{store.where}={store.value}"
    return need(
        "store",
        store.value == "disk",
        seen,
        Text(
            en=f"{seen}: what a site holds is gone when its process ends, and it ends during the cut",
            fr=f"{seen} : ce que garde un site disparaît avec son processus, et celui-ci s'arrête pendant la coupure",
        ),
        work.edit(
            _EXERCISE,
            en="choose for TARMAC_STORE the place that outlives the process; the volume is there already",
            fr="choisissez pour TARMAC_STORE l'endroit qui survit au processus ; le volume est déjà là",
        ),
    )


def _capacity(readings: View) -> Finding:
    count = readings.number()
    return need(
        "capacity",
        count >= _ENOUGH,
        f"{readings.where}={shown(count)}",
        Text(
            en=f"{readings.where} is {shown(count)}: the store is full before the link is back, and readings are "
            f"lost; a long cut brings about {_ENOUGH}",
            fr=f"{readings.where} vaut {shown(count)} : la réserve est pleine avant le retour du lien, et des relevés "
            f"sont perdus ; une longue coupure en apporte environ {_ENOUGH}",
        ),
        work.edit(
            _EXERCISE,
            en="let TARMAC_STORE_READINGS hold a long cut; a reading takes a few hundred bytes of 64 MiB",
            fr="faites tenir une longue coupure dans TARMAC_STORE_READINGS ; un relevé prend quelques centaines "
            "d'octets sur 64 Mio",
        ),
    )


def _local(answer: View) -> Finding:
    seen = f"{answer.where}={answer.value}"
    return need(
        "local",
        answer.value == "site",
        seen,
        Text(
            en=f"{seen}: a question asked at the airport needs the link to be answered",
            fr=f"{seen} : une question posée à l'aéroport a besoin du lien pour recevoir une réponse",
        ),
        work.edit(
            _EXERCISE,
            en="let TARMAC_ANSWER_FROM name who is there when the link is not",
            fr="faites nommer à TARMAC_ANSWER_FROM celui qui est là quand le lien n'y est pas",
        ),
    )


def _answered(run: View) -> Finding:
    asked, answered = shown(run.number("asked_offline")), shown(run.number("answered_offline"))
    return need(
        "answered",
        answered_offline(run),
        f"asked_offline={asked} answered_offline={answered}",
        Text(
            en=f"with its link cut, the site answered {answered} of {asked} questions",
            fr=f"lien coupé, le site a répondu à {answered} questions sur {asked}",
        ),
        work.edit(
            _EXERCISE,
            en="look at who answers for the site (TARMAC_ANSWER_FROM)",
            fr="regardez qui répond pour le site (TARMAC_ANSWER_FROM)",
        ),
    )


def _restarted(run: View) -> Finding:
    return need(
        "restarted",
        run.flag("crashed"),
        f"crashed={str(run.flag('crashed')).lower()}",
        Text(
            en="the site's process did not end and come back while the link was cut (crashed=false), "
            "so nothing shows yet that its readings outlive it",
            fr="le processus du site ne s'est pas arrêté puis relancé pendant la coupure (crashed=false) : "
            "rien ne montre encore que ses relevés lui survivent",
        ),
        Text(
            en="see `kubectl -n lab-01 get pods -l app.kubernetes.io/name=edge`: all three must be Ready; "
            f"then `lab compare 01 --only {_EXERCISE}`",
            fr="voyez `kubectl -n lab-01 get pods -l app.kubernetes.io/name=edge` : tous trois doivent être Ready ; "
            f"puis `lab compare 01 --only {_EXERCISE}`",
        ),
    )


def _kept(run: View) -> Finding:
    (taken, given), (arrived, applied) = _readings(run.at("taken")), _readings(run.at("arrived"))
    return need(
        "kept",
        arrived == taken > 0 and applied == given,
        f"taken={shown(taken)} arrived={shown(arrived)}",
        Text(
            en=f"readings taken during the cut: {shown(taken)}; arrived at the centre afterwards: {shown(arrived)}",
            fr=f"relevés pris pendant la coupure : {shown(taken)} ; arrivés ensuite au centre : {shown(arrived)}",
        ),
        work.edit(
            _EXERCISE,
            en="look at where readings wait (TARMAC_STORE) and for how many there is room (TARMAC_STORE_READINGS)",
            fr="regardez où attendent les relevés (TARMAC_STORE) et combien y tiennent (TARMAC_STORE_READINGS)",
        ),
    )


def _order(run: View) -> Finding:
    return need(
        "order",
        run.flag("in_order"),
        f"in_order={str(run.flag('in_order')).lower()}",
        Text(
            en="the centre applied readings of one site out of their order (in_order=false)",
            fr="le centre a appliqué les relevés d'un site dans le désordre (in_order=false)",
        ),
        _topic_remedy(),
    )


def _once(run: View) -> Finding:
    twice, sent = run.number("applied_twice"), shown(run.number("duplicates_sent"))
    return need(
        "once",
        twice == 0,
        f"duplicates_sent={sent} applied_twice={shown(twice)}",
        Text(
            en=f"the centre applied {shown(twice)} readings twice (the site sent {sent} again, as it must after a cut)",
            fr=f"le centre a appliqué {shown(twice)} relevés deux fois (le site en a renvoyé {sent}, "
            "comme il le doit après une coupure)",
        ),
        _topic_remedy(),
    )


def _readings(place: View) -> tuple[float, frozenset[float]]:
    """Return how many readings there are, and their sequence numbers where the experiment lists them."""
    if isinstance(place.value, list):
        numbers = frozenset(place.numbers())
        return len(numbers), numbers
    return place.number(), frozenset()


def _topic_remedy() -> Text:
    return Text(
        en="topic lab-01.edge keeps one partition per site, and Deployment/centre leaves out numbers that it knows: "
        f"`make lab-01` puts both back, then `lab compare 01 --only {_EXERCISE}`",
        fr="le topic lab-01.edge garde une partition par site, et le Deployment/centre écarte les numéros connus : "
        f"`make lab-01` rétablit les deux, puis `lab compare 01 --only {_EXERCISE}`",
    )
