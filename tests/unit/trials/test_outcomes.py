"""What experiments make of answers: each outcome from answers that are known."""

import numpy as np
import pytest

from runtime.errors import BadSetting
from trials.asks import Answer
from trials.experiments import ab_test, blue_green, canary_steps, cascade, model_aliases, prediction_cache, sync_async
from trials.experiments.dynamic_batching import loaded


def answer(sent: float, value: float | None, version: str = "1", tag: str = "", seconds: float = 0.01) -> Answer:
    """Return an answer with one value; None: there was none."""
    if value is None:
        return Answer(tag, sent, seconds, 0)
    return Answer(tag, sent, seconds, 200, version, (value,))


def test_callers_of_a_number_keep_the_bad_version() -> None:
    """What is bad before the alias moves back counts apart from what is bad once the server has followed."""
    wrong = model_aliases.RIGHT + 90
    bad = [answer(at, wrong) for at in range(10)]
    told = model_aliases.told(bad, moved=4, settled=6)
    assert (told["bad_before"], told["bad_after"], told["answers_after"]) == (4, 4, 4)
    assert told["seconds_to_good"] is None
    mixed = [*bad[:5], *(answer(at, model_aliases.RIGHT) for at in range(5, 10))]
    told = model_aliases.told(mixed, moved=4, settled=6)
    assert (told["bad_before"], told["bad_after"], told["failed"]) == (4, 0, 0)
    assert told["seconds_to_good"] == pytest.approx(0.01)


def test_a_request_without_an_answer_is_failed_and_not_bad() -> None:
    """A swap that loses requests is told apart from one that answers wrongly."""
    told = model_aliases.told([answer(1, None)], moved=0, settled=0)
    assert (told["failed"], told["bad_before"], told["bad_after"]) == (1, 0, 0)


def test_a_load_is_told_by_what_was_answered_and_refused() -> None:
    """Refusals are no answers, and only answers have a latency."""
    answers = [answer(0, 1.0, seconds=0.2), Answer("", 0, 0.9, 429), answer(0, 1.0, seconds=0.2)]
    told = loaded(answers, 160, 100, 7.5)
    assert (told["requests"], told["answered"], told["refused"]) == (3, 2, 1)
    assert (told["seconds_p99"], told["requests_per_run"]) == (0.2, 7.5)


def test_a_moment_of_trouble_is_not_the_load() -> None:
    """The middle one of three slices counts: one that another job spoiled is left, a queue that grows in all is not."""
    calm = [answer(at, 1.0, seconds=0.1) for at in range(300)]
    spoiled = [answer(at, 1.0, seconds=2.0 if 120 <= at < 150 else 0.1) for at in range(300)]
    growing = [answer(at, 1.0, seconds=at / 100) for at in range(300)]
    assert loaded(calm, 160, 100, 7.5)["seconds_p99"] == loaded(spoiled, 160, 100, 7.5)["seconds_p99"] == 0.1
    assert loaded(growing, 160, 100, 7.5)["seconds_p99"] == pytest.approx(2, abs=0.05)
    assert loaded([], 160, 100, None)["seconds_p99"] is None


def test_a_key_without_the_hour_gives_somebody_elses_answer() -> None:
    """Some of the questions differ in the hour alone; with all that decides in the key, none get another's answer."""
    asked = prediction_cache.questions()
    assert (len(asked), len({each.passenger for each in asked})) == (300, 300)

    def kept(fields: tuple[str, ...]) -> int:
        first: dict[str, float] = {}
        answers = [answer(0, first.setdefault(each.key(fields), each.right)) for each in asked]
        return prediction_cache.wrong(asked, answers)

    assert kept(("origin", "dest")) > 30
    assert kept(("origin", "dest", "carrier")) > 0
    assert kept(("origin", "dest", "carrier", "hour")) == 0
    flights = {each.key(("origin", "dest", "carrier", "hour")) for each in asked}
    assert 1 - len(flights) / len(asked) > 0.7  # the hit rate of a cache that is never too small


@pytest.mark.parametrize("text", ["", " , ", "origin,gate"])
def test_a_key_of_nothing_or_of_what_there_is_not_is_refused(text: str) -> None:
    """With the names that there are."""
    with pytest.raises(BadSetting, match="origin, dest, carrier, hour, passenger"):
        prediction_cache.chosen(text)


def test_answers_of_the_old_version_are_stale() -> None:
    """After a new version has come, whether they say so or only hold its values."""
    asked = prediction_cache.questions()[:3]
    answers = [
        answer(0, asked[0].right, "1"),
        answer(0, asked[1].right, "2"),
        answer(0, asked[2].right + 30, "2"),
    ]
    assert prediction_cache.stale(asked, answers) == 2


