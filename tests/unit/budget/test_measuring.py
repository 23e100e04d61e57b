"""What is measured while a lab comes up, from an API server that passes on what kubelets say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from lab.budget import Entry, Ledger, Watch, node
from lab.budget.figures import BARE, KEPT, NOTHING, RESET, STOPPED
from lab.budget.sampler import Sampler
from lab.cluster import Status
from lab.cluster.kind import Kind
from lab.errors import LabError
from lab.settings import Settings
from lab.spec import Course
from lab.text import Text
from unit.budget.clusters import MIB, Nodes, api
from unit.cluster.listings import listing

COURSE = Course(Path(__file__).resolve().parents[3], drafts=False)
LAB = COURSE.lab("01")
IMAGES = {
    "tarmac.local/kafka:1": "300.0 MiB", "tarmac.local/lab-01:2": "100.0 MiB", "registry.k8s.io/pause:3.10": "1.0 MiB",
}  # fmt: skip


@pytest.fixture
def node_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that is the kind node's disk: what its shell is asked is run here, over that folder."""
    disk, docker = tmp_path / "disk", tmp_path / "bin/docker"
    disk.mkdir()
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\ncase "$1" in ps) echo ID ;; exec) shift 2; exec "$@" ;; esac\n')
    docker.chmod(0o755)
    images = docker.with_name("ctr")
    images.write_text(f"#!/bin/sh\ncat {tmp_path}/images\n")
    images.chmod(0o755)
    _hold(tmp_path, IMAGES)
    monkeypatch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
    monkeypatch.setitem(node._FOLDERS, "kind", (str(disk), str(disk / "volumes"), str(tmp_path / "nowhere")))
    monkeypatch.setattr(node, "_GROUPS", str(tmp_path / "nowhere"))
    return disk


def _hold(folder: Path, images: Mapping[str, str]) -> None:
    """Have the node list these images."""
    (folder / "images").write_text(listing(images))


def _watch(home: Path, before: Status, stood: str | None = None, *, anew: bool = False, kept: bool = False) -> Watch:
    """Return what measures lab 01 on a kind cluster."""
    watch = Watch(COURSE, LAB, Kind(Settings.load({"HOME": str(home)})))
    watch.comes(before, stood, anew=anew, kept=kept)
    return watch


def test_the_greatest_memory_and_the_cpu_time_between(tmp_path: Path) -> None:
    """Memory falls again, its peak stays; CPU time is that since the first look, or all where the node began then."""
    nodes = Nodes(("one", "two"))
    with api(tmp_path, nodes) as (asked, server):
        measuring = Sampler(lambda: node.use(asked, nodes.names), zero=False, every=60)
        made = Sampler(lambda: node.use(asked, nodes.names), zero=True, every=60)
        for memory, cpu in ((1000, 10), (1500, 20), (1200, 24)):
            nodes.memory, nodes.cpu = memory, cpu
            measuring._sample()
            made._sample()
        paths = nodes.summaries(server)
    assert measuring.figures() == pytest.approx({"peak_mib": 2 * 1500, "cpu_seconds": 2 * 14})
    assert made.figures() == pytest.approx({"peak_mib": 2 * 1500, "cpu_seconds": 2 * 24})
    assert set(paths) == {f"/api/v1/nodes/{name}/proxy/stats/summary?only_cpu_and_memory=true" for name in nodes.names}


