"""How tests are dealt to workers."""

from __future__ import annotations

import pytest

from scheduling import group


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("tests/integration/serving/test_fuzz.py::test_no_answer[a::b]", "tests/integration/serving"),
        ("tests/integration/serving/test_bombs.py::test_a_bomb", "tests/integration/serving"),
        ("tests/unit/diagnose/test_causes.py::test_x[y]", "tests/unit/diagnose/test_causes.py"),
        ("tests/unit/test_text.py::test_x[1]", "tests/unit/test_text.py::test_x[1]"),
    ],
)
def test_what_shares_something_stays_together(test: str, name: str) -> None:
    """Servers are shared by a folder, what was measured or built by a file; all others go where there is room."""
    assert group(test) == name


def test_the_groups_hold(request: pytest.FixtureRequest) -> None:
    """Where there are workers, the order of work is ours: groups of pytest-xdist's own were once silently left out."""
    assert request.config.pluginmanager.has_plugin("scheduling")
