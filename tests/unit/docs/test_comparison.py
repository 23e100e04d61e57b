"""What is printed against what a guide shows, and the guide written anew from it."""

from __future__ import annotations

import pytest

from lab.docs.comparison import Difference, difference
from lab.docs.renewal import renewed
from lab.docs.wildcards import KINDS, fits, named

_PODS = ["NAME       READY   AGE", "worker-7d9f   1/1     5m12s", "edge-0     1/1     3d"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("time", ["2026-03-01T08:15:00Z", "2026-03-01 08:15:00.123+01:00"], ["2026-03-01", "08:15"]),
        ("date", ["2026-03-01"], ["2026-3-1", "2026-03-01T08:15:00Z"]),
        ("address", ["10.244.0.8", "127.0.0.1:8081"], ["10.244.0", "localhost"]),
        ("duration", ["3.2 s", "2 min 5 s", "17ms"], ["3.2", "s"]),
        ("age", ["5m12s", "3d", "118s"], ["5", "5 m"]),
        ("seconds", ["0", "3.25"], ["-1", "3 s", "null"]),
        ("number", ["-1.5e-05", "26,115", "0.3", "7"], ["1.", "x", "None", "1 2"]),
        ("id", ["7d9f-x2k", "3a808565"], ["7D9F", "a b", "-a"]),
        ("name", ["tarmac-test-1f", "UA.v1", "a"], ["a b", "a-", ""]),
        ("path", ["/root/.cache/x", "labs/01-patterns", "~/x"], ["a b", "x//y z"]),
        ("url", ["http://127.0.0.1:8081/x"], ["127.0.0.1:8081", "http://"]),
    ],
)
def test_a_wildcard_is_of_its_kind_only(name: str, good: list[str], bad: list[str]) -> None:
    """It stands for what its name says, in both languages, also inside a word, and for nothing else."""
    (kind,) = [kind for kind in KINDS if kind.name.en == name]
    for each in good:
        assert fits(f"x=<{kind.name.en}>,", f"x={each},", "en")
        assert fits(f"x=<{kind.name.fr}>,", f"x={each},", "fr")
    for each in bad:
        assert not fits(f"x=<{name}>,", f"x={each},", "en"), each


def test_every_kind_is_tried() -> None:
    """Names are different in each language, and each kind has its case above."""
    (mark,) = test_a_wildcard_is_of_its_kind_only.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in mark.args[1]} == set(named("en"))
    assert len(named("fr")) == len(KINDS)


@pytest.mark.parametrize(
    "shown",
    [
        _PODS,
        ["NAME READY AGE", "", "worker-<id> 1/1 <age>", "edge-0 1/1 <age>"],
        ["NAME …", "…", "edge-0 …"],
        ["…", "worker-<id>  1/1 <age>", "…"],
        ["…", "edge-0     1/1     <age>"],
        ["…"],
        ["…", "NAME READY AGE", "…", "…", "worker-<id> 1/1 <age>", "edge-0 1/1 3d", "…"],
    ],
)
def test_what_is_shown_was_printed(shown: list[str]) -> None:
    """Wildcards, lines left out, empty lines and the width of columns make no difference."""
    assert difference(shown, [*_PODS, ""], "en") is None


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([], Difference(0, None, _PODS[0])),
        (_PODS[:2], Difference(2, None, _PODS[2])),
        ([*_PODS, "edge-1"], Difference(3, "edge-1", None)),
        ([_PODS[0], "worker-<id> 0/1 <age>", "…"], Difference(1, "worker-<id> 0/1 <age>", _PODS[1])),
        (["…", "worker-<id> 1/1 <age>"], Difference(2, None, _PODS[2])),
        (["…", "worker-<id> 1/1 <age>", "edge-1 1/1 <age>"], Difference(2, "edge-1 1/1 <age>", _PODS[2])),
        (["…", "edge-0 1/1 <age>", "…", "worker-<id> 1/1 <age>"], Difference(3, "worker-<id> 1/1 <age>", None)),
        (["…", "scaler", "…"], Difference(1, "scaler", None)),
        ([_PODS[0], _PODS[2]], Difference(1, _PODS[2], _PODS[1])),
    ],
)
def test_the_first_line_that_differs_is_named(shown: list[str], expected: Difference) -> None:
    """What is missing, what is too much, what is wrong, what stands in another order: which line, and what came."""
    assert difference(shown, [line.strip() for line in _PODS], "en") == expected


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        (["a <number>", "…", "z"], ["a 1.5", "b", "z"], ["a <number>", "…", "z"]),
        ([], ["took 1.25 at 10.0.0.7", "", "3 done"], ["took <number> at <address>", "", "3 done"]),
        (["p <number> of 3 calls", "z"], ["p 7 of 4 calls", "z"], ["p <number> of 4 calls", "z"]),
        (["a", "z"], ["a", "new line", "z"], ["a", "new line", "z"]),
        (["a", "gone", "z"], ["a", "z"], ["a", "z"]),
        (["…", "took <seconds> s", "…", "z"], ["x", "it took 3 s", "y", "z"], ["…", "it took <seconds> s", "…", "z"]),
        (["a", "…", "all done"], ["a", "b", "tout est fait"], ["a", "…", "tout est fait"]),
        (["  seen two of 3 …", "z"], ["  seen two of 4 and more", "z"], ["  seen two of 4 …", "z"]),
        (["…"], ["a"], ["…"]),
    ],
)  # fmt: skip
def test_a_block_is_renewed_and_keeps_its_wildcards(shown: list[str], printed: list[str], expected: list[str]) -> None:
    """What fits stays, what changed is taken, what was left out stays so; and the result is what was printed."""
    made = renewed(shown, printed, "en")
    assert made == expected
    assert difference(made, printed, "en") is None
    assert renewed(made, printed, "en") == made
