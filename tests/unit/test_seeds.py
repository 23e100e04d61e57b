"""The trainee's seed: drawn once, kept, and the same facts for tool, service and check."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import seeds
from lab.checks import order as judged
from lab.errors import BadInput, LabError
from lab.settings import Settings
from patterns.centre_edge import cut_off
from pipelines.experiments.quality_monitors import named as damage
from runtime import seeds as served
from trials.experiments.canary_steps import KINDS, named

_LABS = Path(__file__).parents[2] / "labs"
_THINGS = ("failing", "slow", "wrong", "good")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with a home of their own."""
    return Settings.load({"LAB_HOME": str(tmp_path / "home")})


def test_a_seed_is_drawn_once_and_kept(settings: Settings) -> None:
    """Whoever only looks draws none; once drawn, it is the same for every cluster of the workstation."""
    assert seeds.kept(settings) is None
    seed = seeds.drawn(settings)
    assert seed.isdecimal()
    assert seeds.drawn(settings) == seeds.kept(settings) == seed
    assert seeds.drawn(dataclasses.replace(settings, name="other")) == seed


def test_two_workstations_have_two_seeds(tmp_path: Path) -> None:
    """Or neighbours could copy."""
    drawn = {seeds.drawn(Settings.load({"LAB_HOME": str(tmp_path / str(number))})) for number in range(20)}
    assert len(drawn) > 15


def test_a_seed_that_is_set_goes_first(tmp_path: Path) -> None:
    """A trainer can give a room the same facts, or a place in it its own."""
    settings = Settings.load({"LAB_HOME": str(tmp_path), "LAB_SEED": "0042"})
    assert seeds.drawn(settings) == seeds.kept(settings) == "0042"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["abc", "-1", "1.5", "1234567890", "12 "])
def test_a_seed_that_is_no_number_is_refused(value: str) -> None:
    """The message names the variable and what it takes."""
    with pytest.raises(BadInput, match="LAB_SEED"):
        Settings.load({"LAB_SEED": value})


def test_a_damaged_file_is_no_seed(settings: Settings) -> None:
    """Another one is drawn in its place."""
    settings.home.mkdir(parents=True)
    (settings.home / "seed.txt").write_text("what?")
    assert seeds.kept(settings) is None
    assert seeds.drawn(settings) == seeds.kept(settings)


def test_a_seed_that_cannot_be_kept_is_told(settings: Settings) -> None:
    """With the file, and what else can be done."""
    settings.home.parent.mkdir(parents=True, exist_ok=True)
    settings.home.write_text("a file where a folder should be")
    with pytest.raises(LabError, match="seed cannot be kept") as told:
        seeds.drawn(settings)
    assert "LAB_SEED" in told.value.remedy.fr


def test_the_order_depends_on_seed_and_fact() -> None:
    """Every order comes about; another fact of the same seed is no copy of the first."""
    orders = {tuple(seeds.order(str(seed), "a", _THINGS)) for seed in range(300)}
    assert len(orders) == 24
    assert any(seeds.order(str(seed), "a", _THINGS) != seeds.order(str(seed), "b", _THINGS) for seed in range(5))


def test_manifests_are_filled_where_they_name_the_seed() -> None:
    """The seed itself, things in its order, the first of them; other texts stay, also those that only look alike."""
    told = {
        "env": [{"name": "TARMAC_SEED", "value": "seed:"}, {"name": "OTHER", "value": "seed: a", "n": 1}],
        "annotations": {"tarmac.dev/versions": "seed:canary-steps:failing,slow,wrong,good"},
        "first": "seed:canary-steps:failing|slow|wrong|good",
        "mixed": "seed:canary-steps:failing|slow,wrong",
    }
    assert seeds.filled(told, lambda: "1234") == {
        "env": [{"name": "TARMAC_SEED", "value": "1234"}, {"name": "OTHER", "value": "seed: a", "n": 1}],
        "annotations": {"tarmac.dev/versions": "slow,failing,good,wrong"},
        "first": "slow",
        "mixed": "seed:canary-steps:failing|slow,wrong",
    }


def test_nobody_draws_a_seed_that_no_manifest_names() -> None:
    """A lab without seeded exercises leaves nothing behind in the home."""

    def never() -> str:
        raise AssertionError

    assert seeds.filled({"a": ["seeds", {"b": None}]}, never) == {"a": ["seeds", {"b": None}]}


def test_a_seed_decides_where_base_or_solution_name_it(tmp_path: Path) -> None:
    """Such a solution is kept for its seed alone; where a comment speaks of seeds, one holds for all."""
    for part, text in (("base", "# a seed: none\n"), ("solved", "value: one\n"), ("start", 'value: "seed:"\n')):
        (tmp_path / part).mkdir()
        (tmp_path / part / "a.yaml").write_text(text)
    assert not seeds.decides(tmp_path)
    (tmp_path / "solved/a.yaml").write_text('value: "seed:fact:one|two"\n')
    assert seeds.decides(tmp_path)


@pytest.mark.parametrize("seed", ["", "0", "1234", "999999"])
def test_service_check_and_tool_give_one_order(seed: str) -> None:
    """What the service releases as v2 to v5 is what the solution says and the check expects."""
    ours = seeds.order(seed, "canary-steps", _THINGS)
    assert served.order(seed, "canary-steps", KINDS) == judged(seed, "canary-steps", _THINGS) == ours
    if seed:
        assert named(seed) == dict(zip(("v2", "v3", "v4", "v5"), ours, strict=True))
    else:
        assert named(seed) == {kind: kind for kind in KINDS}


@pytest.mark.parametrize(
    ("lab", "exercise", "annotation", "made"),
    [
        ("01-patterns", "edge-offline", "tarmac.dev/cut-site", cut_off),
        ("02-pipelines", "quality-monitors", "tarmac.dev/damage", lambda seed: ",".join(damage(seed))),
        ("04-serving", "canary-steps", "tarmac.dev/versions", lambda seed: ",".join(named(seed).values())),
    ],
)
def test_a_solution_says_what_the_service_made_of_the_seed(
    lab: str, exercise: str, annotation: str, made: Callable[[str], str]
) -> None:
    """On every workstation: what the annotation becomes is what the experiment does there, and start says nothing."""
    manifests = _LABS / lab / "manifests"
    solved = yaml.safe_load((manifests / f"solved/{exercise}.yaml").read_text("utf-8"))
    for seed in map(str, range(40)):
        patch: Any = seeds.filled(solved, partial(str, seed))
        assert patch["metadata"]["annotations"] == {annotation: made(seed)}
    start = yaml.safe_load((manifests / f"start/{exercise}.yaml").read_text("utf-8"))
    assert start["metadata"]["annotations"] == {annotation: "unknown"}
    assert seeds.decides(manifests)
