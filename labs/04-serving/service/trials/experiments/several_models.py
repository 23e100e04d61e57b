"""Several models in one server: what a call costs where the model before it had to make room, and what room costs."""

from runtime.figures import Result, percentile, rounded, row
from trials import graphs
from trials.asks import ask
from trials.caller import Caller
from trials.scrape import Page, scraped
from trials.stage import Stage

MODELS = ("trial-ewr", "trial-jfk", "trial-lga")
"""One model for each airport."""
_MEGABYTES = 8
_ROUNDS = 6
_ROW = (1.0, 2.0, 3.0, 4.0)


def several_models(stage: Stage) -> Result:
    """Ask three models of one server in turn, and see what each call took and what was loaded and evicted for it.

    Raises:
        RegistryFailure: MLflow does not answer as it should.
        NotThere: the server does not load the models.
        PeerFailure: the server does not answer.
    """
    server, content = stage.settings.server, graphs.heavy(_MEGABYTES)
    ewr, jfk, lga = MODELS
    with (
        stage.registry() as registry,
        stage.trial(registry, ewr, content),
        stage.trial(registry, jfk, content),
        stage.trial(registry, lga, content),
        Caller(server) as caller,
    ):
        stage.until_calm(*MODELS)
        for name in MODELS:
            _known(stage, caller, name)
        before = scraped(server)
        answers = [caller.ask(ask(name, [_ROW], tag=name)) for _ in range(_ROUNDS) for name in MODELS]
        after = scraped(server)
    seconds = [each.seconds for each in answers]
    return {
        "settings": stage.told(server, "models_limit"),
        "models": len(MODELS),
        "calls": len(answers),
        "failed": sum(not each.good for each in answers),
        "seconds_p50": rounded(percentile(seconds, 0.5), 4),
        "seconds_p95": rounded(percentile(seconds, 0.95), 4),
        "loaded": loads(after, "loaded") - loads(before, "loaded"),
        "evicted": loads(after, "evicted") - loads(before, "evicted"),
        "in_memory": round(after.total("serving_model_bytes")),
        "resident": round(after.total("process_resident_memory_bytes")),
        "figures": [row("three models, one server", "recommendation", seconds=seconds)],
    }


def _known(stage: Stage, caller: Caller, name: str) -> None:
    """Wait until the server knows a model and has answered by it."""
    stage.until(lambda: caller.ask(ask(name, [_ROW])).good or None, f"an answer of {name}", 60)


def loads(page: Page, outcome: str) -> int:
    """How often a version of any model was loaded, or evicted, so far."""
    return round(page.total("serving_loads_total", outcome=outcome))
