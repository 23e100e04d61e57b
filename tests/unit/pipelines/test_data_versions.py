"""Versions of a training set: the real DVC and the real tables, with each setting of the exercise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lake import training
from lake.build import build
from lake.versions import Workspace
from pipelines.experiments.data_versions import FIRST, SECOND, versioned
from pipelines.experiments.desk import LATE, NAME, SERVICE, Desk, begun
from runtime.figures import Result
from runtime.store import Store
from unit.lake.worlds import World, arrived, days_of_flights, departed

_LATE_FLIGHTS = 5


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a lake of five days, built, in which the late carrier has flights on the first version's days."""
    made = World(tmp_path_factory.mktemp("world"))
    made.add(days_of_flights(SECOND.end - FIRST.first + 2, first=FIRST.first - 2))
    for number in range(1, _LATE_FLIGHTS + 1):
        minute = FIRST.first * 1440 + 600 + number * 30
        made.add([departed(minute, carrier=LATE, flight=number, tailnum=f"B{number:05}")])
        made.add([arrived(minute + 200, carrier=LATE, flight=number, tailnum=f"B{number:05}")])
    build(made.lake)
    return made


@pytest.fixture
def sit(world: World, tmp_path: Path) -> Callable[[], Desk]:
    """Return what begins a run, in a workspace of its own, on one lake and one remote."""

    def begin() -> Desk:
        number = len(list(tmp_path.glob("run-*")))
        folder = tmp_path / f"run-{number}"
        folder.mkdir()
        places = Store(str(tmp_path / "lake")), Store(str(tmp_path / "remote"))
        return begun(world.lake, *places, Workspace(folder / "mine"), (FIRST.first, SECOND.end))

    return begin


def _same(found: Result) -> dict[str, bool]:
    """Way back -> whether it gave the first version's bytes."""
    content = found["content"]
    return {name: content[name] == content["first"] for name in ("checked_out", "pulled", "rebuilt")}


def test_at_the_start_only_the_maker_has_the_first_version_back(sit: Callable[[], Desk]) -> None:
    """Never sent and rebuilt from the newest tables: the cache gives the bytes back, a clone and a rebuild do not."""
    found = versioned(sit(), "never", "newest")
    assert _same(found) == {"checked_out": True, "pulled": False, "rebuilt": False}
    assert found["content"]["pulled"] is None
    assert NAME in found["said"]
    assert found["remote"]["files"] == found["remote"]["bytes"] == 0
    assert found["tied"]["tables"].keys() == set(training.tables(SERVICE)), "git brought the manifest all the same"


def test_sent_and_pinned_every_way_leads_to_the_same_bytes(sit: Callable[[], Desk]) -> None:
    """With both settings right, folder, clone and rebuild agree, and the remote holds both versions whole."""
    found = versioned(sit(), "always", "manifest")
    assert _same(found) == {"checked_out": True, "pulled": True, "rebuilt": True}
    assert found["said"] is None
    assert found["remote"]["bytes"] == found["remote"]["bytes_of_versions"] > 0
    assert found["diff"] == {"added": [], "deleted": [], "modified": [NAME]}
    assert found["content"]["first"] != found["content"]["second"]
    assert found["delta"]["rows_now"] - found["delta"]["rows_then"] == _LATE_FLIGHTS
    assert not found["delta"]["readable_after_vacuum"]


def test_each_setting_mends_one_way_alone(sit: Callable[[], Desk]) -> None:
    """Sent contents help a clone and no rebuild; and a run finds nothing that the run before it had sent."""
    assert _same(versioned(sit(), "always", "newest")) == {"checked_out": True, "pulled": True, "rebuilt": False}
    assert _same(versioned(sit(), "never", "manifest")) == {"checked_out": True, "pulled": False, "rebuilt": True}
