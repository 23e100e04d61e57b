"""Reasons in plain words: why a release goes on, stays or goes back, with the figures that led to it."""

from collections.abc import Callable

from releases.statistics.outcome import Finding
from releases.words import Words, number, percent

_SIDES = {"canary": Words("the canary", "le canari"), "stable": Words("the stable version", "la version stable")}
_WHAT = {
    "errors": Words("failed requests", "requêtes en échec"),
    "slow": Words("slow requests", "requêtes lentes"),
    "limit": Words("requests beyond the time limit", "requêtes au-delà de la limite de temps"),
    "outputs": Words("distribution of the predictions", "distribution des prédictions"),
    "labels": Words("errors of the predictions", "erreurs des prédictions"),
    "goal": Words("goal of the test", "but du test"),
}


def blind(missing: str, looks: int, threshold: int) -> Words:
    """There are no metrics."""
    return Words(
        f"no metrics ({missing}) for {looks} looks in a row, and {threshold} are the limit: "
        "a release that cannot be seen is never promoted",
        f"pas de métriques ({missing}) depuis {looks} observations de suite, et la limite est de {threshold} : "
        "une livraison qu'on ne voit pas n'est jamais promue",
    )


def halted() -> Words:
    """Somebody has paused it."""
    return Words(
        "somebody has paused it: it is looked at and goes back if it is worse, but does not go on before it is resumed",
        "quelqu'un l'a suspendue : elle reste observée et revient en arrière si elle est pire, mais n'avance pas avant "
        "d'être reprise",
    )


def patience(looks: int) -> Words:
    """The stage has had its time."""
    return Words(
        f"after {looks} looks at this stage it could not be shown that the canary is good enough:",
        f"après {looks} observations à cette étape, rien n'a montré que le canari est assez bon :",
    )


def early(seconds: float, wanted: float) -> Words:
    """The stage is younger than the plan wants it."""
    return Words(
        f"{seconds:.0f} of {wanted:.0f} s of this stage have passed",
        f"{seconds:.0f} s sur {wanted:.0f} de cette étape sont passées",
    )


def few(side: str, seen: int, least: int) -> Words:
    """A side had too few requests."""
    who = _SIDES[side]
    return Words(
        f"{who.en} had {seen} requests in this stage, and {least} are the least for a verdict",
        f"{who.fr} a reçu {seen} requêtes à cette étape, et il en faut au moins {least} pour conclure",
    )


def seen(requests: int) -> Words:
    """The stable version can be seen before anybody gets the canary."""
    return Words(
        f"the stable version is seen: {requests} requests; the canary may get its first",
        f"la version stable est visible : {requests} requêtes ; le canari peut recevoir sa première",
    )


def no_worse(requests: int) -> Words:
    """A step has passed without anything bad being shown."""
    return Words(
        f"nothing shows that the canary is worse, after {requests} requests of this stage",
        f"rien ne montre que le canari soit pire, après {requests} requêtes de cette étape",
    )


def worse(finding: Finding) -> Words:
    """A criterion has shown the canary to be bad."""
    return _headed(finding, Words("worse", "pire"))


def better(finding: Finding) -> Words:
    """A criterion has shown the canary to be good."""
    return _headed(finding, Words("good", "bon"))


def unshown(finding: Finding) -> Words:
    """A criterion has shown nothing yet."""
    return _headed(finding, Words("not shown yet", "pas encore montré"))


def _headed(finding: Finding, outcome: Words) -> Words:
    what = _WHAT[finding.criterion]
    told = _TOLD[finding.criterion](finding.figures)
    return Words(f"{what.en}: {outcome.en}; {told.en}", f"{what.fr} : {outcome.fr} ; {told.fr}")


def _shares(figures: dict[str, float]) -> Words:
    ours, theirs = percent(figures["canary"]), percent(figures["stable"])
    counts = [f"{figures[name]:.0f}" for name in ("canary_hits", "canary_requests", "stable_hits", "stable_requests")]
    return Words(
        "canary {} of {} ({}), stable {} of {} ({})".format(*counts[:2], ours.en, *counts[2:], theirs.en),
        "canari {} sur {} ({}), stable {} sur {} ({})".format(*counts[:2], ours.fr, *counts[2:], theirs.fr),
    )


def _compared(figures: dict[str, float]) -> Words:
    shares, most, margin = _shares(figures), number(figures["most"] * 100, 1), number(figures["margin"] * 100, 1)
    evidence, wanted = number(figures["evidence"], 1), number(figures["needed"], 1)
    return Words(
        f"{shares.en}; at most {most.en} points more, {margin.en} are allowed; evidence against it {evidence.en}, an "
        f"alarm needs {wanted.en}",
        f"{shares.fr} ; au plus {most.fr} points de plus, {margin.fr} sont admis ; poids des preuves contre lui "
        f"{evidence.fr}, une alerte en demande {wanted.fr}",
    )


def _limited(figures: dict[str, float]) -> Words:
    low, high, limit = percent(figures["low"]), percent(figures["high"]), percent(figures["limit"])
    seconds = number(figures["seconds"], 3)
    return Words(
        f"between {low.en} and {high.en} of its requests take more than {seconds.en} s, {limit.en} may",
        f"entre {low.fr} et {high.fr} de ses requêtes dépassent {seconds.fr} s, {limit.fr} le peuvent",
    )


def _drifted(figures: dict[str, float]) -> Words:
    values, limit = f"{figures['values']:.0f}", number(figures["limit"])
    if "excess" not in figures:
        return Words(f"{values} predictions are too few to compare", f"{values} prédictions ne suffisent pas")
    excess, most = number(figures["excess"]), number(figures["most"])
    return Words(
        f"stability index {excess.en} without the noise of {values} predictions (at most {most.en}), limit {limit.en}",
        f"indice de stabilité {excess.fr} sans le bruit de {values} prédictions (au plus {most.fr}), limite {limit.fr}",
    )


def _labelled(figures: dict[str, float]) -> Words:
    values, allowed = f"{figures['values']:.0f}", number(figures["allowed"])
    if "low" not in figures:
        return Words(f"{values} labels have come, too few", f"{values} labels sont arrivés, trop peu")
    low, high, difference = number(figures["low"]), number(figures["high"]), number(figures["difference"])
    return Words(
        f"mean absolute error {difference.en} above the stable's ({low.en} to {high.en}), {allowed.en} allowed",
        f"erreur absolue moyenne {difference.fr} au-dessus de la stable ({low.fr} à {high.fr}), {allowed.fr} admis",
    )


def _goal(figures: dict[str, float]) -> Words:
    if "evidence" not in figures:
        return _labelled(figures)
    shares, evidence, wanted = _shares(figures), number(figures["evidence"], 1), number(figures["needed"], 1)
    return Words(
        f"{shares.en}; evidence that it is better {evidence.en}, {wanted.en} is needed",
        f"{shares.fr} ; poids des preuves qu'il est meilleur {evidence.fr}, il en faut {wanted.fr}",
    )


_TOLD: dict[str, Callable[[dict[str, float]], Words]] = {
    "errors": _compared,
    "slow": _compared,
    "limit": _limited,
    "outputs": _drifted,
    "labels": _labelled,
    "goal": _goal,
}
