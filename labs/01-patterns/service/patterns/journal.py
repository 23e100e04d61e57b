"""Event sourcing: bookings as a journal of what happened, and seats per flight as a read model folded from it.

Only `booked` says how many seats a booking has: a rebooking moves them, a cancellation frees them. An event alone is
therefore not enough; the state is the fold of the whole history, in order.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import msgspec

TOPIC = "lab-01.journal"


class _Happened(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True, kw_only=True):
    run: str
    """Which run of the experiment wrote it."""
    sequence: int
    """1, 2, 3, … within the run."""
    booking: str


class Booked(_Happened, frozen=True, tag="booked", kw_only=True):
    """A party took seats on a flight."""

    flight: str
    seats: int


class Rebooked(_Happened, frozen=True, tag="rebooked", kw_only=True):
    """A party moved to another flight."""

    flight: str


class Cancelled(_Happened, frozen=True, tag="cancelled", kw_only=True):
    """A party gave its seats back."""


Entry: TypeAlias = Booked | Rebooked | Cancelled
Outcome: TypeAlias = Literal["applied", "orphan"]

_decoder = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder()


def encode(entry: Entry) -> bytes:
    """The entry as it stands in the journal."""
    return _encoder.encode(entry)


def decode(value: bytes) -> Entry | None:
    """The entry in `value`, or None where it is none of ours."""
    try:
        entry: Entry = _decoder.decode(value)
    except msgspec.DecodeError:
        return None
    return entry


class Seats:
    """The read model: seats taken per flight. It answers questions only; what changes it is the journal."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.orphans = 0
        """Entries about a booking that the journal does not begin: it has lost something."""
        self._bookings: dict[str, tuple[str, int]] = {}

    def apply(self, entry: Entry) -> Outcome:
        """Fold in one entry."""
        if isinstance(entry, Booked):
            self._seat(entry.booking, entry.flight, entry.seats)
            return "applied"
        if entry.booking not in self._bookings:
            self.orphans += 1
            return "orphan"
        flight, seats = self._bookings.pop(entry.booking)
        self.taken[flight] -= seats
        if isinstance(entry, Rebooked):
            self._seat(entry.booking, entry.flight, seats)
        return "applied"

    def _seat(self, booking: str, flight: str, seats: int) -> None:
        self.taken[flight] += seats
        self._bookings[booking] = (flight, seats)

    def digest(self) -> str:
        """The same for two models exactly when they show the same seats."""
        seats = sorted((flight, taken) for flight, taken in self.taken.items() if taken)
        return hashlib.sha256(msgspec.json.encode(seats)).hexdigest()


def folded(entries: Iterable[Entry]) -> Seats:
    """The read model of a history."""
    model = Seats()
    for entry in entries:
        model.apply(entry)
    return model


def history(run: str, bookings: int, chance: random.Random) -> Iterator[Entry]:
    """A day at the counter: every booking, and after it what its party changed; about 2.5 entries each."""
    flights = [f"UA{number}" for number in range(100, 140)]
    open_: list[str] = []
    sequence = made = 0
    while made < bookings or open_:
        sequence += 1
        if made < bookings and (not open_ or chance.random() < 0.4):  # noqa: PLR2004  four of ten entries are bookings
            made += 1
            booking = f"{run[:8]}-{made}"
            open_.append(booking)
            flight, seats = chance.choice(flights), chance.randint(1, 4)
            yield Booked(run=run, sequence=sequence, booking=booking, flight=flight, seats=seats)
            continue
        booking = open_[chance.randrange(len(open_))]
        if chance.random() < 0.5:  # noqa: PLR2004  every other change is the party's last
            open_.remove(booking)
        if chance.random() < 0.7:  # noqa: PLR2004  seven of ten changes are rebookings
            yield Rebooked(run=run, sequence=sequence, booking=booking, flight=chance.choice(flights))
        else:
            open_ = [other for other in open_ if other != booking]
            yield Cancelled(run=run, sequence=sequence, booking=booking)
