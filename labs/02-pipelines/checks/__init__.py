"""The checks of lab 02, one for each exercise: pure functions over a recorded state."""

from .brokers import choose_broker
from .contracts import data_contract
from .freshness import online_freshness
from .joins import point_in_time
from .lateness import late_events
from .leaks import leakage
from .monitors import quality_monitors
from .schemas import schema_evolution
from .serving import serving_view
from .sets import data_versions
from .stores import choose_store
from .transforms import etl_elt
from .travel import time_travel

__all__ = [
    "choose_broker",
    "choose_store",
    "data_contract",
    "data_versions",
    "etl_elt",
    "late_events",
    "leakage",
    "online_freshness",
    "point_in_time",
    "quality_monitors",
    "schema_evolution",
    "serving_view",
    "time_travel",
]
