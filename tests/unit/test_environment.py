"""`lab kubectl`: every word is kubectl's."""

import pytest

from lab.commands.environment import kubectl


@pytest.mark.parametrize(
    "words",
    [
        ["exec", "-n", "chain", "pod", "--", "env", "A=b", "python3", "-m", "ingest"],
        ["-n", "lab-01", "get", "pods", "-o", "json"],
        ["get", "pods", "--help"],
    ],
)
def test_no_word_is_lost_on_the_way(words: list[str]) -> None:
    """Options, `--help` and `--` reach kubectl as they were typed."""
    context = kubectl.make_context("kubectl", list(words))
    assert list(context.params["words"]) == words
