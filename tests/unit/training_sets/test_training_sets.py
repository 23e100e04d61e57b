"""`lab data`: the answer is found in a pod's log, an error becomes the user's, and both languages say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lake.errors
from lab import training_sets
from lab.commands import data as commands
from lab.errors import BadInput, LabError, NotConverged
from lab.spec import Course
from lab.training_sets.reasons import REASONS, UNKNOWN
from lake import collection
from runtime.errors import BadSetting, ServiceError
from unit.stack import crons
from unit.stack.conftest import Server

ROOT = Path(__file__).resolve().parents[3]
LOG = '{"time": "2013-01-01", "level": "info", "service": "lake", "event": "an {\\"answer\\": 1} in words"}'
ERROR = {"level": "error", "event": "training set a: there is none of this name", "remedy": "there are: b"}
VERSION = {
    "name": "january", "commit": "c" * 40, "time": "2026-01-01 00:00:00+00:00", "message": "january: delay_v1",
    "rows": 24, "service": "delay_v1", "begin": "2013-01-02T00:00:00", "end": "2013-01-03T00:00:00", "lead": 60,
    "leaks": [], "sha256": "a" * 64, "registry": "b" * 64,
}  # fmt: skip


def _asked(server: Server, code: int | None, reason: str, log: str) -> training_sets.Answer:
    """Ask, where the cluster's job comes to this end."""
    crons.suspended(server)
    crons.ends(server, code, reason, log)
    answer = training_sets.ask(server, "chain", ["list"], lambda _: None)  # type: ignore[arg-type]
    job = server.held["Job", "chain", crons.NOW]
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["lake", "data", "list"]
    return answer


@pytest.fixture
def server() -> Server:
    """Return an empty cluster."""
    return Server()


def _error(kind: str) -> str:
    return json.dumps({**ERROR, "kind": kind})


class TestAnswers:
    """What is found in a log that holds both outputs."""

    def test_the_answer_is_found_among_lines_of_the_log(self, server: Server) -> None:
        """Whatever was logged before, after or about it."""
        log = f'{LOG}\nnot JSON\n{{"answer": {{"sets": []}}}}\n{LOG}\n[1]\n'
        answer = _asked(server, 0, "Completed", log)
        assert (answer.told, answer.failure) == ({"sets": []}, None)

    @pytest.mark.parametrize(("code", "kind"), [(2, BadInput), (1, LabError)])
    def test_a_service_error_is_the_users(self, server: Server, code: int, kind: type[LabError]) -> None:
        """Its exit code is kept; what it named is named, under a reason and with a remedy in the user's language."""
        with pytest.raises(kind) as failed:
            _asked(server, code, "Error", f"{LOG}\n{_error('BadRequest')}\n")
        assert failed.value.exit_code == code
        assert failed.value.render("en").startswith(f"that cannot be used: {ERROR['event']}\nWhat to do: ")
        assert failed.value.render("fr").startswith(f"cela ne peut pas servir : {ERROR['event']}\nQue faire : ")

    def test_an_answer_may_come_with_a_failure(self, server: Server) -> None:
        """Other bytes: both what they are, and exit code 2."""
        log = f'{_error("Differs")}\n{{"answer": {{"same": false}}}}\n'
        answer = _asked(server, 2, "Error", log)
        assert answer.told == {"same": False}
        assert isinstance(answer.failure, BadInput)

    @pytest.mark.parametrize(
        ("code", "reason", "log", "told"),
        [
            (137, "OOMKilled", f"{LOG}\n", "OOMKilled"),
            (None, "DeadlineExceeded", "", "DeadlineExceeded"),
            (0, "Completed", "", "Completed"),
            (1, "Error", "Traceback\nImportError: no dvc\n", "ImportError: no dvc"),
            (1, "Error", json.dumps({"level": "error", "error": "Traceback\nKeyError: 'x'"}) + f"\n{LOG}", "KeyError"),
        ],
    )
    def test_an_end_without_a_word_is_told(
        self, server: Server, code: int | None, reason: str, log: str, told: str
    ) -> None:
        """The reason that the cluster gives, the last line, and where to read on."""
        with pytest.raises(NotConverged, match=told) as failed:
            _asked(server, code, reason, log)
        assert "Traceback" not in failed.value.render("en")
        assert "lab kubectl logs -n chain job/lake-data-now" in failed.value.render("fr")


