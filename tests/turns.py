"""Whose turn it is: what takes minutes on a cluster is shared out over the days, so that CI is done within its time.

A test marked `turn(n)` belongs to `make test` every third day, and to `make test-long` on the others. Each lab comes
up, is checked and is reset each day; one of them is solved and left for another.
"""

from __future__ import annotations

import datetime as dt
import os

import pytest

DAYS = 3
_DAY = int(os.environ.get("LAB_TEST_TURN") or dt.datetime.now(dt.UTC).toordinal())
TODAY = _DAY % DAYS
"""LAB_TEST_TURN=0, 1 or 2 makes it another day's, 3 to 8 those of later rounds."""
ROUND = _DAY // DAYS % DAYS
"""What has three variants on the same day takes them in turn, one in each round of days."""


def hold(item: pytest.Item) -> None:
    """Make a test of another day's a long one.

    Raises:
        ValueError: its turn never comes.

    """
    if (mark := item.get_closest_marker("turn")) is None:
        return
    (turn,) = mark.args
    if turn not in range(DAYS):
        msg = f"{item.nodeid}: turn({turn!r}) never comes: it is 0 to {DAYS - 1}"
        raise ValueError(msg)
    if turn != TODAY:
        item.add_marker(pytest.mark.long)