def test_hurt_are_those_without_an_answer_with_a_wrong_one_or_kept_waiting() -> None:
    """By the new version; slow answers of the old one are the machine's affair."""
    usual = [answer(0, 5.0, seconds=0.004) for _ in range(10)]
    right = [answer(1, 5.0, tag="5.0"), answer(1, 5.0, "1", "5.0", seconds=0.5)]
    hurt = [answer(1, None, tag="5.0"), answer(1, 65.0, "2", "5.0"), answer(1, 5.0, "2", "5.0", seconds=0.1)]
    assert canary_steps.hurt([*right, *hurt], usual) == 3


def test_questions_of_a_release_fail_one_time_in_five_on_the_failing_version() -> None:
    """Their first value decides it, and their sums lie where the histogram of predictions has its buckets."""
    sums = [float(each.tag) for each in canary_steps.questions()]
    assert -40 < min(sums) < 0
    assert 30 < max(sums) < 90
    firsts = [float(each.body.split(b'"data": [')[1].split(b",")[0]) for each in canary_steps.questions()]
    assert sum(value >= 8 for value in firsts) / len(firsts) == pytest.approx(0.2, abs=0.06)


@pytest.mark.parametrize(("text", "read"), [("50", [50]), (" 10, 25,50", [10, 25, 50])])
def test_steps_are_read(text: str, read: list[int]) -> None:
    """With or without spaces."""
    assert canary_steps.weights(text) == read


def test_steps_and_criteria_that_cannot_be_read_are_refused() -> None:
    """By the variable, with what it takes."""
    with pytest.raises(BadSetting, match="TARMAC_CANARY_STEPS='ten'"):
        canary_steps.weights("ten")
    with pytest.raises(BadSetting, match="TARMAC_CRITERIA='errors,speed' names speed"):
        canary_steps.chosen("errors,speed")


def test_a_way_back_is_told_from_when_it_was_taken() -> None:
    """The seconds run until the last bad answer; what is bad before counts apart."""
    bad = 100.0
    answers = [answer(0, bad), answer(1, bad), answer(2, bad, seconds=0.5), answer(3, 10.0), answer(4, None)]
    told = blue_green.told(answers, 1.5, 4)
    assert (told["bad_before"], told["bad_after"], told["failed"], told["answers"]) == (2, 1, 1, 5)
    assert told["seconds"] == 1.0


def test_a_wave_is_told_by_what_never_came() -> None:
    """A request that was sent and has no answer is lost."""
    told = sync_async.told([answer(0, 1.0), answer(0, None), answer(0, 1.0)], 4)
    assert (told["requests"], told["lost"], told["seconds_p95"]) == (4, 2, 0.01)


def test_a_cascade_gains_what_its_rows_are_worth() -> None:
    """Without rows for the big model it is the small one, with all of them the big one."""
    label = np.array([0.0, 10.0, 50.0, 90.0])
    first, then = label + np.array([2.0, 2.0, 20.0, 30.0]), label + 1.0
    none, all_, some = (cascade.outcome(first, then, label, minutes) for minutes in (1000, -1000, 40))
    assert (none["share"], none["gain"]) == (0, 0)
    assert (all_["share"], all_["gain"]) == (1, 1)
    assert some["share"] == 0.5
    assert some["gain"] > 0.99


def test_a_prediction_that_is_no_number_goes_to_the_big_model() -> None:
    """The small one is as unsure there as can be."""
    told = cascade.outcome(np.array([np.nan, 1.0]), np.array([5.0, 5.0]), np.array([5.0, 1.0]), 1000.0)
    assert (told["share"], told["rmse"]) == (0.5, 0.0)


def test_looking_until_it_is_significant_finds_what_is_not_there() -> None:
    """Several times as often as 5 %; one look, and the test that is made to be looked at, keep what they say."""
    alarms = {rule: ab_test.found(rule, 0.1, 0.1) for rule in ("peek", "planned", "sequential")}
    assert alarms["peek"] > 0.15
    assert alarms["planned"] < 0.1
    assert alarms["sequential"] < 0.05


def test_a_difference_that_is_there_is_found() -> None:
    """By both rules that may be chosen."""
    assert ab_test.found("planned", 0.1, 0.14) > 0.9
    assert ab_test.found("sequential", 0.1, 0.14) > 0.5


def test_a_split_by_request_gives_passengers_both_versions() -> None:
    """One drawn by passenger gives each the same one, and both give B about half."""
    for unit, mixed in (("request", True), ("passenger", False)):
        versions = {"a": "1", "b": "2"}
        answers = [answer(0, 1.0, versions[each.tag.split()[1]], each.tag) for each in ab_test.questions(unit)]
        told = ab_test.told(answers)
        assert (told["mixed"] > 40) is mixed
        assert told["misrouted"] == 0
        assert 0.3 < told["share_b"] < 0.7


def test_who_was_sent_elsewhere_is_counted() -> None:
    """The version that answers is held to what was drawn."""
    told = ab_test.told([answer(0, 1.0, "1", "p b"), answer(0, 1.0, "2", "q b")])
    assert (told["misrouted"], told["passengers"]) == (1, 2)
