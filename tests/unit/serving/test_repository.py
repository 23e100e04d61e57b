"""Which version answers: through swaps, refusals, evictions and sources that go away."""

import asyncio
import threading
from pathlib import Path

import pytest

from contracts.models import CHALLENGER
from serving.errors import Loading, ModelUnknown, NotOnnx, SourceUnavailable, VersionUnknown
from serving.model.opening import Opener
from serving.repository.repository import Made
from serving.source.folder import FolderSource, Listing
from unit.serving.graphs import linear, point, put, repository
from unit.serving.scenes import play, soon, version


def test_champion_answers_by_default(tmp_path: Path) -> None:
    """Aliases are loaded; other versions are when somebody asks for them."""

    async def scene() -> None:
        for number in ("1", "2", "3"):
            put(tmp_path, "m", number, linear())
        point(tmp_path, "m", champion="1", challenger="2")
        models = repository(tmp_path)
        await models.refresh()
        assert [version(models, "m", each) for each in ("", "champion", "challenger", "1", "2", "3")] == [
            "1", "1", "2", "1", "2", None,
        ]  # fmt: skip
        assert (await models.want(("m", "3"), soon())).version == "3"
        assert version(models, "m", "3") == "3"
        assert version(models) == "1"

    play(scene())


def test_the_newest_answers_where_there_are_no_aliases(tmp_path: Path) -> None:
    """By number: 10 is newer than 9."""

    async def scene() -> None:
        for number in ("9", "10"):
            put(tmp_path, "m", number, linear())
        models = repository(tmp_path)
        await models.refresh()
        assert version(models) == "10"

    play(scene())


class Gate:
    """An opener that waits until it is let."""

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self.way = threading.Event()
        self.begun = threading.Event()

    def open(self, name: str, version: str) -> Made:
        """Open, once it may."""
        self.begun.set()
        assert self.way.wait(10)
        return self.opener.open(name, version)


def test_the_old_version_answers_until_the_new_one_is_ready(tmp_path: Path) -> None:
    """At no moment does nobody answer; who holds the old one can go on asking it."""

    async def scene() -> None:
        put(tmp_path, "m", "1", linear())
        put(tmp_path, "m", "2", linear(factor=2))
        point(tmp_path, "m", champion="1")
        models = repository(tmp_path)
        await models.refresh()
        held = models.find(("m", ""))
        gate = Gate(models._opener)  # type: ignore[arg-type]
        models._opener = gate
        point(tmp_path, "m", champion="2")
        swap = asyncio.ensure_future(models.refresh())
        await asyncio.to_thread(gate.begun.wait)
        assert version(models) == version(models, "m", "champion") == "1"
        assert [each.state for each in models.index()] == ["READY", "LOADING"]
        gate.way.set()
        await swap
        assert version(models) == version(models, "m", "champion") == "2"
        assert held
        assert held.version == "1"
        assert version(models, "m", "1") == "1"  # the way back is short

    play(scene())


class Marked(FolderSource):
    """A folder whose versions have an origin."""

    origin = "first"

    def listing(self, name: str) -> Listing:
        """What the folder has, with the origin of the day."""
        found = super().listing(name)
        return Listing(found.versions, found.aliases, dict.fromkeys(found.versions, self.origin))


def test_a_model_that_was_registered_anew_answers_anew(tmp_path: Path) -> None:
    """Its versions have the old numbers: what an alias names answers until the new one is there."""

    async def scene() -> None:
        for number in ("1", "2", "3"):
            put(tmp_path, "m", number, linear())
        (tmp_path / "m/3/model.onnx").write_bytes(b"no model")
        point(tmp_path, "m", champion="1")
        models = repository(tmp_path)
        models._source = source = Marked(tmp_path)
        await models.refresh()
        await models.want(("m", "2"), soon())
        with pytest.raises(NotOnnx):
            await models.want(("m", "3"), soon())
        old, before = models.find(("m", "2")), models.find(("m", ""))
        await models.refresh()
        assert (models.find(("m", "2")), models.find(("m", ""))) == (old, before)
        source.origin = "second"
        (tmp_path / "m/3/model.onnx").write_bytes(linear().SerializeToString())
        (tmp_path / "m/1/model.onnx").write_bytes(b"no model")
        await models.refresh()
        assert models.find(("m", "")) is before  # its successor is refused, as any other would be
        assert models.find(("m", "2")) is None
        assert (await models.want(("m", "2"), soon())) is not old
        assert (await models.want(("m", "3"), soon())).version == "3"
        source.origin = "third"
        (tmp_path / "m/1/model.onnx").write_bytes(linear(factor=2).SerializeToString())
        await models.refresh()
        assert models.find(("m", "")) is not before
        assert version(models) == "1"

    play(scene())


