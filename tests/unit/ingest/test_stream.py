"""One key's clock never moves back, and no stray event carries it away."""

from ingest.stream import APPLIED, DUPLICATE, LATE, STRAY, STRAYED, STRAYS, Stream
from unit.ingest.worlds import reading

HOUR = 3600.0


def offer(stream: Stream, hour: float, offset: int = 0, stamp: float = 0.0) -> str:
    """What comes of a reading of that hour."""
    event = reading(hour)
    return stream.offer(event, event.time.timestamp(), offset, stamp)


def test_out_of_order_within_the_window_is_applied_and_the_clock_stays() -> None:
    """An event of the last day counts though a newer one came first."""
    stream = Stream()
    assert [offer(stream, hour) for hour in (10, 3)] == [APPLIED, APPLIED]
    assert stream.clock == reading(10).time.timestamp()


def test_the_same_id_counts_once() -> None:
    """A second copy inside the window is a duplicate."""
    stream = Stream()
    assert [offer(stream, 1), offer(stream, 1)] == [APPLIED, DUPLICATE]
    assert len(stream.entries) == 1


def test_older_than_the_window_is_late() -> None:
    """Exactly one window back is outside already."""
    stream = Stream()
    assert [offer(stream, hour) for hour in (30, 6, 6.1)] == [APPLIED, LATE, APPLIED]


def test_a_stray_far_ahead_does_not_move_the_clock() -> None:
    """One event years ahead leaves the window as it is."""
    stream = Stream()
    offer(stream, 1)
    assert offer(stream, 10_000) == STRAYED
    assert offer(stream, 2) == APPLIED
    assert stream.clock == reading(2).time.timestamp()


def test_strays_in_a_row_begin_the_stream_anew() -> None:
    """Another replay, years away in either direction, is followed after so many events."""
    stream = Stream()
    offer(stream, 10_000)
    outcomes = [offer(stream, 1 + each / 10) for each in range(STRAYS)]
    assert outcomes == [STRAYED] * (STRAYS - 1) + [APPLIED]
    assert stream.clock == reading(1 + (STRAYS - 1) / 10).time.timestamp()


def test_a_live_source_may_be_silent_for_weeks() -> None:
    """What the records' own time stamps explain is no stray: an event a week later, written a week later."""
    stream = Stream()
    week = 7 * 24
    assert offer(stream, 0, stamp=0.0) == APPLIED
    assert offer(stream, week, offset=1, stamp=week * HOUR) == APPLIED
    assert offer(stream, 2 * week + STRAY / HOUR, offset=2, stamp=week * HOUR + 60) == STRAYED


def test_the_newest_reading_is_by_event_time() -> None:
    """Not the last to arrive."""
    stream = Stream()
    offer(stream, 5)
    offer(stream, 4)
    assert stream.newest() == reading(5)
    assert [event.id for event in stream.within(HOUR)] == [reading(5).id]
