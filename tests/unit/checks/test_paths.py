"""Paths into recorded JSON."""

import pytest

from lab.checks.paths import BadPath, enter, steps


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", []),
        ("spec.replicas", ["spec", "replicas"]),
        ("spec.containers[main].env[A_B].value", ["spec", "containers", "main", "env", "A_B", "value"]),
        ("metadata.labels[app.kubernetes.io/name]", ["metadata", "labels", "app.kubernetes.io/name"]),
        ("[0][1].x", ["0", "1", "x"]),
    ],
)
def test_a_path_is_split_into_its_steps(path: str, expected: list[str]) -> None:
    """Dots and brackets separate steps, and brackets keep the dots inside them."""
    assert steps(path) == expected


@pytest.mark.parametrize("path", [".", "a..b", "a[", "a[]", "a]", ".a", "a."])
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    """A slip in a selector is an error, never a selector for something else."""
    with pytest.raises(BadPath):
        steps(path)


def test_a_list_is_entered_by_name_before_place() -> None:
    """Partition 1 is the item that says so, even where it stands first."""
    assert enter([{"partition": 1}, {"partition": 0}], "1") == {"partition": 1}
    assert enter(["first", "last"], "-1") == "last"


@pytest.mark.parametrize(("value", "step"), [([], "0"), ({}, "a"), ("text", "0"), (None, "a"), ([1], "1"), ([1], "-2")])
def test_entering_what_is_not_there_is_a_lookup_error(value: object, step: str) -> None:
    """Nothing but a LookupError comes out of a step that leads nowhere."""
    with pytest.raises(LookupError):
        enter(value, step)
