"""What the benchmark of the feature service reads: 5 views of 10 features each, about one entity.

Half of the features are doubles, the rest whole numbers, texts and truths; one entity, as Feast precomputes no others.
"""

import random
from typing import Any

from contracts.views import Definitions, Entity, Field, Service, View

VIEWS, FEATURES, ENTITIES = 5, 10, 1000
KINDS = ("float64", "int64", "float64", "string", "float64", "bool", "float64", "int64", "float64", "string")
PRECOMPUTED = "bench_precomputed"
"""Feature service that Feast precomputes, of all views."""
BEGIN = 1_357_000_000 * 10**9


def _view(number: int) -> View:
    fields = tuple(Field(f"v{number}_f{place}", kind, "") for place, kind in enumerate(KINDS))
    return View(f"view_{number}", ("plane",), fields, 0, "stream", "bench", "")


DEFINITIONS = Definitions(
    project="bench",
    entities=(Entity("plane", "string", ""),),
    views=tuple(_view(number) for number in range(VIEWS)),
    services=(Service("bench_v1", tuple(f"view_{number}" for number in range(VIEWS)), "bench", ""),),
)


def plane(number: int) -> str:
    """Return the name of an entity."""
    return f"N{number:05}"


def values(draw: random.Random) -> list[Any]:
    """Return one row of a view."""
    return [_value(kind, draw) for kind in KINDS]


def _value(kind: str, draw: random.Random) -> Any:  # noqa: ANN401  of any type
    if kind == "float64":
        return draw.gauss(0, 100)
    if kind == "int64":
        return draw.randrange(10**6)
    return f"text-{draw.randrange(10**4)}" if kind == "string" else draw.choice((True, False))
