"""images.yaml: what is wrong in it is told by its field, and names follow from content."""

import re
from pathlib import Path

import pytest

from lab.errors import BadInput
from lab.images import Catalogue

ROOT = Path(__file__).resolve().parents[3]
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def _write(checkout: Path, old: str, new: str) -> None:
    path = checkout / "platform" / "images" / "images.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("debian:", "debain:", "images.base.debain"),
        ("debian: [python3]", "debian: python3", "images.base.debian"),
        ("from: base", "from: bass", "images.child.from: bass"),
        ("images:", "images: [", "images.yaml"),
    ],
)
def test_a_slip_is_told_by_its_field(old: str, new: str, words: str, checkout: Path) -> None:
    """The error names file and field, and where the fields are explained."""
    _write(checkout, old, new)
    with pytest.raises(BadInput) as told:
        Catalogue(checkout)
    assert words in told.value.render("fr")
    assert "platform/images/images.yaml" in told.value.render("en")


def test_something_that_is_not_there_is_told(checkout: Path) -> None:
    """A source or lock file that is missing is named before anything is built."""
    _write(checkout, "services/child", "services/chidl")
    with pytest.raises(BadInput, match="services/chidl does not exist"):
        Catalogue(checkout).reference("child")


def test_an_unknown_image_is_told(checkout: Path) -> None:
    """A component that asks for an image that nobody declared learns its name."""
    with pytest.raises(BadInput, match="nosuch"):
        Catalogue(checkout).lineage(["nosuch"])


def test_parents_come_first(checkout: Path) -> None:
    """The order of building holds whatever the order of asking."""
    assert Catalogue(checkout).lineage(["child", "base", "jars"]) == ["base", "child", "jars"]


def test_a_name_changes_with_content_and_only_then(checkout: Path) -> None:
    """Recipe, packages and sources count; documentation and caches do not."""
    before = Catalogue(checkout).reference("base")
    (checkout / "services" / "runtime" / "__pycache__").mkdir()
    (checkout / "services" / "runtime" / "__pycache__" / "x.pyc").write_text("x")
    (checkout / "services" / "runtime" / "README.md").write_text("other words")
    assert Catalogue(checkout).reference("base") == before
    names = {before}
    (checkout / "platform" / "images" / "base" / "Dockerfile").write_text("# other\n")
    names.add(Catalogue(checkout).reference("base"))
    _write(checkout, "[python3]", "[python3, jq]")
    names.add(Catalogue(checkout).reference("base"))
    (checkout / "services" / "runtime" / "__init__.py").rename(checkout / "services" / "runtime" / "other.py")
    names.add(Catalogue(checkout).reference("base"))
    assert len(names) == 4


def test_a_program_of_the_checkout_counts_where_it_is_compiled(checkout: Path) -> None:
    """Its source renames the images that hold it, and no others; one that is not there is told."""
    before = {name: Catalogue(checkout).reference(name) for name in ("base", "own")}
    (checkout / "services" / "tool" / "main.go").write_text("package main\n")
    after = {name: Catalogue(checkout).reference(name) for name in ("base", "own")}
    assert before["base"] == after["base"]
    assert before["own"] != after["own"]
    _write(checkout, "services/tool", "services/tolo")
    with pytest.raises(BadInput, match="services/tolo does not exist"):
        Catalogue(checkout).reference("own")


def test_the_edge_runs_on_the_servers_runtime() -> None:
    """Both locks name one version of onnxruntime: another could give other numbers."""
    pinned = [dict(_PINNED.findall((ROOT / f"requirements/{name}.txt").read_text())) for name in ("edge", "serving")]
    assert pinned[0] == {"onnxruntime": pinned[1]["onnxruntime"]}


def test_the_real_catalogue_is_pinned_and_whole() -> None:
    """Each image of the checkout has a name, and what is pulled is one certain version."""
    catalogue = Catalogue(ROOT)
    for name, image in catalogue.images.items():
        assert catalogue.reference(name).startswith(f"tarmac.local/{name}:")
        for reference in filter(None, (image.upstream, image.base)):
            assert not reference.endswith(":latest")
            assert reference.rsplit(":", 1)[1][:1] in "v0123456789"


_APART = {"feast"}
"""Images whose packages lie in a folder of their own, before those that they stand on."""


def test_what_is_unpacked_into_one_folder_is_of_one_version() -> None:
    """An image and those that it stands on agree on each package: of two, a mixture of files would be left."""
    catalogue = Catalogue(ROOT)
    for name in catalogue.images.keys() - _APART:
        pinned: dict[str, set[str]] = {}
        for each in catalogue.lineage([name]):
            for lock in catalogue.image(each).wheels:
                for package, version in _PINNED.findall((ROOT / lock).read_text()):
                    pinned.setdefault(package, set()).add(version)
        assert {package: versions for package, versions in pinned.items() if len(versions) > 1} == {}, name