_VERSIONS = {
    "1": {
        "memory/memory.usage_in_bytes": f"{900 * MIB}\n",
        "memory/memory.stat": f"cache 7\ntotal_cache 9\ntotal_inactive_file {200 * MIB}\n",
        "cpuacct/cpuacct.usage": "12500000000\n",
    },
    "2": {
        "memory.current": f"{900 * MIB}\n",
        "memory.stat": f"file 9\ninactive_file {200 * MIB}\n",
        "cpu.stat": "usage_usec 12500000\nuser_usec 1\n",
    },
}


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_node_of_kind_counts_itself(
    tmp_path: Path, node_disk: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """What its control group says at this moment goes before what its kubelet saw some seconds ago."""
    assert node_disk.is_dir()
    for name, content in _VERSIONS[version].items():
        file = tmp_path / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    monkeypatch.setattr(node, "_GROUPS", str(tmp_path / "groups"))
    entry = _measured(tmp_path / "home", Nodes())
    assert (entry.measured["peak_mib"], entry.measured["cpu_seconds"]) == (700, 12.5)


def test_it_looks_by_itself_until_the_end(tmp_path: Path) -> None:
    """A thread asks while the lab comes up, and none is left afterwards."""
    nodes = Nodes()
    with api(tmp_path, nodes) as (asked, server):
        with Sampler(lambda: node.use(asked, nodes.names), zero=False, every=0.01) as measuring:
            while len(nodes.summaries(server)) < 3:
                measuring._thread.join(0.01)
        assert not measuring._thread.is_alive()
        assert measuring.figures()["peak_mib"] == nodes.memory


@pytest.mark.parametrize("refused", [403, 503])
def test_what_nobody_may_see_is_not_measured(tmp_path: Path, node_disk: Path, refused: int) -> None:
    """Without `nodes/proxy`, or without a kubelet, a lab comes up all the same; memory and CPU are left out."""
    assert node_disk.is_dir()
    nodes = Nodes()
    nodes.refused = refused
    assert set(_measured(tmp_path, nodes).measured) == {"images_mib", "disk_mib", "seconds"}


def test_a_lab_from_nothing_is_measured_whole(tmp_path: Path, node_disk: Path) -> None:
    """Five figures; images are the lab's alone, disk is all that the node's folders hold, each file once."""
    (node_disk / "volumes").mkdir()
    (node_disk / "volumes/log").write_bytes(os.urandom(3 * MIB))
    (node_disk / "layer").write_bytes(os.urandom(2 * MIB))
    nodes = Nodes()
    entry = _measured(tmp_path, nodes)
    assert (entry.way, entry.built) == (NOTHING, False)
    assert entry.measured["images_mib"] == 400
    assert entry.measured["disk_mib"] == pytest.approx(5, abs=0.1)
    assert entry.measured["peak_mib"] == nodes.memory
    assert entry.measured["cpu_seconds"] == nodes.cpu
    assert 0 <= entry.measured["seconds"] < 30
    assert set(entry.predicted) == set(entry.measured)


def test_a_sum_of_which_a_part_is_missing_is_none(tmp_path: Path, node_disk: Path) -> None:
    """An image that the node does not list would make all of them look small."""
    assert node_disk.is_dir()
    _hold(tmp_path, {name: size for name, size in IMAGES.items() if "kafka" not in name})
    assert "images_mib" not in _measured(tmp_path, Nodes()).measured


def test_the_time_of_a_lab_whose_images_were_built_says_nothing(tmp_path: Path) -> None:
    """It is left out, and the entry says why."""
    entry = _measured(tmp_path, Nodes(), built=True)
    assert entry.built
    assert not {"seconds", "cpu_seconds"} & set(entry.measured)
    assert "peak_mib" in entry.measured


def test_a_lab_that_did_not_come_up_is_no_measurement(tmp_path: Path) -> None:
    """What failed half-way took less than the lab takes."""
    watch = _watch(tmp_path, Status.ABSENT)
    with api(tmp_path, Nodes()) as (asked, _), pytest.raises(LabError), watch.over(asked, IMAGES):
        raise LabError(Text.plain("kafka"), Text.plain("wait"))
    assert watch._measured == {}


def test_a_lab_that_stood_is_left_alone(tmp_path: Path) -> None:
    """A second run asks no kubelet anything and writes nothing."""
    nodes = Nodes()
    watch = _watch(tmp_path, Status.RUNNING, "01")
    with api(tmp_path, nodes) as (asked, server):
        with watch.over(asked, IMAGES):
            pass
        assert nodes.summaries(server) == []
    settings = Settings.load({"HOME": str(tmp_path)})
    watch.keep(settings)
    assert Ledger(settings).entries("01") == []


@pytest.mark.parametrize(
    ("before", "stood", "anew", "kept", "way"),
    [
        (Status.ABSENT, None, False, False, NOTHING),
        (Status.ABSENT, "01", True, False, NOTHING),
        (Status.STOPPED, "01", False, False, STOPPED),
        (Status.RUNNING, None, False, False, BARE),
        (Status.RUNNING, "02", False, False, "lab 02"),
        (Status.RUNNING, "01", True, False, RESET),
        (Status.RUNNING, "01", True, True, KEPT),
        (Status.RUNNING, "01", False, False, None),
    ],
)
def test_each_way_has_its_name(  # noqa: PLR0913  one for each thing that decides
    tmp_path: Path, before: Status, stood: str | None, way: str | None, *, anew: bool, kept: bool
) -> None:
    """How much of a lab is made differs with where it comes from."""
    assert _watch(tmp_path, before, stood, anew=anew, kept=kept).way == way


def test_a_damaged_file_counts_as_empty(tmp_path: Path) -> None:
    """Whatever it holds, the next measurement makes it whole again."""
    settings = Settings.load({"HOME": str(tmp_path)})
    settings.folder.mkdir(parents=True)
    for content in ("", "[]", '{"01": 3}', '{"01": {"nothing": {"old": 1}}}'):
        (settings.folder / "budgets.json").write_text(content)
        assert Ledger(settings).entries("01") == []
    assert _measured(tmp_path / "other", Nodes()).way == NOTHING


def _measured(home: Path, nodes: Nodes, *, built: bool = False) -> Entry:
    """Bring lab 01 up as far as it is measured, and return what was kept of it."""
    watch = _watch(home, Status.ABSENT)
    watch.built = built
    with api(home, nodes) as (asked, _), watch.over(asked, [name for name in IMAGES if "tarmac" in name]):
        pass
    settings = Settings.load({"HOME": str(home)})
    watch.keep(settings)
    (entry,) = Ledger(settings).entries("01")
    return entry
