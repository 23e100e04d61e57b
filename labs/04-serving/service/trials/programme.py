"""The programme of a run, in its order."""

from collections.abc import Callable
from functools import partial

from runtime.figures import Result
from trials.experiments.ab_test import ab_test
from trials.experiments.blue_green import blue_green
from trials.experiments.canary_steps import canary_steps
from trials.experiments.cascade import cascade
from trials.experiments.connection_reuse import connection_reuse
from trials.experiments.dynamic_batching import dynamic_batching
from trials.experiments.model_aliases import model_aliases
from trials.experiments.prediction_cache import prediction_cache
from trials.experiments.quantised_model import quantised_model
from trials.experiments.runtime_figures import runtime_figures
from trials.experiments.session_threads import session_threads
from trials.experiments.several_models import several_models
from trials.experiments.shadow import shadow
from trials.experiments.sync_async import sync_async
from trials.stage import Stage


def programme(stage: Stage) -> dict[str, Callable[[], Result]]:
    """Experiment -> what carries it out."""
    return {
        "model-aliases": partial(model_aliases, stage),
        "several-models": partial(several_models, stage),
        "dynamic-batching": partial(dynamic_batching, stage),
        "prediction-cache": partial(prediction_cache, stage),
        "session-threads": partial(session_threads, stage),
        "connection-reuse": partial(connection_reuse, stage),
        "quantised-model": partial(quantised_model, stage),
        "sync-async": partial(sync_async, stage),
        "cascade": partial(cascade, stage),
        "canary-steps": partial(canary_steps, stage),
        "blue-green": partial(blue_green, stage),
        "ab-test": partial(ab_test, stage),
        "shadow": partial(shadow, stage),
        "choose-runtime": partial(runtime_figures, stage),
    }
