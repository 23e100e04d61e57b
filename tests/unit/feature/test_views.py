"""Definitions: checked as a whole, the project's own among them."""

import dataclasses
import inspect
from typing import Any

import pytest

from contracts.features import FEATURES, WINDOWS
from contracts.views import Definitions, Entity, Field, OnDemand, Service, Undefined, View
from contracts.views_flights import DEFINITIONS, DELAYS
from contracts.views_ondemand import departure_hour_cosine, departure_weekday, origin_congestion, turn_minutes

NAME = Entity("name", "string", "")
VIEW = View("v", ("name",), (Field("a", "int64", ""),), 0, "stream", "o", "")


def defined(**changes: Any) -> Definitions:  # noqa: ANN401  as the callee has it
    """Return small definitions with changes."""
    given: dict[str, Any] = {"project": "p", "entities": (NAME,), "views": (VIEW,), **changes}
    return Definitions(**given)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"entities": (NAME, NAME)}, "entity name is defined twice"),
        ({"entities": (dataclasses.replace(NAME, kind="float64"),)}, "unknown type float64"),
        ({"entities": ()}, "no entity name"),
        ({"views": (VIEW, VIEW)}, "view v is defined twice"),
        ({"views": (dataclasses.replace(VIEW, features=VIEW.features * 2),)}, "a is defined twice"),
        ({"views": (dataclasses.replace(VIEW, features=(Field("a", "list", ""),)),)}, "unknown type list"),
        ({"services": (Service("s", ("v:b",), "", ""),)}, "no feature of view v b; known are a"),
        ({"services": (Service("s", ("w",), "", ""),)}, "no feature view w; known are v"),
        ({"services": (Service("s", ("v", "v:a"), "", ""),)}, "a is defined twice"),
        ({"on_demand": (OnDemand("d", (), ("v:b",), (), "", ""),)}, "no feature of view v b"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    """Nothing half-right is ever applied, compiled or written."""
    with pytest.raises(Undefined, match=words):
        defined(**changes)


def test_a_view_of_on_demand_features_takes_stored_ones() -> None:
    """A chain of computed features would have no order."""
    first = OnDemand("d", ((Field("x", "int64", ""), lambda: 1),), (), (), "", "")
    second = OnDemand("e", (), ("d:x",), (), "", "")
    with pytest.raises(Undefined, match="itself computed"):
        defined(on_demand=(first, second))


def test_the_fingerprint_tells_definitions_apart() -> None:
    """It changes with a type, a description or a TTL, and not by itself."""
    changed = dataclasses.replace(VIEW, features=(Field("a", "float64", ""),))
    assert defined().fingerprint() == defined().fingerprint()
    assert (
        len({defined(views=(each,)).fingerprint() for each in (VIEW, changed, dataclasses.replace(VIEW, ttl=1))}) == 3
    )


def test_rolling_delays_have_a_view_each() -> None:
    """Side and kind make a view, window and figure its features."""
    assert [view.name for view in DELAYS] == [feature.name for feature in FEATURES]
    assert all(len(view.features) == 2 * len(WINDOWS) for view in DELAYS)


def test_names_of_features_are_unique_over_all_views() -> None:
    """No client has to ask for the long form."""
    names = [each.name for view in DEFINITIONS.views for each in view.features]
    names += [each.name for view in DEFINITIONS.on_demand for each in view.fields]
    assert len(names) == len(set(names))


def test_everything_has_an_owner_and_words() -> None:
    """What nobody owns or explains is nobody's to use."""
    told = [(each.owner, each.description) for each in DEFINITIONS.views]
    told += [(each.owner, each.description) for each in DEFINITIONS.on_demand]
    told += [(each.owner, each.description) for each in DEFINITIONS.services]
    assert all(owner and words for owner, words in told)
    assert all(each.description for view in DEFINITIONS.views for each in view.features)


def test_a_later_version_keeps_what_an_earlier_one_reads() -> None:
    """Version 2 of the delay model adds features."""
    first, second = (set(DEFINITIONS.features_of(DEFINITIONS.service(f"delay_v{n}"))) for n in (1, 2))
    assert first < second


def test_functions_take_what_their_view_declares() -> None:
    """Each parameter of a function is an input of its view or of the request."""
    for view in DEFINITIONS.on_demand:
        known = {each.partition(":")[2] for each in view.inputs} | {each.name for each in view.request}
        for _, function in view.features:
            assert set(inspect.signature(function).parameters) <= known


def test_functions_compute_what_they_say() -> None:
    """Noon is opposite to midnight, New Year's Day 2013 was a Tuesday, and nothing comes of nothing."""
    noon = 1_357_041_600
    assert departure_hour_cosine(noon) == pytest.approx(-1)
    assert departure_weekday(noon) == 1
    assert origin_congestion(20, 240) == 2
    assert origin_congestion(0, 0) is None
    assert turn_minutes(noon, noon - 2700) == 45
    for view in DEFINITIONS.on_demand:
        for _, function in view.features:
            assert function(**dict.fromkeys(inspect.signature(function).parameters)) is None
