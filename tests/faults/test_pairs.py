"""From the solution of any lab to the start of any other: nothing of the first is left in the second."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from driver import Driver, measured

pytestmark = [pytest.mark.cluster, pytest.mark.stands("04"), pytest.mark.long, pytest.mark.timeout(3600)]

LABS = ("01", "02", "04")


@pytest.fixture(scope="module")
def differences(lab: Driver, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Return what compares what stands with a lab's start, as it was the first time."""
    folder = tmp_path_factory.mktemp("starts")

    def start(code: str) -> Path:
        file = folder / f"{code}.json"
        if not file.exists():
            lab.run("reset", code)
            file.write_text(json.dumps(lab.json("fingerprint", code)))
        return file

    def compared(code: str) -> list[str]:
        told = lab.json("fingerprint", code, "--against", str(start(code)), code=None)
        found: list[str] = told["differences"]
        return found

    for each in LABS:
        start(each)
    return compared


@pytest.mark.parametrize(("first", "second"), list(itertools.product(LABS, LABS)))
def test_nothing_of_one_lab_is_left_in_another(
    lab: Driver, differences: Callable[[str], list[str]], first: str, second: str
) -> None:
    """A solved lab, a reset to the other: its exercises are open, and it holds what its start held the first time."""
    jumped = lab.json("goto", first, "--state", "solved")
    measured(first, "goto-solved" if jumped["checkpoint"] else "solve", jumped["seconds"])
    assert lab.json("check", first)["passed"]
    told = lab.json("reset", second)
    measured(second, "reset-kept" if second == "04" else "reset", told["seconds"])
    assert told["residue"] == []
    assert lab.json("check", second, code=1)["done"] == 0
    assert differences(second) == []
