"""Who goes when models need room, and who comes back."""

from pathlib import Path

import pytest

from serving.errors import TooBig
from serving.repository.room import Room
from unit.serving.graphs import linear, point, put, repository
from unit.serving.scenes import play, soon, version


def test_room_is_made_by_whoever_was_asked_least_recently(tmp_path: Path) -> None:
    """What an alias names goes last; what went comes back when it is asked for, and is not loaded by itself."""

    async def scene() -> None:
        for name in ("a", "b"):
            put(tmp_path, name, "1", linear())
        put(tmp_path, "a", "2", linear())
        point(tmp_path, "a", champion="1")
        models = repository(tmp_path, Room(versions=2))
        await models.refresh()
        await models.want(("a", "2"), soon())
        there = {(each.name, each.version) for each in models.index() if each.state == "READY"}
        assert ("a", "2") in there
        assert len(there) == 2
        gone = next(name for name in ("a", "b") if version(models, name) is None)
        await models.refresh()
        assert version(models, gone) is None
        assert (await models.want((gone, ""), soon())).version == "1"
        assert version(models, "a", "2") is None

    play(scene())


def test_room_is_counted_in_bytes_as_well(tmp_path: Path) -> None:
    """A model that is larger than all the room is refused, and nothing goes for it."""

    async def scene() -> None:
        size = len(linear().SerializeToString())
        put(tmp_path, "a", "1", linear())
        models = repository(tmp_path, Room(size=2 * size))
        await models.refresh()
        put(tmp_path, "b", "1", linear(1000))
        await models.refresh()
        with pytest.raises(TooBig):
            await models.want(("b", ""), soon())
        assert version(models, "a") == "1"

    play(scene())
