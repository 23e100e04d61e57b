"""What the log tells of the replay's pace, and what is made of it; sending needs a broker and is for the cluster."""

from contracts import encode
from pipelines.experiments.broker_figures import need, pace
from unit.ingest.worlds import Record, reading, record

NOW = 1_800_000_000.0


def tail(records: int, seconds: float, until: float = NOW) -> list[Record]:
    """A partition that got so many records, evenly, over so many seconds."""
    step = seconds / records
    return [record(number, reading(number), until - seconds + number * step) for number in range(records)]


def test_the_pace_is_that_of_the_last_day_of_event_time() -> None:
    """What came before the window, at another pace, does not count."""
    slow, quick = tail(10, 1000, NOW - 144), tail(144, 144)
    assert pace([slow + quick], NOW)["events_per_second"] == 1.0


def test_partitions_add_up() -> None:
    """Two partitions of one pace make twice the events and twice the bytes, and events of the same size."""
    one, two = pace([tail(288, 288)], NOW), pace([tail(288, 288)] * 2, NOW)
    assert two["events_per_second"] == 2 * one["events_per_second"] == 2.0
    assert two["bytes_per_second"] == 2 * one["bytes_per_second"]
    assert two["bytes_per_event"] == one["bytes_per_event"]


def test_an_event_counts_with_its_key() -> None:
    """Clouds bill key and value; headers are ours."""
    event = reading(1)
    found = pace([[record(0, event, NOW - 1)]], NOW)
    assert found["bytes_per_event"] == len(encode(event)) + len(b"JFK")


def test_a_young_log_is_not_spread_over_a_whole_window() -> None:
    """A replay that began ten seconds ago has its own pace, not a fourteenth of it."""
    assert pace([tail(101, 10.1)], NOW)["events_per_second"] == 9.9  # 100 gaps in 10.1 s


def test_a_replay_that_stands_still_has_no_pace() -> None:
    """Old records alone, one record alone, and none at all are no stream."""
    for records in (tail(50, 50, NOW - 500), tail(1, 1), []):
        found = pace([records], NOW)
        assert found["events_per_second"] == 0
        assert found["bytes_per_second"] == 0


def test_room_and_partitions_follow_from_pace_and_size() -> None:
    """A week is seven days of the measured bytes; a partition too many is not asked for, one too few neither."""
    found = need({"events_per_second": 250.0, "bytes_per_second": 75_000.0}, per_partition=100.0)
    assert found == {"partitions": 3, "mb_per_day": 6480.0, "retention_bytes": 45_360_000_000}
    assert need({"events_per_second": 0.0, "bytes_per_second": 0.0}, per_partition=100.0)["partitions"] == 1