@pytest.mark.parametrize("content", [b"no model", b"\x80\x04."])
def test_a_corrupt_new_version_leaves_the_old_one_serving(tmp_path: Path, content: bytes) -> None:
    """Who asks for the new one by its number is told why; the alias goes on with what it had."""

    async def scene() -> None:
        put(tmp_path, "m", "1", linear())
        point(tmp_path, "m", champion="1")
        models = repository(tmp_path)
        await models.refresh()
        put(tmp_path, "m", "2", content)
        point(tmp_path, "m", champion="2")
        await models.refresh()
        assert version(models) == version(models, "m", "champion") == "1"
        assert (models._figures.loads["m", "refused"], models._figures.refused) == (1, [("m", "2")])
        for _ in range(2):
            with pytest.raises(NotOnnx):
                await models.want(("m", "2"), soon())
        assert models.index()[1].reason.startswith("model m version 2")
        with pytest.raises(NotOnnx):
            await models.load("m")
        assert version(models) == "1"
        (tmp_path / "m/2/model.onnx").write_bytes(linear().SerializeToString())
        await models.load("m")
        assert version(models) == "2"
        assert not models._figures.refused

    play(scene())


class Absent:
    """An opener whose source does not hand a version out, the first time."""

    def __init__(self, opener: Opener) -> None:
        self.opener = opener
        self.asked = 0

    def open(self, name: str, version: str) -> Made:
        """Open, the second time."""
        self.asked += 1
        if self.asked == 1:
            raise SourceUnavailable("MLflow does not answer", "see to it")
        return self.opener.open(name, version)


def test_a_version_that_could_not_be_had_is_not_called_unfit(tmp_path: Path) -> None:
    """It is looked for again at once, and no figure says that something is wrong with the model."""

    async def scene() -> None:
        put(tmp_path, "m", "1", linear())
        models = repository(tmp_path)
        models._opener = Absent(models._opener)  # type: ignore[arg-type]
        figures = models._figures
        await models.refresh()
        assert (version(models), figures.refused) == (None, [])
        await models.refresh()
        assert version(models) == "1"
        assert (figures.loads["m", "unavailable"], figures.loads["m", "refused"]) == (1, 0)

    play(scene())


def test_an_alias_that_points_nowhere_leaves_the_old_version_serving(tmp_path: Path) -> None:
    """Where nothing served before, the error names alias, version and what there is."""

    async def scene() -> None:
        put(tmp_path, "m", "1", linear())
        put(tmp_path, "n", "1", linear())
        point(tmp_path, "m", champion="1")
        point(tmp_path, "n", champion="7")
        models = repository(tmp_path)
        await models.refresh()
        point(tmp_path, "m", champion="7")
        await models.refresh()
        assert version(models) == "1"
        with pytest.raises(VersionUnknown, match="alias champion of model n points to version 7"):
            await models.want(("n", ""), soon())
        with pytest.raises(VersionUnknown, match="no version or alias nobody"):
            await models.want(("n", "nobody"), soon())

    play(scene())


def test_a_server_of_challengers_answers_for_every_model(tmp_path: Path) -> None:
    """With the champion where there is no challenger, before a release and after it; asked for by name it is not there.

    What is half released stays what it is: a challenger that cannot be loaded is not passed off as the champion.
    """

    async def scene() -> None:
        for name in ("m", "n"):
            put(tmp_path, name, "1", linear())
            put(tmp_path, name, "2", linear(factor=2))
            point(tmp_path, name, champion="1")
        point(tmp_path, "m", champion="1", challenger="2")
        models = repository(tmp_path, alias=CHALLENGER)
        await models.refresh()
        assert [version(models, name) for name in ("m", "n")] == ["2", "1"]
        with pytest.raises(VersionUnknown, match="no version or alias challenger"):
            await models.want(("n", CHALLENGER), soon())
        point(tmp_path, "m", champion="2")
        point(tmp_path, "n", champion="1", challenger="2")
        await models.refresh()
        assert [version(models, name) for name in ("m", "n")] == ["2", "2"]
        put(tmp_path, "o", "1", linear())
        put(tmp_path, "o", "2", b"no model")
        point(tmp_path, "o", champion="1", challenger="2")
        await models.refresh()
        with pytest.raises(NotOnnx):
            await models.want(("o", ""), soon())

    play(scene())


