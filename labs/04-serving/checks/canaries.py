"""Exercise `canary-steps`: a plan that lets the good version through and none of the bad ones, at little risk."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Missing, Seeded, Text, View, check, need, order, shown

from .work import WORK

_EXERCISE = "canary-steps"
_CRITERIA = ("errors", "latency", "outputs")
_BAD, _GOOD = ("failing", "slow", "wrong"), "good"
_KINDS = (*_BAD, _GOOD)
_FIRST_VERSION = 2
"""Of those that are released; 1 is in use."""
_FIRST = 25
"""Per cent of the requests that a new version may have at first."""
_HURT = 0.2
"""Share of all requests that one bad version may spoil."""


def _order(seed: str) -> list[str]:
    """Return what is the matter with each version, beginning with the first that is released."""
    return order(seed, _EXERCISE, _KINDS)


_VERSIONS = Seeded(WORK, _EXERCISE, "versions", "trials", _order)


@check
def canary_steps(bundle: Bundle) -> Findings:
    """Find whether the plan risks little, looks at all that can go wrong, decided rightly, and was understood."""
    now = WORK.settings(bundle, _EXERCISE)
    yield _criteria(now["criteria"])
    yield _steps(now["canary_steps"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    names = _names(run)
    yield _bad(run, [names[kind] for kind in _BAD])
    yield _good(run, names[_GOOD])
    yield _hurt(run, [names[kind] for kind in _BAD])
    yield from _VERSIONS.found(
        bundle,
        run,
        Text(
            en="what v2, v3, v4 and v5 are on this workstation",
            fr="ce que sont v2, v3, v4 et v5 sur ce poste",
        ),
        Text(
            en="read in the JSON output why each of `candidates` was promoted or rolled back",
            fr="lisez dans la sortie JSON pourquoi chacune de `candidates` a été promue ou ramenée",
        ),
    )


def _names(run: View) -> dict[str, str]:
    """Return under which name each kind of version was released in the last experiment."""
    seed = _VERSIONS.measured(run)
    if not seed:  # States of before there were seeds call each version what it is.
        return {kind: kind for kind in _KINDS}
    return {kind: f"v{version}" for version, kind in enumerate(_order(seed), _FIRST_VERSION)}


def _criteria(criteria: View) -> Finding:
    named = {name.strip() for name in criteria.text().split(",")}
    lacking = [name for name in _CRITERIA if name not in named]
    return need(
        "criteria",
        not lacking,
        f"{criteria.where}={criteria.text()} lacking={','.join(lacking) or 'none'}",
        Text(
            en=f"{criteria.where} is {criteria.text()}: a version that is bad in {', '.join(lacking)} alone goes "
            "through",
            fr=f"{criteria.where} vaut {criteria.text()} : une version qui n'est mauvaise qu'en {', '.join(lacking)} "
            "passe",
        ),
        WORK.edit(
            _EXERCISE,
            en="judge by everything that a bad version can do wrong",
            fr="jugez sur tout ce qu'une mauvaise version peut faire de mal",
        ),
    )


def _steps(steps: View) -> Finding:
    weights = _weights(steps)
    return need(
        "steps",
        weights[0] <= _FIRST and len(weights) > 1,
        f"{steps.where}={steps.text()}",
        Text(
            en=f"{steps.where} is {steps.text()}: the first step decides how many a bad version hurts before anything "
            f"is known; {_FIRST} % are enough to see it, and a further step shows the good one under load",
            fr=f"{steps.where} vaut {steps.text()} : le premier palier décide combien une mauvaise version touche "
            f"avant qu'on sache rien ; {_FIRST} % suffisent à la voir, et un palier de plus montre la bonne en charge",
        ),
        WORK.edit(
            _EXERCISE,
            en="begin with a small weight, and let further steps rise",
            fr="commencez par un petit poids, et faites monter les paliers suivants",
        ),
    )


def _weights(steps: View) -> list[float]:
    """Return the weights.

    Raises:
        Missing: they are none.

    """
    try:
        return [float(each) for each in steps.text().split(",")]
    except ValueError:
        wrong = Text(en=f"{steps.where} is no list of weights", fr=f"{steps.where} n'est pas une liste de poids")
        remedy = WORK.edit(
            _EXERCISE,
            en="write whole numbers separated by commas",
            fr="écrivez des nombres entiers séparés par des virgules",
        )
        raise Missing(wrong, remedy) from None


def _bad(run: View, names: list[str]) -> Finding:
    phases = {name: run.text(f"candidates.{name}.phase") for name in sorted(names)}
    through = [name for name, phase in phases.items() if phase != "rolled back"]
    return need(
        "bad",
        not through,
        " ".join(f"{name}={phase.replace(' ', '-')}" for name, phase in phases.items()),
        Text(
            en=f"bad versions were let through: {', '.join(through)}",
            fr=f"de mauvaises versions sont passées : {', '.join(through)}",
        ),
        WORK.edit(
            _EXERCISE,
            en="see under `candidates` in the JSON output what each did wrong, and let the release look at that",
            fr="voyez sous `candidates`, dans la sortie JSON, ce que chacune a fait de mal, et faites-le regarder à la "
            "livraison",
        ),
    )


def _good(run: View, name: str) -> Finding:
    phase, why = run.text(f"candidates.{name}.phase"), run.text(f"candidates.{name}.why")
    return need(
        "good",
        phase == "promoted",
        f"{name}={phase.replace(' ', '-')}",
        Text(
            en=f"the good version was not promoted ({phase}): {why}",
            fr=f"la bonne version n'a pas été promue ({phase}) : {why}",
        ),
        Text(
            en="let the machine rest (`lab status` shows what runs), and give steps enough requests; then "
            f"`lab compare 04 --only {_EXERCISE}`",
            fr="laissez la machine se reposer (`lab status` montre ce qui tourne), et donnez aux paliers assez de "
            f"requêtes ; puis `lab compare 04 --only {_EXERCISE}`",
        ),
    )


def _hurt(run: View, names: list[str]) -> Finding:
    shares = {name: _share(run.at(f"candidates.{name}")) for name in sorted(names)}
    worst = max(shares, key=lambda name: shares[name])
    return need(
        "hurt",
        shares[worst] <= _HURT,
        " ".join(f"{name}={shown(share)}" for name, share in shares.items()),
        Text(
            en=f"version {worst} spoilt {shown(100 * shares[worst])} % of the requests while it was released; "
            f"{100 * _HURT:g} % are allowed",
            fr=f"la version {worst} a gâché {shown(100 * shares[worst])} % des requêtes pendant sa livraison ; "
            f"{100 * _HURT:g} % sont permis",
        ),
        WORK.edit(
            _EXERCISE,
            en="begin with fewer per cent",
            fr="commencez avec moins de pour cent",
        ),
    )


def _share(candidate: View) -> float:
    """Return the share of the requests that a version spoilt; all of them where there were none."""
    requests = candidate.number("requests")
    return candidate.number("hurt") / requests if requests else 1.0
