"""Whether the next lab fits: judgements with any figure, and a look at the real machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.diagnose import Finding, Level, fit
from lab.errors import BadInput
from lab.settings import Settings
from lab.spec import Course
from lab.state.record import Record

ROOT = Path(__file__).resolve().parents[3]
LAB = Course(ROOT, drafts=False).lab("02")
MIB = 1 << 20


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings of a user without a cluster, on a machine whose engine knows nothing yet."""
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\ncase "$1" in ps) echo ID ;; info) echo {tmp_path}/docker ;; image) exit 1 ;; esac\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(docker.parent))
    return Settings.load({"HOME": str(tmp_path)})


def _told(finding: Finding, *words: str) -> None:
    """See that both languages hold these words, remedy included."""
    assert finding.remedy is not None
    assert finding.what.en != finding.what.fr
    assert finding.remedy.en != finding.remedy.fr
    for language in ("en", "fr"):
        told = f"{finding.what.in_(language)} {finding.remedy.in_(language)}"
        assert all(word in told for word in words), told


@pytest.mark.parametrize(
    ("free", "used", "level"),
    [(4000, 0, Level.GOOD), (2000, 2000, Level.GOOD), (3200, 0, Level.WARNING), (1000, 1500, Level.BAD)],
)
def test_memory(free: int, used: int, level: Level) -> None:
    """What stands already is part of what is needed; less than the peak cannot do, little more is tight."""
    finding = fit.memory("02", 3000, free, used)
    assert (finding.name, finding.level) == ("lab 02 memory", level)
    if level is Level.GOOD:
        assert finding.remedy is None
    else:
        _told(finding, "3000", str(free), str(used), str(round(3000 * 1.15) - free - used))


@pytest.mark.parametrize(("mib", "level"), [(9000, Level.GOOD), (5000, Level.WARNING), (4999, Level.BAD)])
def test_disk_of_engine_and_cache_at_one_place(tmp_path: Path, mib: int, level: Level) -> None:
    """What both write to one disk has to fit there together."""
    needs = {tmp_path / "cache": 2000, tmp_path / "engine": 3000}
    finding = fit.disk("02", needs, lambda _: mib * MIB)
    assert (finding.name, finding.level) == ("lab 02 disk", level)
    assert "5000" in finding.what.en
    if level is not Level.GOOD:
        _told(finding, "LAB_CACHE", str(tmp_path / "cache"), str(tmp_path / "engine"), str(5750 - mib))


def test_the_worse_of_two_disks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache has room, the engine's disk has not."""
    monkeypatch.setattr(fit, "_device", lambda folder: len(folder.name))
    needs = {tmp_path / "cache": 2000, tmp_path / "engine": 3000}
    finding = fit.disk("02", needs, lambda folder: (2500 if folder.name == "engine" else 90000) * MIB)
    assert finding.level is Level.BAD
    _told(finding, "engine", "3000", "2500")
    assert "cache" not in finding.what.en


def test_the_time_is_told_with_what_it_leaves_out() -> None:
    """Seconds on so many cores; images that have to be built come on top, without a figure."""
    finding = fit.duration(LAB, 150, 2, ["lake", "feast"])
    assert finding.level is Level.GOOD
    assert "150 s on 2 cores, after 2 images" in finding.what.en
    assert "150 s environ sur 2 cœurs, après 2 images" in finding.what.fr
    assert "image" not in fit.duration(LAB, 150, 2, None).what.en


@pytest.mark.parametrize(("seconds", "cores"), [(3 * LAB.budget.seconds, 2), (LAB.budget.seconds, 1)])
def test_a_slow_machine_is_told(seconds: float, cores: int) -> None:
    """One core, or more than twice the declared time: a warning that forbids nothing."""
    finding = fit.duration(LAB, seconds, cores, [])
    assert finding.level is Level.WARNING
    _told(finding, f"{seconds:.0f}", str(cores))


def test_the_next_lab_is_meant(settings: Settings) -> None:
    """Lab 01 first, then the one after that which stands, then none; another one where it is named."""
    assert {each.name.split()[1] for each in fit.examine(settings, None)} == {"01"}
    Record(settings).converged("01", {})
    assert {each.name.split()[1] for each in fit.examine(settings, None)} == {"02"}
    assert {each.name.split()[1] for each in fit.examine(settings, "4")} == {"04"}
    Record(settings).converged(Course(ROOT).codes()[-1], {})
    assert fit.examine(settings, None) == []
    with pytest.raises(BadInput, match="lab 09 does not exist yet"):
        fit.examine(settings, "09")


def test_a_machine_without_images_needs_them_in_engine_and_cache(settings: Settings) -> None:
    """All of the lab's images are missing: twice their size, and the lab in the node."""
    memory, disk, time = fit.examine(settings, "02")
    budget = LAB.budget
    assert f"{2 * budget.images_mib + budget.disk_mib} MiB" in disk.what.en
    assert f"{budget.peak_mib} MiB" in memory.what.en
    assert f"{len(Course(ROOT).images(LAB))} images" in time.what.en


def test_an_engine_that_refuses_us_says_nothing_here(settings: Settings, tmp_path: Path) -> None:
    """That is a finding of its own; nothing is guessed beside it."""
    (tmp_path / "bin/docker").write_text('#!/bin/sh\necho "permission denied" >&2; exit 1\n')
    assert fit.examine(settings, "01") == []
