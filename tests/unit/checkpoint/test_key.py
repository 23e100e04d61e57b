"""What makes a checkpoint another one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab.checkpoint import key
from lab.spec import Course

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a checkout with what a key looks at, and a trainee's working copy."""
    for each in ("platform/helm", "platform/stack.yaml", "labs/01-patterns"):
        target = tmp_path / each
        target.parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / each
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("work*")) if source.is_dir() else shutil.copy(
            source, target
        )
    (tmp_path / "labs/01-patterns/manifests/work").mkdir()
    return tmp_path


def test_it_changes_with_whatever_decides_the_state(root: Path) -> None:
    """A manifest, a chart, the components, the lab's declaration, an image."""
    keys = {key(Course(root), "01", ["a:1"]), key(Course(root), "01", ["a:2"])}
    for each in (
        "labs/01-patterns/manifests/start/kustomization.yaml",
        "platform/stack.yaml",
        "platform/helm/kafka/values.yaml",
    ):
        file = root / each
        file.write_text(f"{file.read_text()}\n# other\n")
        keys.add(key(Course(root), "01", ["a:1"]))
    _declared(root, "partitions: 3", "partitions: 4")
    assert len({*keys, key(Course(root), "01", ["a:1"])}) == 6


def test_it_does_not_change_with_what_a_lab_says_of_itself(root: Path) -> None:
    """Its texts, and what it may take."""
    before = key(Course(root), "01", [])
    _declared(root, "idle_cores: 0.3", "idle_cores: 0.4")
    _declared(root, "Compare architecture patterns", "Weigh architecture patterns")
    assert key(Course(root), "01", []) == before


def _declared(root: Path, told: str, other: str) -> None:
    file = root / "labs/01-patterns/lab.yaml"
    text = file.read_text()
    assert told in text
    file.write_text(text.replace(told, other))


def test_it_does_not_change_with_a_trainees_files(root: Path) -> None:
    """Nor with the order in which images are named."""
    before = key(Course(root), "01", ["a:1", "b:1"])
    (root / "labs/01-patterns/manifests/work/x.yaml").write_text("a: 1")
    (root / "labs/01-patterns/guide.md").write_text("other words")
    assert key(Course(root), "01", ["b:1", "a:1"]) == before
