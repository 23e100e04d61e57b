"""`lab docs` as an author types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[3]


def _lab(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", "docs", *words],
        env={"HOME": str(home), "PYTHONPATH": str(_ROOT / "platform"), "LAB_LANG": "fr"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_documents_of_this_checkout_are_whole(tmp_path: Path) -> None:
    """For machines an empty list, exit code 0, without a cluster and without a home to look into."""
    done = _lab(tmp_path, "check", "--output", "json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("update", "--run"), "lab docs update 01 --run"),
        (("run", "09"), "lab 09"),
        (("update", "77"), "77"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """Nothing runs and nothing is written; the remedy is told, with exit code 2."""
    done = _lab(tmp_path, *words)
    assert done.returncode == 2
    assert told in done.stderr
