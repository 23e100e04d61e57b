"""Models of a registry, over a wire that is played: what is fetched, what is refused, what stays."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts import models
from serving.errors import CardWrong, NotOnnx, NotServable, SourceUnavailable, TooBig
from serving.source.fetched import FetchedSource
from serving.source.folder import Listing
from serving.source.registry import Registry
from unit.serving.graphs import linear, told

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
CONTENT = linear().SerializeToString()


class Mlflow:
    """MLflow's side of the wire: one model, whose versions all have the same files."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, str]] = {"m": {"champion": "1"}}
        self.versions = {"1": "READY", "2": "READY", "10": "READY", "11": "PENDING_REGISTRATION"}
        self.files = {"model.onnx": CONTENT, "card.json": models.encode(told("m", CONTENT)), "MLmodel": b"flavors:"}
        self.place = "mlflow-artifacts:/1/models/a%20b/artifacts"
        self.made = 1
        self.changed = 1
        self.away = False
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        if self.away:
            raise httpx.ConnectError("refused")
        path, asked = request.url.path, dict(request.url.params)
        self.asked.append(path)
        match path.removeprefix("/api/2.0/mlflow"):
            case "/registered-models/search":
                return self._models(int(asked.get("page_token", 0)))
            case "/model-versions/search":
                return self._versions(int(asked.get("page_token", 0)))
            case "/model-versions/get-download-uri":
                return httpx.Response(200, json={"artifact_uri": self.place})
            case "-artifacts/artifacts":
                assert asked["path"] == "1/models/a b/artifacts"
                files = [{"path": name, "file_size": str(len(each))} for name, each in self.files.items()]
                return httpx.Response(200, json={"files": [*files, {"path": "more", "is_dir": True}]})
        content = self.files.get(path.removeprefix(f"{ARTIFACTS}/1/models/a b/artifacts/"))
        return httpx.Response(404) if content is None else httpx.Response(200, content=content)

    def _versions(self, at: int) -> httpx.Response:
        """One version a page, the newest first as MLflow has them, those of all models among each other."""
        told = {"source": self.place, "creation_timestamp": self.made}
        every = [("elsewhere", "1", "READY"), *[("m", each, status) for each, status in self.versions.items()]]
        name, version, status = every[::-1][at]
        page: dict[str, Any] = {"model_versions": [{"name": name, "version": version, "status": status, **told}]}
        if at + 1 < len(every):
            page["next_page_token"] = str(at + 1)
        return httpx.Response(200, json=page)

    def _models(self, at: int) -> httpx.Response:
        """One model a page."""
        names = [*self.models]
        page: dict[str, Any] = {}
        if names:
            aliases = [{"alias": alias, "version": each} for alias, each in self.models[names[at]].items()]
            page["registered_models"] = [
                {"name": names[at], "aliases": aliases, "last_updated_timestamp": self.changed}
            ]
        if at + 1 < len(names):
            page["next_page_token"] = str(at + 1)
        return httpx.Response(200, json=page)


@pytest.fixture
def mlflow() -> Mlflow:
    """Return a server that answers."""
    return Mlflow()


def source(mlflow: Mlflow, root: Path, *, largest: int = 10_000, room: int = 100_000) -> FetchedSource:
    """Return a source over the played wire."""
    registry = Registry("http://mlflow:5000", 5, httpx.MockTransport(mlflow))
    return FetchedSource(registry, root, largest=largest, room=room, seconds=10)


def test_versions_that_are_whole_are_listed_in_their_order(mlflow: Mlflow, tmp_path: Path) -> None:
    """Page by page; what is still being registered and names that are no folder's are left out."""
    mlflow.models |= {"n": {}, "../o": {}, "p q": {}}
    found = source(mlflow, tmp_path)
    assert found.names() == ["m", "n"]
    told = found.listing("m")
    assert (told.versions, told.aliases, set(told.origins)) == (("1", "2", "10"), {"champion": "1"}, {"1", "2", "10"})
    assert found.listing("../o") == Listing()


def test_versions_are_asked_for_again_once_their_models_changed(mlflow: Mlflow, tmp_path: Path) -> None:
    """An alias that moved changes its model as well; where nothing did, one question is enough."""
    del mlflow.versions["11"]
    found = source(mlflow, tmp_path)
    found.names()
    mlflow.asked.clear()
    found.names()
    assert [path.rpartition("/mlflow/")[2] for path in mlflow.asked] == ["registered-models/search"]
    assert found.listing("m").versions == ("1", "2", "10")
    mlflow.versions["12"], mlflow.changed = "READY", 2
    found.names()
    assert found.listing("m").versions == ("1", "2", "10", "12")
    mlflow.models["m"] = {"champion": "12"}
    found.names()
    assert found.listing("m").aliases == {"champion": "12"}


def test_a_version_that_was_being_registered_is_not_missed(mlflow: Mlflow, tmp_path: Path) -> None:
    """As long as there is one, versions are asked for at each look: its end need not change the model."""
    found = source(mlflow, tmp_path)
    found.names()
    mlflow.versions["11"] = "READY"
    found.names()
    assert found.listing("m").versions == ("1", "2", "10", "11")


