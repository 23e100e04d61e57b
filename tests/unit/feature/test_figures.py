"""Figures: plain numbers on the way, metrics when somebody looks."""

import pytest

from feature.errors import BadDefinitions
from feature.figures import BOUNDS, Figures
from feature.settings import definitions
from integration.feature import samples
from runtime import metrics


def told(figures: Figures) -> dict[str, float]:
    """Return series -> value."""
    lines = metrics.exposition(figures.registry).decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


def test_every_view_begins_at_nothing() -> None:
    """A first miss is an increase that an alert can see."""
    found = told(Figures(samples.DEFINITIONS))
    for view in samples.DEFINITIONS.views:
        assert found[f'feature_rows_missing_total{{view="{view.name}"}}'] == 0


def test_latencies_fall_into_their_buckets() -> None:
    """Cumulative, as Prometheus wants them, the bound included."""
    figures = Figures(samples.DEFINITIONS)
    for seconds in (BOUNDS[0], BOUNDS[1] * 0.99, 100.0):
        figures.read("more", 2, seconds)
    found = told(figures)
    name = "feature_read_duration_seconds"
    assert found[f'{name}_bucket{{le="{BOUNDS[0]}",view="more"}}'] == 1
    assert found[f'{name}_bucket{{le="{BOUNDS[1]}",view="more"}}'] == 2
    assert found[f'{name}_bucket{{le="+Inf",view="more"}}'] == found[f'{name}_count{{view="more"}}'] == 3
    assert found[f'{name}_sum{{view="more"}}'] == pytest.approx(100 + BOUNDS[0] + BOUNDS[1] * 0.99)
    assert found['feature_rows_read_total{view="more"}'] == 6


def test_a_view_that_stands_still_is_seen() -> None:
    """Its event time falls behind the newest; what was never written has no age."""
    figures = Figures(samples.DEFINITIONS)
    figures.clocks({"more": (1000.0, 1.0), "texts": (400.0, 1.0)})
    found = told(figures)
    assert found['feature_behind_seconds{view="texts"}'] == 600
    assert found['feature_behind_seconds{view="more"}'] == 0
    assert found['feature_staleness_seconds{view="more"}'] > 1e9
    assert 'feature_staleness_seconds{view="pairs"}' not in found


@pytest.mark.parametrize("name", ["", "nowhere:X", "contracts.views_flights", "contracts.views_flights:PROJECT"])
def test_definitions_are_named_by_module_and_name(name: str) -> None:
    """Anything else is refused with what was wrong."""
    with pytest.raises(BadDefinitions):
        definitions(name)
