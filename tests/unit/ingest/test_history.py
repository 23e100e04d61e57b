"""Windows that are cut from an ordered history are the windows that a search over all events finds."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.history import History, Window

DAY = 24 * 3600.0
KEPT = 4 * DAY
EVENTS = st.lists(st.tuples(st.integers(0, 5 * 24 * 60).map(lambda minute: minute * 60.0), st.integers(-30, 300)))


@given(EVENTS, st.floats(0, 3), st.floats(0, 1))
def test_windows_within_what_is_kept_are_exact(events: list[tuple[float, int]], back: float, length: float) -> None:
    """In whatever order events came: both ends are cut as they should be, late events included."""
    history = History(KEPT)
    for time, delay in events:
        history.add(time, delay)
    newest = max((time for time, _ in events), default=0)
    until = newest - back * DAY
    within = [delay for time, delay in events if until - length * DAY < time <= until]
    assert history.window(until - length * DAY, until) == Window(len(within), sum(within))
    known = [time for time, _ in events if newest - KEPT < time <= until]
    assert not known or history.newest_until(until) == max(known)


def test_what_is_older_is_let_go() -> None:
    """A year of hourly events leaves twice what is kept, at most."""
    history = History(3 * DAY)
    for hour in range(365 * 24):
        history.add(hour * 3600.0, 1)
    assert history.newest == (365 * 24 - 1) * 3600.0
    assert 72 <= history.window(float("-inf"), history.newest).number <= 2 * 72
