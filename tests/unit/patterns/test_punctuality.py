"""Punctuality's fold: the same table whatever the order, the way of merging and the mode."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from contracts import FlightArrived
from patterns.punctuality import Key, Table, differences, digest


def arrival(carrier: str, month: int, delay: int) -> FlightArrived:
    """An arrival scheduled in the middle of a month."""
    scheduled = dt.datetime(2013, month, 15, 12, tzinfo=dt.UTC)
    return FlightArrived(
        id=f"arr-2013-{month:02}-15-{carrier}-1-JFK",
        time=scheduled + dt.timedelta(minutes=delay),
        scheduled=scheduled,
        delay=delay,
        carrier=carrier,
        flight=1,
        origin="JFK",
        dest="LAX",
        distance=2475,
    )


ARRIVALS = st.lists(
    st.builds(arrival, st.sampled_from(["UA", "AA", "B6"]), st.integers(1, 12), st.integers(-60, 300)), max_size=60
)


def table_of(events: list[FlightArrived], minutes: int = 15) -> Table:
    """The fold of all events."""
    table = Table(minutes)
    for event in events:
        table.add(event)
    return table


def shown(table: Table) -> dict[Key, bytes]:
    """What readers get."""
    return table.published(table.cells)


@given(events=ARRIVALS, data=st.data())
def test_order_and_merging_leave_no_trace(events: list[FlightArrived], data: st.DataObject) -> None:
    """A table over all events, in any order, is the merger of the tables over any two parts."""
    shuffled = data.draw(st.permutations(events))
    cut = data.draw(st.integers(0, len(events)))
    merged = table_of(shuffled[:cut]).merge(table_of(shuffled[cut:]))
    assert digest(shown(merged)) == digest(shown(table_of(events)))
    assert differences(shown(merged), shown(table_of(events))) == 0


def test_a_flight_is_on_time_up_to_the_rule_s_last_minute() -> None:
    """Fifteen minutes late is on time, sixteen is not; early counts negative in the mean."""
    table = table_of([arrival("UA", 1, 15), arrival("UA", 1, 16), arrival("UA", 1, -10), arrival("UA", 2, 0)])
    assert table.of("UA") == [
        {"month": "2013-01", "flights": 3, "on_time": 0.6667, "mean_delay": 7.0},
        {"month": "2013-02", "flights": 1, "on_time": 1.0, "mean_delay": 0.0},
    ]
    assert table.of("ZZ") == []


def test_two_rules_differ_in_exactly_the_cells_that_they_judge_differently() -> None:
    """Rules of 15 and 20 minutes part where a flight was between them, and nowhere else."""
    events = [arrival("UA", 1, 18), arrival("UA", 2, 10), arrival("AA", 1, 40)]
    one, other = shown(table_of(events, 15)), shown(table_of(events, 20))
    assert differences(one, other) == 1
    assert digest(one) != digest(other)


def test_a_cell_that_one_view_lacks_is_a_difference() -> None:
    """Views over different flights never count as the same."""
    assert differences(shown(table_of([arrival("UA", 1, 0)])), {}) == 1
