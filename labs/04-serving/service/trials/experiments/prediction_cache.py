"""What a cache key has to be made of: how often it saves a run, and how often it gives somebody else's answer."""

import math
from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from contracts.models import CHAMPION
from runtime.errors import BadSetting
from runtime.figures import Result, percentile, rounded, row
from trials import graphs
from trials.asks import Answer, Ask, ask
from trials.caller import Caller
from trials.experiments.dynamic_batching import layers
from trials.scrape import Page, scraped
from trials.stage import Stage
from trials.traffic import seconds

MODEL = "trial-cache"
FIELDS = ("origin", "dest", "carrier", "hour", "passenger")
"""What a question consists of; the model looks at all of them but the passenger."""
_LATER = 30.0
"""Minutes by which the second version's answers differ."""
_WIDTH, _SEED = 32, 13
_FLIGHTS, _QUESTIONS, _AGAIN, _UNKEPT = 60, 300, 100, 60
_SECONDS = 300


class Question(NamedTuple):
    """What a passenger wants to know of a flight; numbers stand for names."""

    origin: int
    dest: int
    carrier: int
    hour: int
    passenger: int

    @property
    def row(self) -> tuple[float, float, float, float]:
        """What the model is given; its answer is the sum, another one for each flight."""
        return 2400.0 * self.origin, 240.0 * self.dest, 24.0 * self.carrier, float(self.hour)

    @property
    def right(self) -> float:
        """What the first version answers."""
        return sum(self.row)

    def key(self, fields: Sequence[str]) -> str:
        """The key that these fields make."""
        return "/".join(str(getattr(self, name)) for name in fields)


def prediction_cache(stage: Stage) -> Result:
    """Ask about few flights often, with the key that was chosen, before and after a new version.

    Raises:
        BadSetting: the key is made of nothing, or of what there is not.
        RegistryFailure: MLflow does not answer as it should.
        NotThere: the server does not load a version.
        PeerFailure: the server does not answer.
    """
    server, fields, depth = stage.settings.server, chosen(stage.settings.cache_fields), layers()
    versions = graphs.deep(depth, _WIDTH), graphs.deep(depth, _WIDTH, minutes=_LATER)
    asked = questions()
    with stage.registry() as registry, stage.trial(registry, MODEL, *versions), Caller(server) as caller:
        stage.until_ready(server, MODEL)
        stage.until_calm(MODEL)
        alone = [caller.ask(ask(MODEL, [each.row])) for each in asked[:_UNKEPT]]
        before = scraped(server)
        kept = [caller.ask(keyed(each, fields)) for each in asked]
        after = scraped(server)
        registry.point(MODEL, CHAMPION, "2")
        stage.until(lambda: caller.ask(ask(MODEL, [asked[0].row])).version == "2" or None, "version 2", 30)
        newer = [caller.ask(keyed(each, fields)) for each in asked[:_AGAIN]]
    return {
        "settings": {"cache_fields": stage.settings.cache_fields},
        "flights": len({each.right for each in asked}),
        "questions": len(asked),
        "failed": sum(not each.good for each in (*kept, *newer)),
        "wrong": wrong(asked, kept),
        **hits(before, after),
        "stale": stale(asked, newer),
        "seconds_alone_p50": rounded(percentile(seconds(alone), 0.5), 4),
        "seconds_p50": rounded(percentile(seconds(kept), 0.5), 4),
        "figures": [
            row("without a cache", "recommendation", seconds=seconds(alone)),
            row("with this key", "recommendation", seconds=seconds(kept)),
        ],
    }


def chosen(text: str) -> tuple[str, ...]:
    """The fields that a list names.

    Raises:
        BadSetting: it names none, or one that there is not.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in FIELDS]
    if unknown or not names:
        told = f"environment variable TARMAC_CACHE_FIELDS={text!r} names {', '.join(unknown) or 'nothing'}"
        raise BadSetting(told, f"give it some of {', '.join(FIELDS)}, separated by commas")
    return names


def questions() -> list[Question]:
    """The same questions at every run: each of another passenger, some flights more wanted than others."""
    draw = Random(_SEED)  # noqa: S311  the same questions at every run
    every = [(o, d, c, h) for o in range(3) for d in range(8) for c in range(4) for h in range(24)]
    flights = draw.sample(every, _FLIGHTS)
    weights = [1 / (1 + rank) ** 0.5 for rank in range(_FLIGHTS)]
    return [Question(*flight, number) for number, flight in enumerate(draw.choices(flights, weights, k=_QUESTIONS))]


def keyed(question: Question, fields: Sequence[str]) -> Ask:
    """A request that may be answered from what was kept under its key."""
    return ask(MODEL, [question.row], cache_key=question.key(fields), cache_seconds=_SECONDS)


def wrong(asked: Sequence[Question], answers: Sequence[Answer]) -> int:
    """How many got the answer to another question."""
    pairs = zip(asked, answers, strict=False)
    return sum(one.good and not math.isclose(one.values[0], each.right, abs_tol=0.5) for each, one in pairs)


def stale(asked: Sequence[Question], answers: Sequence[Answer]) -> int:
    """How many got an answer that the first version gave, although the second one was there."""
    return sum(each.good and each.version != "2" for each in answers) + sum(
        each.good and each.version == "2" and math.isclose(each.values[0], one.right, abs_tol=0.5)
        for one, each in zip(asked, answers, strict=False)
    )


def hits(before: Page, after: Page) -> dict[str, Any]:
    """What the cache did between two looks."""
    found, missed = (
        after.total(f"serving_cache_{name}_total", model=MODEL)
        - before.total(f"serving_cache_{name}_total", model=MODEL)
        for name in ("hits", "misses")
    )
    return {"hits": round(found), "misses": round(missed), "hit_rate": rounded(found / max(found + missed, 1))}
