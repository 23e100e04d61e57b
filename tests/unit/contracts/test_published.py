"""Published feature services: what a model of before reads does not change by itself."""

from dataclasses import replace

from contracts.views import Field, View
from contracts.views_flights import DEFINITIONS


def test_published_services_name_each_of_their_features() -> None:
    """None names a whole view: a view that grows leaves every service as it was."""
    assert [(each.name, name) for each in DEFINITIONS.services for name in each.features if ":" not in name] == []

    def grown(view: View) -> View:
        return replace(view, features=(*view.features, Field(f"{view.name}_more", "int64", "new")))

    after = replace(DEFINITIONS, views=tuple(grown(each) for each in DEFINITIONS.views))
    for service in DEFINITIONS.services:
        assert after.features_of(service) == DEFINITIONS.features_of(service)


def test_delay_v2_holds_all_of_delay_v1() -> None:
    """The second version reads what the first one does, in the same order, and more behind it."""
    first, second = (DEFINITIONS.features_of(DEFINITIONS.service(name)) for name in ("delay_v1", "delay_v2"))
    assert second[: len(first)] == first
    assert (len(first), len(second)) == (22, 47)