def test_a_version_is_fetched_once_and_as_a_whole(mlflow: Mlflow, tmp_path: Path) -> None:
    """All its files, nothing else beside them."""
    found = source(mlflow, tmp_path)
    found.names()
    folder = found.folder("m", "1")
    assert {each.name: each.read_bytes() for each in folder.glob("[!.]*")} == mlflow.files
    assert {each.name for each in tmp_path.iterdir()} == {"m"}
    asked = len(mlflow.asked)
    assert found.folder("m", "1") == folder
    assert len(mlflow.asked) == asked


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"model.onnx": CONTENT[:-1]}, CardWrong),
        ({"card.json": b"{}"}, CardWrong),
        ({"model.onnx": None}, NotOnnx),
        ({"weights.bin": b" " * 10_000}, TooBig),
        ({f"part{each}": b"" for each in range(64)}, NotServable),
    ],
)
def test_what_cannot_be_served_is_not_kept(
    mlflow: Mlflow, tmp_path: Path, files: dict[str, bytes | None], error: type[Exception]
) -> None:
    """Neither under its name nor in pieces; once the registry has it right, it is fetched."""
    whole = dict(mlflow.files)
    mlflow.files = {name: each for name, each in {**whole, **files}.items() if each is not None}
    found = source(mlflow, tmp_path)
    with pytest.raises(error, match="model m version 1"):
        found.folder("m", "1")
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]
    mlflow.files = whole
    assert found.folder("m", "1").is_dir()


def test_a_size_that_was_not_told_is_noticed(mlflow: Mlflow, tmp_path: Path) -> None:
    """The bytes that come are counted, whatever the list of files said."""

    def lying(request: httpx.Request) -> httpx.Response:
        answer = mlflow(request)
        if request.url.path != ARTIFACTS:
            return answer
        files = [{**each, "file_size": 0} for each in answer.json()["files"]]
        return httpx.Response(200, json={"files": files})

    found = source(lying, tmp_path, largest=len(CONTENT))  # type: ignore[arg-type]
    with pytest.raises(TooBig):
        found.folder("m", "1")


def test_a_store_that_mlflow_does_not_hand_out_is_named(mlflow: Mlflow, tmp_path: Path) -> None:
    """With what to do about it: this service has no keys of a store."""
    mlflow.place = "s3://bucket/1"
    with pytest.raises(NotServable, match=r"s3://bucket/1.*--serve-artifacts"):
        source(mlflow, tmp_path).folder("m", "1")


def test_the_version_used_least_recently_makes_room(mlflow: Mlflow, tmp_path: Path) -> None:
    """The newest stays even where it is larger than the room."""
    found = source(mlflow, tmp_path, room=2 * sum(map(len, mlflow.files.values())))
    for version in ("1", "2", "1", "10"):
        found.folder("m", version)
    assert {each.name for each in (tmp_path / "m").iterdir() if each.is_dir()} == {"1", "10"}


def test_what_was_kept_is_served_before_the_registry_answers(mlflow: Mlflow, tmp_path: Path) -> None:
    """Versions and aliases; once it has answered, its silence is told and changes nothing."""
    before = source(mlflow, tmp_path)
    before.names()
    before.folder("m", "1")
    assert json.loads((tmp_path / "m/aliases.json").read_text()) == {"champion": "1"}
    mlflow.away = True
    with pytest.raises(SourceUnavailable, match="MLflow at http://mlflow:5000"):
        before.names()
    after = source(mlflow, tmp_path)
    assert after.names() == ["m"]
    assert after.listing("m") == Listing(("1",), {"champion": "1"}, {"1": f"1 {mlflow.place}"})
    assert after.folder("m", "1").is_dir()
    mlflow.away = False
    assert after.names() == ["m"]
    assert after.listing("m").versions == ("1", "2", "10")


def test_without_anything_kept_the_registry_has_to_answer(mlflow: Mlflow, tmp_path: Path) -> None:
    """An empty folder is not taken for a registry without models."""
    mlflow.away = True
    with pytest.raises(SourceUnavailable):
        source(mlflow, tmp_path / "none").names()


def test_a_model_that_went_leaves_nothing(mlflow: Mlflow, tmp_path: Path) -> None:
    """Nor does what a server left unfinished when it ended."""
    (tmp_path / ".part-x").mkdir()
    found = source(mlflow, tmp_path)
    found.names()
    found.folder("m", "1")
    mlflow.models.clear()
    assert found.names() == []
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"registered_models": 1}', b"\xff"])
def test_an_answer_that_is_not_mlflows_is_told(tmp_path: Path, body: bytes) -> None:
    """As a source that is away: whoever answers there may be replaced."""
    with pytest.raises(SourceUnavailable, match="TARMAC_MLFLOW"):
        source(lambda _: httpx.Response(200, content=body), tmp_path).names()  # type: ignore[arg-type]


def test_a_version_that_was_registered_anew_is_fetched_anew(mlflow: Mlflow, tmp_path: Path) -> None:
    """Its model was deleted between two looks and counts from 1 again; after a restart too, nothing old is taken."""
    found = source(mlflow, tmp_path)
    found.names()
    before = found.listing("m")
    found.folder("m", "1")
    assert found.listing("m") == before
    assert (tmp_path / "m/1").exists()
    mlflow.made += 1
    again = source(mlflow, tmp_path)
    mlflow.away = True
    again.names()
    assert again.listing("m").origins == {"1": before.origins["1"]}
    mlflow.away = False
    again.names()
    assert again.listing("m").origins["1"] != before.origins["1"]
    assert not (tmp_path / "m/1").exists()
    mlflow.files = {"model.onnx": linear(2).SerializeToString()}
    assert (again.folder("m", "1") / "model.onnx").read_bytes() == mlflow.files["model.onnx"]
