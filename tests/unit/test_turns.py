"""Which of the cluster's tests are today's."""

from __future__ import annotations

import pytest

import turns


@pytest.mark.parametrize("today", range(turns.DAYS))
def test_a_test_is_long_but_on_its_day(monkeypatch: pytest.MonkeyPatch, today: int) -> None:
    """Each day one of the turns is held, the others are long ones; what has no turn is held every day."""
    monkeypatch.setattr(turns, "TODAY", today)
    items = [_Item(pytest.mark.turn(turn)) for turn in range(turns.DAYS)]
    for item in (*items, always := _Item(None)):
        turns.hold(item)  # type: ignore[arg-type]
    assert [item.added == ["long"] for item in items] == [turn != today for turn in range(turns.DAYS)]
    assert always.added == []


def test_a_turn_that_never_comes_is_refused() -> None:
    """Or its test would never run in `make test`, and nobody would see."""
    with pytest.raises(ValueError, match="never comes"):
        turns.hold(_Item(pytest.mark.turn(3)))  # type: ignore[arg-type]


class _Item:
    """A collected test with a mark, or none."""

    nodeid = "tests/test_x.py::test_x"

    def __init__(self, mark: pytest.MarkDecorator | None) -> None:
        self._mark = mark
        self.added = list[str]()

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        """Return the mark of this name."""
        return self._mark.mark if self._mark and self._mark.name == name else None

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        """Mark it once more."""
        self.added.append(mark.name)