def test_every_error_of_the_lake_has_its_words() -> None:
    """Each class that a service of the lake can name, and no other, in both languages."""
    named = [getattr(lake.errors, name) for name in lake.errors.__all__] + [BadSetting]
    assert all(issubclass(each, ServiceError) for each in named)
    assert {each.__name__ for each in named} == set(REASONS)
    for reason in (*REASONS.values(), UNKNOWN):
        assert reason.what.en != reason.what.fr
        assert reason.remedy.en != reason.remedy.fr


def test_only_a_lab_with_a_lake_is_asked() -> None:
    """Lab 02 has one; lab 01 is told to have none."""
    course = Course(ROOT)
    assert training_sets.require(course, "02") == course.components["lake"].namespace
    with pytest.raises(BadInput, match="lab 01 has no lake"):
        training_sets.require(course, "01")


def test_the_lake_takes_the_names_that_the_command_takes() -> None:
    """What one refuses before a job is begun, the other would have refused in it."""
    assert commands._NAME.pattern == collection._NAME.pattern


SHOWN: list[tuple[str, dict[str, Any], list[str]]] = [
    ("build", {**VERSION, "new": True}, ["january", "cccccccc", "24", "delay_v1", "2013-01-02", "aaaaaaaa"]),
    ("build", {**VERSION, "new": False}, ["january", "cccccccc"]),
    ("build", {**VERSION, "new": True, "leaks": ["arrival_delay"]}, ["arrival_delay"]),
    ("list", {"sets": []}, ["lab data build"]),
    ("list", {"sets": [{"name": "january", "versions": [VERSION, VERSION]}]}, ["january", "cccccccc", "24"]),
    ("rebuild", {**VERSION, "same": True, "rebuilt": "a" * 64, "tables": ["silver/flights@3"]}, ["silver/flights@3"]),
    ("rebuild", {**VERSION, "same": False, "rebuilt": "d" * 64, "tables": []}, ["dddddddd"]),
    ("diff", {"name": "january", "before": "c" * 40, "after": "d" * 40, "modified": False, "fields": {}}, ["dddddddd"]),
    (
        "diff",
        {
            "name": "january", "before": "c" * 40, "after": "d" * 40, "modified": True,
            "fields": {
                "rows": [24, 48], "sha256": ["a" * 64, "e" * 64], "extra": [[], ["distance"]], "table x": [None, 1],
            },
        },
        ["24 → 48", "aaaaaaaa → eeeeeeee", "- → distance", "- → 1"],
    ),
    ("checkout", {**VERSION, "from": "d" * 40}, ["dddddddd", "cccccccc"]),
    (
        "lineage",
        {
            "name": "january", "commit": "c" * 40, "file": "sets/january.parquet", "sha256": "a" * 64, "intact": True,
            "dvc": "f" * 32, "service": "delay_v1", "registry": "b" * 64, "recipe": "e" * 64,
            "tables": [
                {"name": "bronze/weather", "version": 1, "log": {"0": 71}},
                {"name": "silver/weather", "version": 2, "made_from": ["bronze/weather@1"]},
                {"name": "silver/old", "version": 0, "gone": "silver/old@0"},
            ],
        },
        [
            "sets/january.parquet", "ffffffff", "\n  silver/weather@2\n    bronze/weather@1", "0:71",
            "\n  silver/old@0  (",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("act", "told", "words"), SHOWN, ids=[f"{n}-{act}" for n, (act, _, _) in enumerate(SHOWN)])
def test_answers_are_shown_in_both_languages(act: str, told: dict[str, Any], words: list[str]) -> None:
    """The same facts in as many lines; the sentences are the language's own."""
    english, french = (training_sets.shown(act, told, language) for language in ("en", "fr"))
    assert len(english) == len(french)
    assert english != french
    for text in ("\n".join(english), "\n".join(french)):
        assert [word for word in words if word not in text] == []
