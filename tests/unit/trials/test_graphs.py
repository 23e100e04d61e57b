"""Models made up for trials: what each answers, and that they are the same bytes each time."""

import numpy as np
import pytest

from trials import graphs
from trials.local import Local

ROWS = np.array([[1, 2, 3, 4], [8.5, 0, 0, 1]], np.float32)


def test_all_of_them_answer_the_sum_of_a_row() -> None:
    """Whoever asks knows what is right, whichever model answers."""
    for content in (graphs.adding(), graphs.deep(5, 8), graphs.heavy(0.1)):
        assert Local(content)(ROWS).tolist() == pytest.approx([10, 9.5], abs=1e-4)


def test_minutes_are_added() -> None:
    """A wrong version is wrong by so many minutes in every row."""
    assert Local(graphs.adding(90.0))(ROWS).tolist() == pytest.approx([100, 99.5])
    assert Local(graphs.deep(2, 8, minutes=30.0))(ROWS).tolist() == pytest.approx([40, 39.5], abs=1e-4)


def test_a_failing_model_fails_on_large_first_values_only() -> None:
    """One request in some fails, the others are answered rightly."""
    model = Local(graphs.failing(7.0))
    assert model(ROWS[:1]).tolist() == pytest.approx([10])
    with pytest.raises(Exception, match="out of data bounds"):
        model(ROWS[1:])


def test_a_heavy_model_has_the_bytes_that_were_asked_for() -> None:
    """What a limit of memory is tried with takes that memory."""
    assert len(graphs.heavy(2.0)) == pytest.approx(2e6, rel=0.05)


def test_a_wider_input_is_taken() -> None:
    """Large inputs have more columns."""
    rows = np.ones((3, 64), np.float32)
    assert Local(graphs.adding(columns=64))(rows).tolist() == [64, 64, 64]


def test_the_same_bytes_at_every_making() -> None:
    """A server that kept a version's files has those of the next trial as well."""
    assert graphs.deep(3, 16) == graphs.deep(3, 16)
    assert graphs.deep(3, 16) != graphs.deep(4, 16)
