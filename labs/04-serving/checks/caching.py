"""Exercise `prediction-cache`: a key holds all that decides the answer, and nothing that does not."""

from __future__ import annotations

from lab.checks import Bundle, Finding, Findings, Text, View, check, need, shown

from .work import WORK

_EXERCISE = "prediction-cache"
_DECIDES = ("origin", "dest", "carrier", "hour")
_HIT_RATE = 0.5
_FEWEST = 200


@check
def prediction_cache(bundle: Bundle) -> Findings:
    """Find whether the key tells different questions apart, and finds the same one again."""
    yield _fields(WORK.settings(bundle, _EXERCISE)["cache_fields"])
    yield WORK.measured(bundle, _EXERCISE)
    run = WORK.result(bundle, _EXERCISE)
    yield _right(run)
    yield _hits(run)
    yield _fresh(run)
    yield _faster(run)
    yield _enough(run)


def _fields(fields: View) -> Finding:
    names = {name.strip() for name in fields.text().split(",") if name.strip()}
    lacking = [name for name in _DECIDES if name not in names]
    return need(
        "fields",
        not lacking,
        f"{fields.where}={fields.text()} lacking={','.join(lacking) or 'none'}",
        Text(
            en=f"{fields.where} is {fields.text()}: the model looks at {', '.join(lacking)} as well, so one key stands "
            "for several answers",
            fr=f"{fields.where} vaut {fields.text()} : le modèle regarde aussi {', '.join(lacking)}, une clé vaut donc "
            "pour plusieurs réponses",
        ),
        WORK.edit(
            _EXERCISE,
            en="put into the key all that the model looks at",
            fr="mettez dans la clé tout ce que le modèle regarde",
        ),
    )


def _right(run: View) -> Finding:
    wrong, asked = run.number("wrong"), run.number("questions")
    return need(
        "right",
        wrong == 0,
        f"wrong={shown(wrong)} questions={shown(asked)}",
        Text(
            en=f"{shown(wrong)} of {shown(asked)} questions got the answer to another one out of the cache",
            fr=f"{shown(wrong)} questions sur {shown(asked)} ont reçu du cache la réponse à une autre",
        ),
        WORK.edit(
            _EXERCISE,
            en="find what two questions differ in that had the same key",
            fr="trouvez en quoi diffèrent deux questions qui avaient la même clé",
        ),
    )


def _hits(run: View) -> Finding:
    rate, flights = run.number("hit_rate"), run.number("flights")
    return need(
        "hits",
        rate >= _HIT_RATE,
        f"hit_rate={shown(rate)} >= {_HIT_RATE:g} flights={shown(flights)}",
        Text(
            en=f"the cache answered {shown(rate * 100)} % of the questions, although they were about {shown(flights)} "
            "flights only: the key differs where the answer does not",
            fr=f"le cache a répondu à {shown(rate * 100)} % des questions, alors qu'elles portaient sur "
            f"{shown(flights)} vols seulement : la clé diffère là où la réponse ne diffère pas",
        ),
        WORK.edit(
            _EXERCISE,
            en="take out of the key what the model does not look at",
            fr="retirez de la clé ce que le modèle ne regarde pas",
        ),
    )


def _fresh(run: View) -> Finding:
    stale = run.number("stale")
    return need(
        "fresh",
        stale == 0,
        f"stale={shown(stale)}",
        Text(
            en=f"{shown(stale)} answers were the old version's after the new one had come: a cache belongs to a "
            "version",
            fr=f"{shown(stale)} réponses étaient celles de l'ancienne version après l'arrivée de la nouvelle : un "
            "cache appartient à une version",
        ),
        WORK.measure(_EXERCISE),
    )


def _faster(run: View) -> Finding:
    kept, alone = run.number("seconds_p50"), run.number("seconds_alone_p50")
    return need(
        "faster",
        kept < alone,
        f"seconds_p50={shown(kept)} seconds_alone_p50={shown(alone)}",
        Text(
            en=f"half of the answers took up to {shown(kept)} s with the cache and {shown(alone)} s without: it saves "
            "nothing",
            fr=f"la moitié des réponses ont pris jusqu'à {shown(kept)} s avec le cache et {shown(alone)} s sans : il "
            "n'épargne rien",
        ),
        WORK.measure(_EXERCISE),
    )


def _enough(run: View) -> Finding:
    asked, failed = run.number("questions"), run.number("failed")
    return need(
        "enough",
        asked >= _FEWEST and failed == 0,
        f"questions={shown(asked)} failed={shown(failed)}",
        Text(
            en=f"{shown(asked)} questions, {shown(failed)} without an answer: too few to judge a cache by",
            fr=f"{shown(asked)} questions, dont {shown(failed)} sans réponse : trop peu pour juger un cache",
        ),
        WORK.measure(_EXERCISE),
    )
