"""A lab made by `lab new`: whole from its first minute, and refused where it would harm what is there."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from lab.authoring import Folder, create, judge, taken
from lab.errors import BadInput, LabError
from lab.images.catalogue import Catalogue
from lab.spec import Course

ROOT = Path(__file__).resolve().parents[3]
_CODE, _NAME = "07", "second-try"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a checkout with everything but labs."""
    for part in ("platform/stack.yaml", "platform/images/images.yaml", "docs/coverage.md"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / part, tmp_path / part)
    (tmp_path / "services/ingest").mkdir(parents=True)
    (tmp_path / "labs/02-pipelines/service/pipelines").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("name", ["second-try", "resilience", "a1"])
def test_a_new_lab_keeps_every_rule(course: Path, name: str) -> None:
    """Nothing is to be said about it, and it is a draft: trainees do not meet it."""
    create(course, _CODE, name)
    assert judge(Folder(course, _CODE)) == []
    assert Course(course, drafts=False).codes() == []


def test_a_new_lab_has_a_budget_and_a_place_for_its_figures(course: Path) -> None:
    """What is declared can be read; both guides have the marks between which it is told what was measured."""
    create(course, _CODE, _NAME)
    assert Course(course, drafts=True).lab(_CODE).budget.peak_mib > 0
    for name in taken.GUIDES.values():
        text = (course / "labs/07-second-try" / name).read_text("utf-8")
        assert text.index(taken.BEGIN) < text.index(taken.END)


def test_a_new_lab_leaves_no_word_of_the_template(course: Path) -> None:
    """Every file that it names is there, and no placeholder is left in a name or a text."""
    files = create(course, "7", _NAME)
    assert len(files) == len(set(files))
    assert {path for path in (course / "labs/07-second-try").rglob("*") if path.is_file()} < set(files)
    for file in files:
        assert re.findall("@[A-Z]+@", f"{file.relative_to(course)} {file.read_text('utf-8')}") == []


def test_a_new_labs_image_is_declared_beside_the_others(course: Path) -> None:
    """The catalogue knows it, its sources and its recipe are there, and the other images are what they were."""
    before = Catalogue(course).images
    create(course, _CODE, _NAME)
    after = Catalogue(course).images
    image = after[f"lab-{_CODE}"]
    assert {name: each for name, each in after.items() if name in before} == before
    assert [(course / source).is_dir() for source in image.sources] == [True]
    assert "second_try" in (course / f"platform/images/lab-{_CODE}/Dockerfile").read_text("utf-8")


def test_a_new_labs_manifests_set_what_its_service_reads(course: Path) -> None:
    """Start and solution differ in the one variable that the service knows, in the container that the base has."""
    create(course, _CODE, _NAME)
    manifests = course / "labs/07-second-try/manifests"
    (base, _) = yaml.safe_load_all((manifests / f"base/{_NAME}.yaml").read_text("utf-8"))
    (container,) = base["spec"]["template"]["spec"]["containers"]
    values = []
    for folder in ("start", "solved"):
        patch = yaml.safe_load((manifests / folder / "retry.yaml").read_text("utf-8"))
        (patched,) = patch["spec"]["template"]["spec"]["containers"]
        assert (patched["name"], patch["metadata"]["name"]) == (container["name"], base["metadata"]["name"])
        values += [(entry["name"], entry["value"]) for entry in patched["env"]]
    assert values == [("TARMAC_ATTEMPTS", "1"), ("TARMAC_ATTEMPTS", "3")]


def test_a_new_labs_service_measures_what_its_example_states_hold(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the solution's setting every call is answered, as its bundle says; with the start's, every second one."""
    create(course, _CODE, _NAME)
    lab = course / "labs/07-second-try"
    monkeypatch.syspath_prepend(lab / "service")
    main, retry = importlib.import_module("second_try.__main__"), importlib.import_module("second_try.retry").retry
    try:
        example = json.loads((lab / "bundles/solved.json").read_text("utf-8"))["answers"]["retry"]["body"]
        measured = retry(main.LabSettings(attempts=3).attempts)
        assert {key: measured[key] for key in ("settings", "calls", "answered")} == {
            key: example[key] for key in ("settings", "calls", "answered")
        }
        assert retry(main.LabSettings().attempts)["answered"] == measured["calls"] / 2
    finally:
        for name in [name for name in sys.modules if name.startswith("second_try")]:
            del sys.modules[name]


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        ("0", "fine", "number: '0'"),
        ("10", "fine", "number: '10'"),
        ("x", "fine", "number: 'x'"),
        ("02", "fine", "number: 02 is taken by labs/02-pipelines"),
        ("2", "fine", "number: 02 is taken by labs/02-pipelines"),
        ("07", "Fine", "name: 'Fine'"),
        ("07", "", "name: ''"),
        ("07", "two--hyphens", "name: 'two--hyphens'"),
        ("07", "../up", "name: '../up'"),
        ("07", "n" * 31, "name: 'nnn"),
        ("07", "json", "package json"),
        ("07", "import", "package import"),
        ("07", "ingest", "package ingest"),
        ("07", "pipelines", "package pipelines"),
        ("07", "lab", "package lab"),
    ],
)
def test_what_cannot_be_a_lab_is_refused_and_writes_nothing(course: Path, code: str, name: str, words: str) -> None:
    """The message names the field and what is wrong with it, in both languages, with a remedy."""
    before = sorted(course.rglob("*"))
    with pytest.raises(BadInput) as refused:
        create(course, code, name)
    assert words in refused.value.what.en
    assert refused.value.what.fr != refused.value.what.en
    assert refused.value.remedy.en
    assert refused.value.remedy.fr
    assert sorted(course.rglob("*")) == before


def test_a_second_lab_of_the_same_number_is_refused(course: Path) -> None:
    """What an author has begun is never written over."""
    create(course, _CODE, _NAME)
    with pytest.raises(BadInput, match="07 is taken by labs/07-second-try"):
        create(course, _CODE, "other")


def test_outside_a_checkout_it_says_what_cannot_be_written(tmp_path: Path) -> None:
    """A file that is to be added to has to be there; nothing is begun without it."""
    with pytest.raises(LabError, match=r"images\.yaml cannot be written"):
        create(tmp_path, _CODE, _NAME)
    assert list(tmp_path.rglob("*")) == []
