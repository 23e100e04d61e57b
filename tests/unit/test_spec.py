"""What is declared, read from real files: what holds, and how a mistake is told."""

import shutil
from pathlib import Path

import pytest
import yaml

from lab.errors import BadInput
from lab.images import Catalogue
from lab.settings import Settings
from lab.spec import Course

_ROOT = Settings.load({}).root
_STACK = {"components": {"kafka": {"namespace": "platform", "images": {"image": "kafka"}}}}
_DEFINITIONS = {"module": "example.org/ways", "version": "v1.0.0", "chart": "charts/kinds", "kinds": {"a/v1": ["Way"]}}
_BUDGET = {
    "memory_mib": 2048, "idle_cores": 0.5, "peak_mib": 2200, "cpu_seconds": 90, "disk_mib": 900, "images_mib": 500,
    "seconds": 60,
}  # fmt: skip
_LAB = {
    "number": 1,
    "name": "patterns",
    "title": {"en": "Patterns", "fr": "Patrons"},
    "namespace": "lab-01",
    "components": ["kafka"],
    "budget": _BUDGET,
    "exercises": [
        {
            "id": "first",
            "title": {"en": "First", "fr": "Premier"},
            "check": "first",
            "hints": [{"en": "Look", "fr": "Regardez"}],
        }
    ],
}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Return a course of one component and one lab."""
    (tmp_path / "platform").mkdir()
    (tmp_path / "labs" / "01-patterns").mkdir(parents=True)
    _write(tmp_path / "platform" / "stack.yaml", _STACK)
    _write(tmp_path / "labs" / "01-patterns" / "lab.yaml", _LAB)
    return Course(tmp_path)


def _write(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content))


def _refused(course: Course, code: str) -> tuple[str, str]:
    with pytest.raises(BadInput) as caught:
        course.lab(code)
    assert caught.value.exit_code == 2
    return caught.value.render("en"), caught.value.render("fr")


def test_a_draft_is_there_for_its_authors_alone(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a lab in lab.draft.yaml, then it does not exist yet, but with LAB_DRAFTS=1 it does."""
    folder = course.root / "labs" / "02-pipelines"
    folder.mkdir()
    _write(folder / "lab.draft.yaml", {**_LAB, "number": 2, "name": "pipelines", "namespace": "lab-02"})
    assert course.codes() == ["01"]
    assert "lab 02 does not exist yet" in _refused(course, "02")[0]
    monkeypatch.setenv("LAB_DRAFTS", "1")
    seen = Course(course.root)
    assert seen.codes() == ["01", "02"]
    assert seen.lab("02").name == "pipelines"


@pytest.mark.parametrize("code", ["1", "01"])
def test_a_lab_is_found_by_its_number(course: Course, code: str) -> None:
    """`1` and `01` are the same lab."""
    lab = course.lab(code)
    assert (lab.code, lab.title.fr, lab.exercises[0].hints[0].en) == ("01", "Patrons", "Look")


@pytest.mark.parametrize("code", ["0", "00", "10", "99", "abc", "1x", "", "01 ", "../01"])
def test_a_number_that_no_lab_can_have_is_refused(course: Course, code: str) -> None:
    """The error repeats what was asked and names the numbers that exist."""
    for words in _refused(course, code):
        assert repr(code) in words
        assert "01" in words
        assert "09" in words


def test_a_lab_that_does_not_exist_yet_is_told_with_those_that_do(course: Course) -> None:
    """A lab of the course that is not there yet is not a wrong number."""
    english, french = _refused(course, "7")
    assert "lab 07 does not exist yet" in english
    assert "le lab 07 n'existe pas encore" in french
    assert english.endswith("labs that exist: 01")
    assert french.endswith("labs qui existent : 01")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"number": 10}, "number"),
        ({"number": 2}, "number"),
        ({"namespace": "default"}, "namespace"),
        ({"title": {"en": "Only English"}}, "title.fr"),
        ({"components": ["kafka", "kafkaa"]}, "components"),
        ({"exercises": [{**_LAB["exercises"][0], "hints": []}]}, "exercises.0.hints"),  # type: ignore[index]
        ({"exercises": [{**_LAB["exercises"][0], "id": "No Good"}]}, "exercises.0.id"),  # type: ignore[index]
        ({"topics": [{"name": "a", "partitions": 0}]}, "topics.0.partitions"),
        ({"budget": {**_BUDGET, "seconds": 0}}, "budget.seconds"),
        ({"budget": {**_BUDGET, "peak_mib": "much"}}, "budget.peak_mib"),
        ({"budget": {**_BUDGET, "disk_gib": 1}}, "budget.disk_gib"),
        ({"budget": {name: most for name, most in _BUDGET.items() if name != "images_mib"}}, "budget.images_mib"),
    ],
)
def test_a_mistake_in_lab_yaml_is_told_by_file_and_field(course: Course, change: dict[str, object], field: str) -> None:
    """File, field, reason and remedy, in both languages; nothing wrong is ever taken over in silence."""
    _write(course.root / "labs" / "01-patterns" / "lab.yaml", {**_LAB, **change})
    for words in _refused(course, "01"):
        assert f"01-patterns/lab.yaml: {field}: " in words
        assert words.splitlines()[-1].endswith("01-patterns/lab.yaml")