def test_a_champion_that_was_taken_away_is_not_replaced_by_the_newest(tmp_path: Path) -> None:
    """The newest was perhaps never tested."""

    async def scene() -> None:
        put(tmp_path, "m", "1", linear())
        put(tmp_path, "m", "2", linear())
        point(tmp_path, "m", champion="1")
        models = repository(tmp_path)
        await models.refresh()
        point(tmp_path, "m", challenger="2")
        await models.refresh()
        assert version(models) == "1"

    play(scene())


def test_a_source_that_is_away_changes_nothing(tmp_path: Path) -> None:
    """Neither for all models nor for one whose aliases cannot be read."""

    async def scene() -> None:
        root = tmp_path / "models"
        put(root, "m", "1", linear())
        models = repository(root)
        await models.refresh()
        (root / "m/aliases.json").write_text("{", "utf-8")
        await models.refresh()
        assert version(models) == "1"
        root.rename(tmp_path / "away")
        with pytest.raises(SourceUnavailable):
            await models.refresh()
        assert version(models) == "1"

    play(scene())


def test_a_load_is_done_once_for_all_who_wait(tmp_path: Path) -> None:
    """Ten requests for a version that is not there are one load; who cannot wait is told to come again."""

    async def scene() -> None:
        put(tmp_path, "m", "1", linear())
        put(tmp_path, "m", "2", linear())
        point(tmp_path, "m", champion="1")
        models = repository(tmp_path)
        await models.refresh()
        gate = Gate(models._opener)  # type: ignore[arg-type]
        models._opener = gate
        asks = [asyncio.ensure_future(models.want(("m", "2"), soon())) for _ in range(10)]
        with pytest.raises(Loading):
            await models.want(("m", "2"), asyncio.get_running_loop().time() + 0.01)
        gate.way.set()
        assert len({id(each) for each in await asyncio.gather(*asks)}) == 1
        assert models._figures.loads["m", "loaded"] == 2

    play(scene())


def test_an_unloaded_model_stays_away_until_it_is_loaded(tmp_path: Path) -> None:
    """By order, through looks at the source."""

    async def scene() -> None:
        put(tmp_path, "m", "1", linear())
        models = repository(tmp_path)
        await models.refresh()
        models.unload("m")
        await models.refresh()
        with pytest.raises(ModelUnknown, match="was unloaded"):
            await models.want(("m", ""), soon())
        await models.load("m")
        assert version(models) == "1"

    play(scene())


@pytest.mark.parametrize("name", ["nobody", "..", "../m", "", "m/1", "\0"])
def test_an_unknown_model_is_told_so(tmp_path: Path, name: str) -> None:
    """No name reaches the file system that the source did not give."""

    async def scene() -> None:
        put(tmp_path / "models", "m", "1", linear())
        put(tmp_path, "m", "1", linear())
        models = repository(tmp_path / "models")
        await models.refresh()
        with pytest.raises(ModelUnknown):
            await models.want((name, ""), soon())
        with pytest.raises(ModelUnknown):
            await models.load(name)

    play(scene())


def test_versions_that_went_from_the_source_are_forgotten(tmp_path: Path) -> None:
    """And so is a model of which nothing is left."""

    async def scene() -> None:
        for number in ("1", "2"):
            put(tmp_path, "m", number, linear())
        models = repository(tmp_path)
        await models.refresh()
        await models.want(("m", "1"), soon())
        (tmp_path / "m/1").rename(tmp_path / "m/gone")
        await models.refresh()
        assert version(models, "m", "1") is None
        (tmp_path / "m").rename(tmp_path / ".gone")
        await models.refresh()
        assert version(models) is None

    play(scene())


def test_a_folder_lists_what_is_a_version(tmp_path: Path) -> None:
    """Whole numbers, in their order; everything else in the folder is left alone."""
    for name in ("10", "9", "01", "x", "1.5", "\N{ARABIC-INDIC DIGIT ONE}", "-1"):
        (tmp_path / "m" / name).mkdir(parents=True)
    (tmp_path / "m/8").write_text("", "utf-8")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "m/aliases.json").write_text('{"champion": 9}', "utf-8")
    source = FolderSource(tmp_path)
    assert source.names() == ["m"]
    assert source.listing("m") == Listing(("9", "10"), {"champion": "9"})
    assert source.listing("nobody") == Listing()
