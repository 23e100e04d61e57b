"""Exercise `data-contract`: a new version of a data product that takes nothing away from those who read it."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "data-contract"
_KEPT = 0.99
"""Share of the flights that must have found the promise kept."""


@check
def data_contract(bundle: Bundle) -> Findings:
    """Find whether version 2 adds something, breaks nobody, and promises what readers need and the source can keep."""
    promise = WORK.settings(bundle, _EXERCISE)["freshness_seconds"]
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _unbroken(run)
    yield _added(run)
    yield _same(run)
    yield _promise(promise, run)
    yield _kept(run)


def _unbroken(run: View) -> Finding:
    breaks = run.items("broken")
    return need(
        "unbroken",
        not breaks,
        " ".join([f"broken={len(breaks)}", *(f"{each.text('consumer')}<-{each.text('feature')}" for each in breaks)]),
        Text(
            en="version 2 would break its consumers: " + "; ".join(_loss(each).en for each in breaks),
            fr="la version 2 casserait ses consommateurs : " + " ; ".join(_loss(each).fr for each in breaks),
        ),
        WORK.edit(
            _EXERCISE,
            en="drop only what `unread` in the result lists; where it lists nothing, drop nothing",
            fr="ne retirez que ce que liste `unread` dans le résultat ; s'il ne liste rien, ne retirez rien",
        ),
    )


def _loss(each: View) -> Text:
    consumer, feature, kind = (each.text(name) for name in ("consumer", "feature", "kind"))
    becomes = each.at("becomes")
    if becomes.value is None:
        return Text(en=f"{consumer} reads {feature}, which would go", fr=f"{consumer} lit {feature}, qui disparaîtrait")
    return Text(
        en=f"{consumer} reads {feature}, which would turn from {kind} into {becomes.value}",
        fr=f"{consumer} lit {feature}, qui passerait de {kind} à {becomes.value}",
    )


def _added(run: View) -> Finding:
    names = [each.text() for each in run.items("added")]
    return need(
        "added",
        bool(names),
        f"added={','.join(names) or 'none'}",
        Text(
            en="version 2 adds no feature: there is nothing to publish",
            fr="la version 2 n'ajoute aucune feature : il n'y a rien à publier",
        ),
        WORK.edit(
            _EXERCISE,
            en="name a new feature with its type in TARMAC_WEATHER_ADD",
            fr="nommez une nouvelle feature avec son type dans TARMAC_WEATHER_ADD",
        ),
    )


def _same(run: View) -> Finding:
    consumers = run.entries("consumers")
    others = [name for name, each in consumers.items() if not each.flag("same_columns")]
    return need(
        "same-columns",
        bool(consumers) and not others,
        " ".join(f"{name}:same_columns={each.flag('same_columns')}" for name, each in consumers.items()) or "none",
        Text(
            en="read from the table of version 2, consumers do not get what they got before: "
            f"{', '.join(others) or '-'}",
            fr="lus dans la table de la version 2, des consommateurs n'ont plus ce qu'ils avaient : "
            f"{', '.join(others) or '-'}",
        ),
        WORK.edit(
            _EXERCISE,
            en="leave every feature that is there with its name and type, and add beside them",
            fr="laissez à chaque feature existante son nom et son type, et ajoutez à côté",
        ),
    )


def _promise(promise: View, run: View) -> Finding:
    seconds, needed, ttl = promise.number(), run.number("freshness.needed"), run.number("freshness.ttl")
    return need(
        "promise",
        seconds <= needed,
        f"{promise.where}={shown(seconds)} needed={shown(needed)} ttl={shown(ttl)}",
        Text(
            en=f"{promise.where} is {shown(seconds)} s, but readers take a reading for gone after {shown(ttl)} s: "
            f"a promise is of use to them up to {shown(needed)} s, so that it may be missed twice",
            fr=f"{promise.where} vaut {shown(seconds)} s, or les lecteurs tiennent un relevé pour perdu après "
            f"{shown(ttl)} s : une promesse leur sert jusqu'à {shown(needed)} s, pour pouvoir être manquée deux fois",
        ),
        WORK.edit(
            _EXERCISE,
            en="promise a third of the readers' time to live, or less",
            fr="promettez au plus un tiers de la durée de vie chez les lecteurs",
        ),
    )


def _kept(run: View) -> Finding:
    share, flights = run.number("freshness.kept"), run.number("freshness.departures")
    return need(
        "kept",
        share >= _KEPT,
        f"kept={shown(share)} departures={shown(flights)} >= {_KEPT}",
        Text(
            en=f"the source cannot keep the promise: {shown(100 * share)} % of {shown(flights)} departures found a "
            f"reading that fresh, {100 * _KEPT:g} % are wanted",
            fr=f"la source ne peut pas tenir la promesse : {shown(100 * share)} % des {shown(flights)} départs ont "
            f"trouvé un relevé aussi frais, il en faut {100 * _KEPT:g} %",
        ),
        WORK.edit(
            _EXERCISE,
            en="see `kept_by_promise`, and promise no less than the time between two readings",
            fr="voyez `kept_by_promise`, et ne promettez pas moins que le temps entre deux relevés",
        ),
    )
