"""Images made present: pulled where upstream answers, else built; once for each content; whole or not at all."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.cluster.engine import Engine
from lab.errors import NotConverged
from lab.images import Catalogue, absent, ensure, load
from lab.progress import Say
from lab.settings import Settings
from lab.text import Text
from unit.images.conftest import Registry
from unit.wire import Wire

ALL = ["child", "jars", "program", "pulled"]


def _quiet(_: Text) -> None:
    """Tell nobody."""


def _ensure(names: list[str], engine: Engine, settings: Settings, say: Say = _quiet) -> dict[str, str]:
    return ensure(Catalogue(settings.root), names, engine, settings, say)


def _built(wire: Wire) -> list[str]:
    """Return the names of the images built so far."""
    references = [call["args"][call["args"].index("-t") + 1] for call in wire.calls("docker", "build")]
    return sorted(each.split("/")[1].split(":")[0] for each in references)


def _left(settings: Settings) -> list[str]:
    """Return what the cache of images holds besides locks."""
    return sorted(path.name for path in (settings.cache / "images").iterdir() if path.suffix != ".lock")


def test_what_has_to_be_made_is_known_beforehand(wire: Wire, settings: Settings, engine: Engine) -> None:
    """An image and what it stands on, until engine or cache have them; an engine that says nothing has none."""
    catalogue = Catalogue(settings.root)
    assert sorted(absent(catalogue, ["child"], engine, settings)) == ["base", "child"]
    _ensure(["child"], engine, settings)
    assert absent(catalogue, ["child", "jars"], engine, settings) == ["jars"]
    wire.tell("images-fail", "away")
    assert absent(catalogue, ["child"], engine, settings) == []
    for archive in (settings.cache / "images").glob("child-*.tar"):
        archive.unlink()
    assert absent(catalogue, ["child"], engine, settings) == ["child"]
    wire.tell("images-fail", "")
    assert absent(catalogue, ["child"], engine, settings) == []


@pytest.mark.parametrize("program", ["docker", "podman"])
def test_what_upstream_gives_is_tagged_not_built(program: str, wire: Wire, settings: Settings) -> None:
    """A registry that answers: the image is pulled, takes our name, and its archive is kept."""
    wire.tell("pull-works", "yes")
    reference = _ensure(["pulled"], Engine((program,), lacks_resource=False), settings)["pulled"]
    (tag,) = wire.calls(program, "tag")
    assert tag["args"][1].endswith("/apache/kafka:4.1.2")
    assert tag["args"][2] == reference
    assert wire.calls(program, "build") == []
    assert _left(settings) == [f"{reference.split('/')[1].replace(':', '-')}.tar"]


def test_a_slow_pull_from_a_registry_that_answers_is_awaited(wire: Wire, settings: Settings, engine: Engine) -> None:
    """A trainee's line takes its time: the pull outlasts what a silent registry is given."""
    wire.tell("pull-works", "yes")
    wire.tell("pull-seconds", "1.5")
    _ensure(["pulled"], engine, settings)
    assert _built(wire) == []


def test_a_silent_registry_costs_seconds(wire: Wire, settings: Settings, engine: Engine, registry: Registry) -> None:
    """A closed network that swallows packets: the pull is given up and the image built."""
    registry.status = 403
    wire.tell("pull-seconds", "60")
    begun = time.monotonic()
    _ensure(["pulled"], engine, settings)
    assert time.monotonic() - begun < 10
    assert _built(wire) == ["pulled"]


def test_nothing_is_made_twice(wire: Wire, settings: Settings, engine: Engine) -> None:
    """A second run asks the engine and does nothing; an engine that was emptied gets its images from the cache."""
    first = _ensure(ALL, engine, settings)
    built, fetched = _built(wire), len(wire.calls("mvn")) + len(wire.calls("go", "build"))
    assert built == ["base", "child", "jars", "program", "pulled"]
    assert _ensure(ALL, engine, settings) == first
    for path in (wire.state / "images").iterdir():
        path.unlink()
    assert _ensure(ALL, engine, settings) == first
    assert _built(wire) == built
    assert len(wire.calls("mvn")) + len(wire.calls("go", "build")) == fetched
    assert len(wire.calls("docker", "load")) == len(built)


def test_a_change_rebuilds_what_depends_on_it_and_nothing_else(wire: Wire, settings: Settings, engine: Engine) -> None:
    """A child's source touches the child (and who shares it); a parent's reaches its children; words touch nothing."""
    _ensure(ALL, engine, settings)
    before = _built(wire)
    (settings.root / "services" / "child" / "__init__.py").write_text("# new\n")
    _ensure(ALL, engine, settings)
    assert _built(wire) == sorted([*before, "child", "pulled"])
    (settings.root / "services" / "runtime" / "__init__.py").write_text("# new\n")
    _ensure(ALL, engine, settings)
    assert _built(wire) == sorted([*before, "child", "pulled", "base", "child"])
    (settings.root / "services" / "runtime" / "README.md").write_text("new words\n")
    _ensure(ALL, engine, settings)
    assert len(_built(wire)) == len(before) + 4


