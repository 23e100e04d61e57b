"""Exercise `cascade`: the big model answers few rows, and those are the ones that are worth it."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "cascade"
_SMALL, _BIG = "delay-linear", "delay-boosting"
_SHARE, _GAIN = 0.5, 0.75
_ROWS = 1_000


@check
def cascade(bundle: Bundle) -> Findings:
    """Find whether the bound gives the big model half of the rows at most, and keeps most of what it gains."""
    yield _bound(WORK.settings(bundle, _EXERCISE)["cascade_minutes"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _worth(run)
    yield _few(run)
    yield _gain(run)
    yield _enough(run)


def _bound(minutes: View) -> Finding:
    value = minutes.number()
    return need(
        "bound",
        -100 < value < 500,  # noqa: PLR2004  minutes that a flight may be early or late
        f"{minutes.where}={shown(value)}",
        Text(
            en=f"{minutes.where} is {shown(value)}: no flight is predicted beyond that, so one of the two models "
            "answers every row",
            fr=f"{minutes.where} vaut {shown(value)} : aucun vol n'est prédit au-delà, l'un des deux modèles répond "
            "donc à toutes les lignes",
        ),
        WORK.edit(
            _EXERCISE,
            en="choose a bound among the delays that are predicted",
            fr="choisissez une borne parmi les retards prédits",
        ),
    )


def _worth(run: View) -> Finding:
    small, big = run.number(f"rmse[{_SMALL}]"), run.number(f"rmse[{_BIG}]")
    return need(
        "worth",
        big < small,
        f"rmse: {_SMALL}={shown(small)} {_BIG}={shown(big)}",
        Text(
            en=f"the big model's error is {shown(big)} minutes and the small one's {shown(small)}: there is nothing to "
            "pass on for",
            fr=f"l'erreur du grand modèle est de {shown(big)} minutes et celle du petit de {shown(small)} : il n'y a "
            "rien à gagner à transmettre",
        ),
        WORK.measure(_EXERCISE),
    )


def _few(run: View) -> Finding:
    share = run.number("chosen.share")
    return need(
        "few",
        share <= _SHARE,
        f"share={shown(share)} <= {_SHARE:g}",
        Text(
            en=f"the big model answers {shown(100 * share)} % of the rows; {100 * _SHARE:g} % are allowed",
            fr=f"le grand modèle répond à {shown(100 * share)} % des lignes ; {100 * _SHARE:g} % sont permis",
        ),
        WORK.edit(
            _EXERCISE,
            en="raise the bound: `bounds` in the JSON output says what each would do",
            fr="relevez la borne : `bounds`, dans la sortie JSON, dit ce que ferait chacune",
        ),
    )


def _gain(run: View) -> Finding:
    gain, error = run.at("chosen.gain"), run.number("chosen.rmse")
    # Where the big model is not the better one, `worth` tells of it.
    value = 1.0 if gain.value is None else gain.number()
    return need(
        "gain",
        value >= _GAIN,
        f"gain={shown(value)} >= {_GAIN:g} rmse={shown(error)}",
        Text(
            en=f"the cascade keeps {shown(100 * value)} % of what the big model gains over the small one; "
            f"{100 * _GAIN:g} % are wanted",
            fr=f"la cascade garde {shown(100 * value)} % de ce que le grand modèle gagne sur le petit ; il en faut "
            f"{100 * _GAIN:g} %",
        ),
        WORK.edit(
            _EXERCISE,
            en="lower the bound: `bounds` in the JSON output says what each would do",
            fr="abaissez la borne : `bounds`, dans la sortie JSON, dit ce que ferait chacune",
        ),
    )


def _enough(run: View) -> Finding:
    rows = run.number("rows")
    return need(
        "enough",
        rows >= _ROWS,
        f"rows={shown(rows)}",
        Text(
            en=f"judged by {shown(rows)} flights: too few to tell the bounds apart",
            fr=f"jugé sur {shown(rows)} vols : trop peu pour départager les bornes",
        ),
        WORK.measure(_EXERCISE),
    )
