"""What trainees read: quiz, guides and the table of coverage."""

import re
from pathlib import Path

import pytest

from lab.checks.quiz import read
from lab.spec import Course
from lab.text import Language

_LANGUAGES: tuple[Language, ...] = ("en", "fr")

_TOPICS = {
    "01": (
        "batch, streaming, near-real-time",
        "Lambda, Kappa, Delta",
        "event sourcing, CQRS",
        "service discovery",
        "circuit breaker",
        "bulkhead",
        "serverless and event-driven elasticity",
        "edge and fog",
        "federated learning",
        "distributed inference",
    ),
    "02": (
        "lake, warehouse, lakehouse",
        "ETL and ELT",
        "Kafka, Pulsar, Kinesis (decision)",
        "feature store: central or per domain, online and offline, point-in-time joins",
        "data mesh: data products with contracts",
        "versions with DVC and with a table format: time travel, rollback",
    ),
    "04": (
        "blue-green, canary, A/B, shadow",
        "synchronous and asynchronous, batch and real-time inference",
        "ensemble, cascade, smart routing",
        "registry with versions and aliases, several models per server",
        "dynamic batching, caching, quantisation, pruning",
        "edge runtimes compared",
    ),
}
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _guide(folder: Path, language: str) -> str:
    return (folder / ("guide.fr.md" if language == "fr" else "guide.md")).read_text("utf-8")


def test_every_topic_of_the_module_has_a_question(folder: Path, code: str) -> None:
    """The quiz leaves out no topic of the course's module, and asks ten questions or more."""
    questions = read(folder / "quiz.yaml")
    assert set(_TOPICS[code]) - {question.topic for question in questions} == set()
    assert len(questions) >= 10


def test_every_question_leads_to_an_exercise(folder: Path, exercises: list[object]) -> None:
    """The answer to a question can be seen in an exercise that exists."""
    known = {exercise.id for exercise in exercises}  # type: ignore[attr-defined]
    assert {question.exercise for question in read(folder / "quiz.yaml")} - known == set()


def test_hints_lead_from_a_nudge_to_the_file(folder: Path, code: str) -> None:
    """Each exercise has three hints or more, none twice, and only the last one names the file to edit."""
    for exercise in Course(folder.parents[1]).lab(code).exercises:
        for language in _LANGUAGES:
            hints = [hint.in_(language) for hint in exercise.hints]
            named = [f"manifests/work/{exercise.id}.yaml" in hint for hint in hints]
            assert len(set(hints)) == len(hints) >= 3, exercise.id
            assert named == [False] * (len(hints) - 1) + [True], exercise.id


def test_both_guides_have_the_same_commands(folder: Path) -> None:
    """Whoever follows the French guide types exactly what the English one says."""
    commands = {
        language: [text for kind, text in _BLOCK.findall(_guide(folder, language)) if kind == "bash"]
        for language in ("en", "fr")
    }
    assert commands["en"] == commands["fr"]
    assert len(commands["en"]) >= 8


def test_both_guides_have_the_same_parts(folder: Path) -> None:
    """Headings, blocks and folded answers follow each other in the same order in both languages."""

    def shape(text: str) -> list[str]:
        kinds = re.findall(r"^(#+ |```\w+|<details>|</details>|\d+\. |- |\|)", text, re.MULTILINE)
        return [kind if kind.startswith(("#", "`", "<")) else kind[0] for kind in kinds]

    assert shape(_guide(folder, "en")) == shape(_guide(folder, "fr"))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_guide_leads_through_every_exercise(folder: Path, exercises: list[object], language: str) -> None:
    """No exercise is checked that the guide does not name."""
    text = _guide(folder, language)
    assert [exercise.id for exercise in exercises if f"`{exercise.id}`" not in text] == []  # type: ignore[attr-defined]


def test_every_topic_has_its_row_in_the_coverage(folder: Path, code: str, exercises: list[object]) -> None:
    """The table of coverage names, for each topic of the module, the exercise that covers it."""
    rows = [
        line for line in (folder.parents[1] / "docs/coverage.md").read_text("utf-8").splitlines() if line[:1] == "|"
    ]
    known = {exercise.id for exercise in exercises}  # type: ignore[attr-defined]
    for topic in _TOPICS[code]:
        row = next((row for row in rows if topic in row), "")
        assert set(re.findall(r"`([a-z0-9-]+)`", row)) & known, topic
