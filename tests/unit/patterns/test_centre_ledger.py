"""The centre's ledger: each number of a site is applied once, whatever is sent again."""

from hypothesis import given
from hypothesis import strategies as st

from patterns.centre_ledger import APPLIED, LATE, REPEAT, Ledger
from patterns.edge_site import Reading


def reading(sequence: int, sensor: float = 1.0, site: str = "JFK") -> Reading:
    """A reading of a site."""
    return Reading(site, sensor, sequence, 1000.0 + sequence, {"temp": sequence})


@given(resumes=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40)), max_size=20))
def test_sending_again_from_any_earlier_place_applies_nothing_twice(resumes: list[tuple[int, int]]) -> None:
    """A site that goes back and sends on, again and again: each number is applied once and in order."""
    ledger = Ledger()
    sent, top = 0, 0
    for back, count in resumes:
        begin = max(1, top + 1 - back)
        for sequence in range(begin, begin + count):
            ledger.apply(reading(sequence))
            sent += 1
        top = max(top, begin + count - 1)
    assert ledger.applied("JFK", 0, top) == list(range(1, top + 1))
    account = ledger.received("JFK")
    if sent:
        assert account == {
            "site": "JFK",
            "highest": top,
            "gaps": [],
            "repeats": sent - top,
            "in_order": True,
        }
        assert ledger.latest("JFK") == reading(top)
    else:
        assert account is None


def test_a_gap_is_named_until_it_is_filled_and_a_late_number_is_told() -> None:
    """Lost readings show as ranges; one that still comes is applied once, and the order is no longer called whole."""
    ledger = Ledger()
    outcomes = [ledger.apply(reading(sequence)) for sequence in (1, 2, 6, 9, 4, 4)]
    assert outcomes == [APPLIED, APPLIED, APPLIED, APPLIED, LATE, REPEAT]
    account = ledger.received("JFK")
    assert account is not None
    assert account["gaps"] == [[3, 3], [5, 5], [7, 8]]
    assert account["in_order"] is False
    assert ledger.latest("JFK") == reading(9)


def test_what_came_before_the_topic_s_first_record_is_no_gap() -> None:
    """A topic forgets by age: numbers below the first that it holds are not missed."""
    ledger = Ledger()
    assert ledger.apply(reading(500)) == APPLIED
    account = ledger.received("JFK")
    assert account is not None
    assert account["gaps"] == []
    assert ledger.apply(reading(499)) == REPEAT


def test_a_new_instrument_begins_a_new_account() -> None:
    """A site whose disk was replaced numbers from 1 again: its readings count, and the old instrument's no longer."""
    ledger = Ledger()
    for sequence in range(1, 100):
        ledger.apply(reading(sequence, sensor=1.0))
    assert ledger.apply(reading(1, sensor=2.0)) == APPLIED
    assert ledger.apply(reading(100, sensor=1.0)) == REPEAT
    assert ledger.latest("JFK") == reading(1, sensor=2.0)


def test_sites_do_not_mix() -> None:
    """Every site has numbers of its own."""
    ledger = Ledger()
    assert ledger.apply(reading(1, site="JFK")) == APPLIED
    assert ledger.apply(reading(1, site="LGA")) == APPLIED
    assert ledger.received("EWR") is None
