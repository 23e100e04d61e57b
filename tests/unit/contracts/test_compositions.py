"""What is computed of what in a composition, and which compositions are none."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from contracts import compositions, models
from contracts.compositions import COMPOSITION, BadComposition, BadParameter, Composition, Floats, Given
from contracts.models import Card

NAMES = ("distance", "wind")
ROWS = np.array([[100, 1], [900, 2], [2500, 3], [np.nan, 4]], np.float32)
SAY: Mapping[str, Callable[[Floats], Floats]] = {
    "ten": lambda rows: np.full((len(rows), 1), 10, np.float32),
    "wind": lambda rows: rows[:, 1:],
    "twice": lambda rows: 2 * rows[:, 1:],
    "nothing": lambda rows: np.full((len(rows), 1), np.nan, np.float32),
}
"""Members: model -> its predictions."""


def made(**parts: object) -> Composition:
    """The composition of these parts."""
    return compositions.decode(msgspec.json.encode(parts))


def computed(
    parts: Composition, rows: Floats = ROWS, parameters: dict[str, object] | None = None
) -> tuple[list[float], dict[str, int]]:
    """The predictions, and how many rows each member was asked."""
    asked: dict[str, int] = {}
    steps = parts.steps(Given(rows, NAMES, parameters or {}))
    asks = next(steps)
    try:
        while True:
            inputs = [rows if each.rows is None else rows[each.rows] for each in asks]
            for each, part in zip(asks, inputs, strict=True):
                asked[each.model] = asked.get(each.model, 0) + len(part)
            asks = steps.send([SAY[each.model](part) for each, part in zip(asks, inputs, strict=True)])
    except StopIteration as end:
        whole = end.value
    assert (whole.shape, whole.dtype) == ((len(rows), 1), np.float32)
    return whole[:, 0].tolist(), asked


def test_an_ensemble_is_the_weighted_mean() -> None:
    """Of all its members, each asked once for all rows; weights need not add up to one."""
    parts = made(kind="ensemble", members=[{"model": "ten", "weight": 3}, {"model": "wind"}])
    found, asked = computed(parts)
    assert found == pytest.approx([(30 + wind) / 4 for wind in (1, 2, 3, 4)])
    assert asked == {"ten": 4, "wind": 4}


def test_a_cascade_asks_the_big_model_for_unsure_rows_alone() -> None:
    """The others keep what the small one said, each row in its place."""
    parts = made(kind="cascade", first="wind", then="ten", unsure={"kind": "beyond", "low": 1.5, "high": 3.5})
    assert computed(parts) == ([10, 2, 3, 10], {"wind": 4, "ten": 2})
    assert computed(parts, ROWS[1:3]) == ([2, 3], {"wind": 2})
    assert computed(parts, ROWS[:1]) == ([10], {"wind": 1, "ten": 1})


def test_a_prediction_that_is_no_number_is_unsure() -> None:
    """Whatever the bounds: the big model has to say something."""
    for unsure in ({"kind": "beyond", "high": 1e9}, {"kind": "apart", "model": "wind", "by": 1e9}):
        parts = made(kind="cascade", first="nothing", then="ten", unsure=unsure)
        assert computed(parts)[0] == [10] * 4


def test_a_second_opinion_that_differs_is_unsure() -> None:
    """Two small models are asked together; where they are further apart than they may be the big one is asked too."""
    parts = made(kind="cascade", first="wind", then="ten", unsure={"kind": "apart", "model": "twice", "by": 2})
    assert computed(parts) == ([1, 2, 10, 10], {"wind": 4, "twice": 4, "ten": 2})


def test_a_parameter_chooses_the_member() -> None:
    """Without it the other one answers; a value that names no way is refused with those there are."""
    parts = made(kind="by_parameter", parameter="depth", ways={"fast": "ten"}, otherwise="wind")
    assert computed(parts, parameters={"depth": "fast"}) == ([10] * 4, {"ten": 4})
    assert computed(parts) == ([1, 2, 3, 4], {"wind": 4})
    for odd in ("slow", 7, ["fast"], True):
        with pytest.raises(BadParameter, match="it takes fast"):
            computed(parts, parameters={"depth": odd})


def test_a_feature_chooses_a_member_for_each_row() -> None:
    """The first bound that it lies below; none, and where it is missing: the other one."""
    ways = [{"below": 500, "model": "ten"}, {"below": 2000, "model": "twice"}]
    parts = made(kind="by_feature", feature="distance", ways=ways, otherwise="wind")
    assert computed(parts) == ([10, 4, 3, 4], {"ten": 1, "twice": 1, "wind": 2})


_LEAVES = some.sampled_from(["ten", "wind", "twice", "nothing"])
_BOUND = some.floats(-5, 5, width=32)


@given(
    parts=some.one_of(
        some.builds(
            lambda first, then, low, high: {
                "kind": "cascade", "first": first, "then": then, "unsure": {"kind": "beyond", "low": low, "high": high}
            },
            _LEAVES, _LEAVES, _BOUND, _BOUND,
        ),
        some.builds(
            lambda bounds, member, other: {
                "kind": "by_feature", "feature": "distance", "otherwise": other,
                "ways": [{"below": bound, "model": member} for bound in bounds],
            },
            some.lists(_BOUND, min_size=1, max_size=3), _LEAVES, _LEAVES,
        ),
    ),
    rows=some.lists(some.tuples(_BOUND | some.just(float("nan")), _BOUND), min_size=1, max_size=20),
)  # fmt: skip
def test_rows_do_not_know_of_each_other(parts: dict[str, object], rows: list[tuple[float, float]]) -> None:
    """Each row is answered together with others as it is alone, whatever the composition."""
    matrix = np.array(rows, np.float32)
    together = computed(made(**parts), matrix)[0]
    alone = [computed(made(**parts), row[None, :])[0][0] for row in matrix]
    assert np.array_equal(together, alone, equal_nan=True)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"kind": "ensemble", "members": [{"model": "a"}]}, "members"),
        ({"kind": "ensemble", "members": [{"model": "a"}, {"model": "b", "weight": 0}]}, "weight"),
        ({"kind": "cascade", "first": "a", "then": "b"}, "unsure"),
        ({"kind": "cascade", "first": "a", "then": "../b", "unsure": {"kind": "beyond"}}, "then"),
        ({"kind": "by_parameter", "parameter": "p", "ways": {}, "otherwise": "a"}, "ways"),
        ({"kind": "by_feature", "feature": "f", "ways": [{"below": "x", "model": "a"}], "otherwise": "a"}, "below"),
        ({"kind": "vote", "members": []}, "vote"),
        ({"kind": "ensemble", "members": [{"model": "a"}, {"model": "b"}], "more": 1}, "more"),
        ([], "object"),
    ],
)
def test_what_is_no_composition_is_refused(parts: object, words: str) -> None:
    """With the field that is at fault."""
    with pytest.raises(BadComposition, match=words):
        compositions.decode(msgspec.json.encode(parts))


def test_json_of_any_kind_and_size_is_refused_in_words() -> None:
    """No JSON, too deep, too large: the same error."""
    for content in (b"", b"\xff", b"[" * 50_000, b" " * 70_000):
        with pytest.raises(BadComposition, match=COMPOSITION):
            compositions.decode(content)


def put(folder: Path, parts: object, name: str = "whole", sha256: str = "") -> Path:
    """A composition's folder."""
    content = msgspec.json.encode(parts)
    (folder / COMPOSITION).write_bytes(content)
    card = Card(
        name=name, service="delay_v1", features=NAMES, label="arrival_delay, minutes", kind="ensemble", opset=1,
        sha256=sha256 or hashlib.sha256(content).hexdigest(), dataset={}, quality={},
    )  # fmt: skip
    models.write(card, folder)
    return folder


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"kind": "ensemble", "members": [{"model": "a"}, {"model": "whole@3"}]}, "member of itself"),
        ({"kind": "by_feature", "feature": "rain", "ways": [{"below": 1, "model": "a"}], "otherwise": "a"}, "rain"),
    ],
)
def test_a_composition_is_held_to_its_card(tmp_path: Path, parts: object, words: str) -> None:
    """It may not ask itself, nor decide by a feature that it is not given."""
    with pytest.raises(BadComposition, match=words):
        compositions.read(put(tmp_path, parts))


def test_another_compositions_card_is_noticed(tmp_path: Path) -> None:
    """By the hash; so is a missing file, and a missing card."""
    parts = {"kind": "ensemble", "members": [{"model": "a"}, {"model": "b"}]}
    with pytest.raises(BadComposition, match="its card says 000000000000"):
        compositions.read(put(tmp_path, parts, sha256="0" * 64))
    (tmp_path / "card.json").unlink()
    with pytest.raises(BadComposition, match=r"card\.json"):
        compositions.read(tmp_path)
    (tmp_path / COMPOSITION).unlink()
    with pytest.raises(BadComposition, match=COMPOSITION):
        compositions.read(tmp_path)
