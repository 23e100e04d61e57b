"""Read plans: bytes that are made once are those that would be made for each request."""

import pytest

from contracts import layout
from contracts.views_flights import DEFINITIONS
from feature.errors import FeatureUnknown, NameTwice, ServiceUnknown, ViewUnknown
from feature.plan import LENGTHS, PLANS, Planner
from feature.wire import command
from integration.feature import samples

PLANNER = Planner(samples.DEFINITIONS)


def words(question: bytes) -> list[bytes]:
    """Return the words of a command."""
    parts = question.split(b"\r\n")
    assert parts[0] == b"*%d" % ((len(parts) - 2) // 2)
    assert all(size == b"$%d" % len(word) for size, word in zip(parts[1:-1:2], parts[2:-1:2], strict=True))
    return parts[2:-1:2]


@pytest.mark.parametrize("name", ["", "a", "JFK", "é漢", "x" * (LENGTHS - 1)])
def test_a_question_about_a_text_is_put_together_from_its_parts(name: str) -> None:
    """Head, value and tail give the command that reads the entity's hash."""
    (group,) = PLANNER.of_list(["texts:s_int64", "more:m_int64"], full=False).groups
    content = name.encode()
    question = group.heads[len(content)] + content + group.tail
    key = layout.entity_key(samples.PROJECT, {"name": ("string", name)})
    assert words(question) == [b"HMGET", key, b"_pk:texts", b"_ts:texts", b"_pk:more", b"_ts:more"]


def test_a_question_about_a_long_text_is_made_when_it_is_asked() -> None:
    """Lengths without a head made beforehand."""
    (group,) = PLANNER.of_list(["more:m_int64"], full=False).groups
    question = group.head("x" * 5000) + b"y" * 5000 + group.tail
    assert words(question)[1] == layout.entity_key(samples.PROJECT, {"name": ("string", "y" * 5000)})


def test_a_question_about_other_entities_is_made_whole() -> None:
    """Numbers, and several join keys."""
    (group,) = PLANNER.of_list(["pairs:p_int64"], full=False).groups
    assert group.heads == ()
    key = layout.entity_key(samples.PROJECT, {"number": ("int64", 7), "name": ("string", "a")})
    assert words(group.question([7, "a"]))[1] == key


def test_feasts_fields_are_asked_of_the_same_entity() -> None:
    """The detour takes the key out of the first question."""
    (group,) = PLANNER.of_list(["more:m_int64"], full=False).groups
    name = "\r\n$3\r\n"  # a value that looks like the wire
    parts = (group.heads[len(name)], name.encode(), group.tail)
    key = layout.entity_key(samples.PROJECT, {"name": ("string", name)})
    fields = group.views[0].fields
    assert group.other(parts, fields) == command("HMGET", key, *fields)


def test_views_of_one_entity_are_one_question() -> None:
    """Version 2 of the delay model reads ten views of four entities: four questions for a row."""
    plan = Planner(DEFINITIONS).of_service("delay_v2", full=False)
    assert [tuple(name for name, _ in group.keys) for group in plan.groups] == [
        ("origin",), ("carrier",), ("route",), ("tailnum",)
    ]  # fmt: skip
    assert sum(len(group.views) for group in plan.groups) == len(plan.order) == 8


def test_what_a_function_takes_is_read_but_not_told() -> None:
    """An input of a computed feature that nobody asked for."""
    plan = PLANNER.of_service("computed_v1", full=False)
    assert {view.view.name: view.names for view in plan.order} == {"more": ("m_int64",), "texts": ()}


def test_long_names_tell_features_apart() -> None:
    """As Feast's `full_feature_names`."""
    plan = PLANNER.of_service("computed_v1", full=True)
    assert plan.order[0].names == ("more__m_int64",)
    assert plan.computed[0].name == "computed__doubled"


def test_a_plan_is_compiled_once() -> None:
    """The same object for the same question; made-up lists do not pile up."""
    planner = Planner(samples.DEFINITIONS)
    assert planner.of_list(["more:m_int64"], full=False) is planner.of_list(["more:m_int64"], full=False)
    features = [f"texts:s_{kind}" for kind in samples.KINDS]
    for number in range(1, PLANS * 2):
        chosen = [each for place, each in enumerate(features) if number >> place & 1]
        planner.of_list(chosen, full=bool(number >> len(features) & 1))
    assert len(planner._lists) <= PLANS


def test_what_is_not_defined_is_refused() -> None:
    """Service, view, feature, and two of one name."""
    with pytest.raises(ServiceUnknown, match="no feature service x"):
        PLANNER.of_service("x", full=False)
    with pytest.raises(ViewUnknown, match="no feature view x"):
        PLANNER.of_list(["x:y"], full=False)
    with pytest.raises(FeatureUnknown, match="no feature of view more y"):
        PLANNER.of_list(["more:y"], full=False)
    with pytest.raises(NameTwice, match="share a name"):
        PLANNER.of_list(["more:m_int64", "more:m_int64"], full=False)
