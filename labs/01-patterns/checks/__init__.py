"""The checks of lab 01, one for each exercise: pure functions over a recorded state."""

from .breaker import circuit_breaker
from .decision import choose_patterns
from .discovery import service_discovery
from .edge import edge_offline
from .elasticity import scale_to_zero
from .federation import federated_learning
from .journal import event_sourcing
from .layers import lambda_kappa
from .modes import processing_modes
from .wall import bulkhead

__all__ = [
    "bulkhead",
    "choose_patterns",
    "circuit_breaker",
    "edge_offline",
    "event_sourcing",
    "federated_learning",
    "lambda_kappa",
    "processing_modes",
    "scale_to_zero",
    "service_discovery",
]
