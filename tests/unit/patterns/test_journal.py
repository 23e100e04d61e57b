"""The journal of bookings: the whole history gives the seats, and only the whole history does."""

import random

from hypothesis import given
from hypothesis import strategies as st

from patterns.journal import Booked, Cancelled, Entry, Rebooked, decode, encode, folded, history


def made(seed: int, bookings: int = 50) -> list[Entry]:
    """A history that depends on the seed alone."""
    return list(history("run", bookings, random.Random(seed)))  # noqa: S311  made-up bookings


@given(seed=st.integers())
def test_a_rebuild_from_the_wire_gives_the_same_seats(seed: int) -> None:
    """What was written, read back and folded again is the read model that there was."""
    entries = made(seed)
    read = [entry for value in map(encode, entries) if (entry := decode(value)) is not None]
    assert read == entries
    assert folded(read).digest() == folded(entries).digest()
    assert folded(read).orphans == 0


@given(seed=st.integers())
def test_a_compacted_journal_gives_other_seats(seed: int) -> None:
    """The last entry of each booking is no state: a rebooking does not say how many seats it moves."""
    entries = made(seed)
    last = {entry.booking: entry for entry in entries}
    compacted = folded(last.values())
    assert compacted.orphans == len(last)
    assert compacted.digest() != folded(entries).digest()


@given(seed=st.integers(), cut=st.integers(1, 60))
def test_seats_are_those_of_open_bookings(seed: int, cut: int) -> None:
    """At any point of a history the seats taken are those of the bookings made and not cancelled."""
    entries = made(seed)[:cut]
    seats = {entry.booking: entry.seats for entry in entries if isinstance(entry, Booked)}
    gone = {entry.booking for entry in entries if isinstance(entry, Cancelled)}
    assert sum(folded(entries).taken.values()) == sum(count for name, count in seats.items() if name not in gone)


def test_each_kind_of_entry_does_what_it_says() -> None:
    """Booking takes seats, rebooking moves them, cancelling frees them."""
    booked = Booked(run="r", sequence=1, booking="b", flight="UA1", seats=3)
    moved = Rebooked(run="r", sequence=2, booking="b", flight="UA2")
    freed = Cancelled(run="r", sequence=3, booking="b")
    assert dict(folded([booked]).taken) == {"UA1": 3}
    assert folded([booked, moved]).taken["UA2"] == 3
    assert folded([booked, moved, freed]).digest() == folded([]).digest()


def test_a_history_is_numbered_without_gaps_and_every_booking_is_changed() -> None:
    """The experiment writes about two and a half entries per booking, numbered from 1."""
    entries = made(7, 400)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert 900 < len(entries) < 1100


def test_what_is_no_entry_is_left_out() -> None:
    """A mark, a tombstone or somebody else's record does not end a rebuild."""
    assert decode(b'{"type":"mark"}') is None
    assert decode(b"") is None
