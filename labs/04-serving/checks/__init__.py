"""The checks of lab 04, one for each exercise: pure functions over a recorded state."""

from .aliases import model_aliases
from .batching import dynamic_batching
from .several import several_models

__all__ = [
    "dynamic_batching",
    "model_aliases",
    "several_models",
]