def test_a_child_is_built_on_its_parent_as_it_is(wire: Wire, settings: Settings, engine: Engine) -> None:
    """The parent is made first, and the child's build is told its very name."""
    _ensure(["child"], engine, settings)
    parent, child = wire.calls("docker", "build")
    assert f"parent={Catalogue(settings.root).reference('base')}" in child["args"]
    assert Catalogue(settings.root).reference("base") in parent["args"]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("write /root.tar: no space left on device", "disk is full"),
        ("Temporary failure in name resolution", "network"),
        ("dial tcp: connection refused", "network"),
        ("Temporary failure resolving 'mirror.example'", "network"),
        ("dial tcp: lookup mirror.example: no such host", "network"),
        ("Could not transfer artifact: mirror.example: Unknown host", "network"),
        ("SSLError: certificate verify failed: self-signed certificate", "authority"),
        ("x509: certificate signed by unknown authority", "authority"),
        ("PKIX path building failed", "authority"),
        ("RUN: exit status 2", "platform/images/jars"),
    ],
)
def test_an_image_that_cannot_be_built_is_told(
    words: str, remedy: str, wire: Wire, settings: Settings, engine: Engine
) -> None:
    """The error names the image, the step and what to do, in both languages; nothing half done stays."""
    wire.tell("build-fails", words)
    with pytest.raises(NotConverged) as told:
        _ensure(["jars"], engine, settings)
    message = told.value.render("en")
    assert "image jars" in message
    assert "building image tarmac.local/jars" in message
    assert words in message
    assert remedy in message
    assert told.value.what.fr != told.value.what.en
    assert told.value.remedy.fr != told.value.remedy.en
    assert _left(settings) == []


def test_an_archive_appears_whole_or_not_at_all(wire: Wire, settings: Settings, engine: Engine) -> None:
    """A disk that fills up while an image is saved leaves no half archive, and the next run goes on."""
    wire.tell("save-fails", "no space left on device")
    with pytest.raises(NotConverged, match="disk is full"):
        _ensure(["jars"], engine, settings)
    assert _left(settings) == []
    wire.tell("save-fails", "")
    _ensure(["jars"], engine, settings)
    assert _built(wire) == ["jars"]


def test_an_archive_that_does_not_load_is_made_anew(wire: Wire, settings: Settings, engine: Engine) -> None:
    """Damage in the cache costs a build, not a lesson."""
    reference = _ensure(["jars"], engine, settings)["jars"]
    (archive,) = (settings.cache / "images").glob("*.tar")
    archive.write_text("damaged")
    for path in (wire.state / "images").iterdir():
        path.unlink()
    _ensure(["jars"], engine, settings)
    assert _built(wire) == ["jars", "jars"]
    assert archive.read_text() == reference


def test_older_contents_of_an_image_leave_the_cache(wire: Wire, settings: Settings, engine: Engine) -> None:
    """Of each image two archives stay: the newest, and the one of use before it; others' are left alone."""
    (settings.cache / "images").mkdir(parents=True)
    other = settings.cache / "images" / "child-of-mine-0123456789ab.tar"
    other.write_text("another image's, whose name begins alike")
    made = []
    for content in ("1", "2", "3"):
        (settings.root / "services" / "child" / "__init__.py").write_text(f"# {content}\n")
        made.append(_ensure(["child"], engine, settings)["child"].split("/")[1].replace(":", "-") + ".tar")
        time.sleep(0.02)  # a file's time is that coarse
    left = _left(settings)
    assert [name for name in left if name.startswith("child-")] == sorted([*made[1:], other.name])
    for path in (wire.state / "images").iterdir():
        path.unlink()
    (settings.root / "services" / "child" / "__init__.py").write_text("# 2\n")
    _ensure(["child"], engine, settings)  # from the archive, which is of use again
    (settings.root / "services" / "child" / "__init__.py").write_text("# 4\n")
    _ensure(["child"], engine, settings)
    assert made[1] in _left(settings)
    assert made[2] not in _left(settings)


def test_a_failure_is_told_before_what_has_not_begun(wire: Wire, settings: Settings, engine: Engine) -> None:
    """Images that wait their turn are not built once one has failed for good."""
    wire.tell("build-fails", "exit status 2")
    with pytest.raises(NotConverged):
        _ensure(["base", "jars", "program", "pulled"], engine, settings)
    assert len(_built(wire)) < 4


def test_two_commands_at_once_build_once(wire: Wire, settings: Settings, engine: Engine) -> None:
    """Two clusters brought up side by side share the work."""
    wire.tell("build-seconds", "1")
    both = [threading.Thread(target=_ensure, args=(["jars"], engine, settings)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert _built(wire) == ["jars"]


class _Node:
    """A cluster's node, as the engine shows it."""

    def __init__(self, *held: str) -> None:
        self.held = set(held)

    def images(self) -> dict[str, int]:
        """Return what it holds."""
        return dict.fromkeys(self.held, 1)

    def load_images(self, references: Sequence[str]) -> None:
        """Take more."""
        self.held.update(references)


def test_a_node_is_given_only_what_it_lacks() -> None:
    """Loading is told and says whether there was anything to do."""
    node, news = _Node("tarmac.local/a:1"), list[str]()
    assert load(["tarmac.local/a:1", "tarmac.local/b:1"], node, lambda each: news.append(each.en))  # type: ignore[arg-type]
    assert news == ["loading tarmac.local/b:1 into the node"]
    assert not load(["tarmac.local/a:1", "tarmac.local/b:1"], node, lambda each: news.append(each.en))  # type: ignore[arg-type]
    assert len(news) == 1


def test_the_cache_lies_where_it_was_asked_for(settings: Settings, engine: Engine, tmp_path: Path) -> None:
    """Nothing is written beside LAB_CACHE."""
    before = {path.name for path in tmp_path.iterdir()}
    _ensure(["jars"], engine, settings)
    assert {path.name for path in tmp_path.iterdir()} - before == {"cache"}
