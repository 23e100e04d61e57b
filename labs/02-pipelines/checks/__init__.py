"""The checks of lab 02, one for each exercise: pure functions over a recorded state."""

from .freshness import online_freshness
from .lateness import late_events

__all__ = ["late_events", "online_freshness"]
