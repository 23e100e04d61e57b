"""The checks of lab 04, one for each exercise: pure functions over a recorded state."""

from .aliases import model_aliases
from .batching import dynamic_batching
from .caching import prediction_cache
from .canaries import canary_steps
from .cascades import cascade
from .connections import connection_reuse
from .rehearsals import shadow
from .runtimes import choose_runtime
from .several import several_models
from .splits import ab_test
from .switches import blue_green
from .threads import session_threads
from .uses import sync_async
from .variants import quantised_model

__all__ = [
    "ab_test",
    "blue_green",
    "canary_steps",
    "cascade",
    "choose_runtime",
    "connection_reuse",
    "dynamic_batching",
    "model_aliases",
    "prediction_cache",
    "quantised_model",
    "session_threads",
    "several_models",
    "shadow",
    "sync_async",
]
