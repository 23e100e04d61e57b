"""The log alone says what of the replay is written: wherever a producer dies, each event is sent exactly once."""

from hypothesis import given
from hypothesis import strategies as some

from ingest.producer import Timetable
from ingest.replay import Planned
from ingest.resume import Found, Share, Shares, header, place_in

TOPIC = "flight.departed.v1"
KEYS = ("JFK", "LGA", "EWR")


def plan(number: int) -> list[Planned]:
    """So many events over three keys."""
    return [
        Planned(place, TOPIC, KEYS[place * 7 % 3], float(place), b'{"id":"event-%d"}' % place)
        for place in range(number)
    ]


def shares(logs: list[list[int]], every: int = 4) -> Shares:
    """What is found in partitions that hold these events, every so manyeth of which bears its place."""
    return Shares({TOPIC: [Share(found(log, every)) for log in logs]})


def found(log: list[int], every: int = 4) -> list[Found]:
    """What the records of such a partition tell."""
    return [Found(None if number % every else place, f"event-{place}") for number, place in enumerate(log)]


@given(number=some.integers(0, 60), cuts=some.lists(some.tuples(*[some.integers(0, 60)] * 3), max_size=4))
def test_crashes_lose_and_double_nothing(number: int, cuts: list[tuple[int, int, int]]) -> None:
    """Partitions are cut anywhere, each for itself, several times; in the end each holds its share in order."""
    logs: list[list[int]] = [[], [], []]
    for cut in [*cuts, (60, 60, 60)]:
        known = shares(logs)
        sent: list[list[int]] = [[], [], []]
        for planned in plan(number):
            if known.missing(planned):
                sent[known.partition(TOPIC, planned.key)].append(planned.place)
        for log, new, reached in zip(logs, sent, cut, strict=True):
            log.extend(new[:reached])
    assert sorted(place for log in logs for place in log) == list(range(number))
    assert all(log == sorted(log) for log in logs)


def test_a_hole_among_the_newest_records_is_filled() -> None:
    """A batch that was refused while a later one was written is sent again."""
    known = shares([[1, 2, 3, 8, 9]] * 3)
    assert [planned.place for planned in plan(12) if known.missing(planned)] == [4, 5, 6, 7, 10, 11]


def test_what_slipped_in_before_a_new_beginning_does_not_count_as_progress() -> None:
    """Records of the middle first, then the replay from its beginning: the last record tells the progress."""
    known = shares([[8, 9, 0, 1, 2]] * 3)
    assert [planned.place for planned in plan(12) if known.missing(planned)] == [3, 4, 5, 6, 7, 10, 11]


def test_the_floor_leaves_nothing_out() -> None:
    """A topic without any record of the replay needs the plan from its beginning."""
    assert Shares({TOPIC: [Share(found([9_000])), Share([])], "other": [Share([])]}).floor() < 0
    assert Shares({TOPIC: [Share(found([9_000])), Share([])]}).floor() <= 9_000


def test_the_place_reached_is_the_furthest_of_all_topics() -> None:
    """A topic that lost all it held does not bring the replay back."""
    assert Shares({TOPIC: [Share(found([9])), Share(found([7]))], "other": [Share([])]}).reached() == 9
    assert Shares({TOPIC: [Share([])]}).reached() == -1


def test_what_is_missing_before_the_place_reached_is_due_at_once() -> None:
    """The first event after it begins the pace."""
    now = 100.0
    timetable = Timetable(2.0, reached=3, clock=lambda: now)
    assert [timetable.wait(planned) for planned in plan(7)] == [0, 0, 0, 0, 0, 0.5, 1.0]


def test_without_a_pace_everything_is_due_at_once() -> None:
    """A speed-up of nought."""
    assert {Timetable(0.0).wait(planned) for planned in plan(7)} == {0.0}


def test_a_record_bears_its_place() -> None:
    """Also beside other headers; a stranger's record bears none."""
    assert place_in([("traceparent", b"00-1-2-01"), header(17)]) == 17
    assert place_in([("place", b"far away")]) is None