@pytest.mark.parametrize(("content", "field"), [("a: [", "YAML"), ("", "content"), ("- 1\n", "content")])
def test_a_file_that_is_no_declaration_is_told(course: Course, content: str, field: str) -> None:
    """Broken YAML, an empty file, a list: told by file and what is wrong, never as a traceback."""
    (course.root / "labs" / "01-patterns" / "lab.yaml").write_text(content)
    assert all(f"lab.yaml: {field}" in words for words in _refused(course, "01"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"replicas": 3}, "components.kafka.replicas"),
        ({"needs": ["zookeeper"]}, "components.kafka.needs"),
        ({"images": None}, "components.kafka.images"),
        ({"topics": [{"name": "a", "retention": "1"}]}, "components.kafka.topics.0.retention"),
        ({"secrets": [{"name": "a", "keys": []}]}, "components.kafka.secrets.0.keys"),
        ({"secrets": [{"name": "a", "keys": ["b c"]}]}, "components.kafka.secrets.0.keys.0"),
        ({"secrets": [{"name": "A", "keys": ["b"]}]}, "components.kafka.secrets.0.name"),
        ({"secrets": [{"name": "a", "keys": ["b"], "value": "x"}]}, "components.kafka.secrets.0.value"),
        ({"secrets": [{"name": "a", "keys": ["b"]}, {"name": "a", "keys": ["c"]}]}, "components.kafka.secrets"),
        ({"definitions": {**_DEFINITIONS, "version": "latest"}}, "components.kafka.definitions.version"),
        ({"definitions": {**_DEFINITIONS, "chart": "../charts"}}, "components.kafka.definitions.chart"),
        ({"definitions": {**_DEFINITIONS, "kinds": {}}}, "components.kafka.definitions.kinds"),
        ({"makes": "proxies"}, "components.kafka.makes"),
    ],
)
def test_a_mistake_in_stack_yaml_is_told_by_file_and_field(
    course: Course, change: dict[str, object], field: str
) -> None:
    """The same holds for the platform's components."""
    kafka = {**_STACK["components"]["kafka"], **change}
    _write(course.root / "platform" / "stack.yaml", {"components": {"kafka": kafka}})
    assert all(f"platform/stack.yaml: {field}: " in words for words in _refused(course, "01"))


def test_a_stack_that_is_not_there_is_told(course: Course) -> None:
    """A checkout without its stack.yaml (a partial copy) is told by the file's name."""
    (course.root / "platform" / "stack.yaml").unlink()
    assert all("platform/stack.yaml: file: " in words for words in _refused(course, "01"))


@pytest.mark.parametrize(
    ("change", "field"),
    [({"dockerfile": "x"}, "images.kafka.dockerfile"), ({"from": "nothing"}, "images.kafka.from")],
)
def test_a_mistake_in_images_yaml_is_told_by_file_and_field(
    tmp_path: Path, change: dict[str, object], field: str
) -> None:
    """The same holds for images."""
    folder = tmp_path / "platform" / "images"
    folder.mkdir(parents=True)
    shutil.copy(_ROOT / "platform" / "images" / "images.yaml", folder)
    content = yaml.safe_load((folder / "images.yaml").read_text())
    content["images"]["kafka"] |= change
    _write(folder / "images.yaml", content)
    with pytest.raises(BadInput) as caught:
        Catalogue(tmp_path)
    for words in (caught.value.render("en"), caught.value.render("fr")):
        assert f"images.yaml: {field}" in words
        assert "platform/images/images.yaml" in words


def test_every_lab_of_this_checkout_holds() -> None:
    """All that the repository declares can be read, and each image that it names has a recipe."""
    course, catalogue = Course(_ROOT), Catalogue(_ROOT)
    assert course.codes()
    for code in course.codes():
        lab = course.lab(code)
        named = {image for name in lab.components for image in course.components[name].images.values()}
        assert all(catalogue.image(name) for name in named | set(lab.images))
        assert len({topic.name for topic in course.topics(lab)}) == len(course.topics(lab))
