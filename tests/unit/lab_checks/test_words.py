"""What trainees read: quiz, guides and the table of coverage."""

import re
from pathlib import Path

from lab.checks.quiz import read
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


def test_every_topic_has_its_row_in_the_coverage(folder: Path, code: str, exercises: list[object]) -> None:
    """The table of coverage names, for each topic of the module, the exercise that covers it."""
    rows = [
        line for line in (folder.parents[1] / "docs/coverage.md").read_text("utf-8").splitlines() if line[:1] == "|"
    ]
    known = {exercise.id for exercise in exercises}  # type: ignore[attr-defined]
    for topic in _TOPICS[code]:
        row = next((row for row in rows if topic in row), "")
        assert set(re.findall(r"`([a-z0-9-]+)`", row)) & known, topic
