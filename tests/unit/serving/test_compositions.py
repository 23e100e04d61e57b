"""Models that are made of others answer as any model does, whatever happens to their members."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from contracts.models import CHALLENGER
from unit.serving.asking import Answer, Site, binary, tensor
from unit.serving.graphs import linear, point, put, put_composition, repository

ROW = [1.0, 2.0, 4.0]
BODY = {"id": "7", "inputs": [tensor("features", [2, 3], data=[ROW, [10.0, 20.0, 40.0]])]}
MEAN = {"kind": "ensemble", "members": [{"model": "small"}, {"model": "big", "weight": 3}]}
CASCADE = {"kind": "cascade", "first": "small", "then": "big", "unsure": {"kind": "beyond", "high": 50}}
ROUTED = {"kind": "by_parameter", "parameter": "depth", "ways": {"fast": "small"}, "otherwise": "big"}
LONG = {"kind": "by_feature", "feature": "distance", "ways": [{"below": 10, "model": "small"}], "otherwise": "big"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with two models: the one gives a row's sum, the other ten times that."""
    put(tmp_path, "small", "1", linear(), card=True)
    put(tmp_path, "big", "1", linear(factor=10), card=True)
    point(tmp_path, "big", champion="1")
    return tmp_path


def site(root: Path, **parts: object) -> Site:
    """Return a server with compositions beside the models."""
    for name, each in parts.items():
        put_composition(root, name, "1", each)
    return Site(root)


def data(found: Answer) -> list[float]:
    """Return the predictions of an answer."""
    assert found.status == 200, found.body
    predictions: list[float] = found.json["outputs"][0]["data"]
    return predictions


def series(site: Site, name: str) -> dict[str, float]:
    """Return the series of a metric, by their labels."""
    lines = site.get("/metrics").body.decode().splitlines()
    return {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line.startswith(f"{name}{{")}


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [(MEAN, [(7 + 3 * 70) / 4, (70 + 3 * 700) / 4]), (CASCADE, [7, 700]), (ROUTED, [70, 700]), (LONG, [7, 700])],
)
def test_a_composition_is_asked_as_any_model(root: Path, parts: object, wanted: list[float]) -> None:
    """Over V2 in JSON and in binary, over MLflow's way, by version or without; its answer bears its own name."""
    made = site(root, whole=parts)
    found = made.post("/v2/models/whole/infer", BODY)
    assert data(found) == wanted
    assert (found.json["model_name"], found.json["model_version"], found.json["id"]) == ("whole", "1", "7")
    assert data(made.post("/v2/models/whole/versions/1/infer", BODY)) == wanted
    raw = np.array([ROW, [10, 20, 40]], np.float32).tobytes()
    request: dict[str, object] = {
        "inputs": [tensor("features", [2, 3], parameters={"binary_data_size": 24})],
        "outputs": [{"name": "prediction", "parameters": {"binary_data": True}}],
    }
    body, header = binary(request, raw)
    answer = made.post("/v2/models/whole/infer", body, **header)
    length = int(answer.headers["inference-header-content-length"])
    assert np.frombuffer(answer.body[length:], np.float32).tolist() == wanted
    records = [dict(zip(("wind", "distance", "dep_delay"), row[::-1], strict=True)) for row in (ROW, [10, 20, 40])]
    rows = made.post("/v2/models/whole/invocations", {"dataframe_records": records})
    assert rows.json == {"predictions": [{"prediction": each} for each in wanted]}


def test_a_parameter_chooses(root: Path) -> None:
    """Of a V2 request or of an invocation; a value that names no member is refused with those that do."""
    made = site(root, whole=ROUTED)
    assert data(made.post("/v2/models/whole/infer", {**BODY, "parameters": {"depth": "fast"}})) == [7, 70]
    found = made.post("/v2/models/whole/invocations", {"inputs": [ROW], "params": {"depth": "fast"}})
    assert found.json == {"predictions": {"prediction": [[7.0]]}}
    found = made.post("/v2/models/whole/infer", {**BODY, "parameters": {"depth": "deep"}})
    assert (found.status, "it takes fast" in found.error) == (400, True)


def test_metadata_lists_the_members(root: Path) -> None:
    """With the versions that answer for them now, and inputs as of a model."""
    told = site(root, whole=MEAN).get("/v2/models/whole").json
    assert told["platform"] == "tarmac_composition"
    assert told["parameters"]["members"] == ["small/1", "big/1"]
    assert told["inputs"][0]["shape"] == [-1, 3]
    assert told["inputs"][0]["parameters"]["features"] == ["dep_delay", "distance", "wind"]


def test_who_answered_how_many_rows_is_counted(root: Path) -> None:
    """By composition and member, both with their versions; the composition's own predictions are a histogram."""
    made = site(root, whole=CASCADE)
    data(made.post("/v2/models/whole/infer", BODY))
    rows = series(made, "serving_member_rows_total")
    label = 'serving_member_rows_total{{member="{}",member_version="1",model="whole",version="1"}}'
    assert rows == {label.format("small"): 2, label.format("big"): 1}
    predictions = series(made, "serving_prediction_bucket")
    assert predictions['serving_prediction_bucket{le="+Inf",model="whole",version="1"}'] == 2
    requests = series(made, "serving_requests_total")
    assert requests['serving_requests_total{model="whole",status="200",version="1"}'] == 1
    assert requests['serving_requests_total{model="big",status="200",version="1"}'] == 0


def test_a_member_is_swapped_without_a_failed_request(root: Path) -> None:
    """Requests go on while a new version of a member is loaded; each is answered by the old one or the new."""
    made = site(root, whole=MEAN)

    async def scene() -> None:
        async def ask() -> float:
            body = {"inputs": [tensor("features", [1, 3], data=ROW)]}
            return data(await made.call("POST", "/v2/models/whole/infer", msgspec.json.encode(body), {}))[0]

        assert await ask() == (7 + 3 * 70) / 4
        put(root, "big", "2", linear(factor=20), card=True)
        point(root, "big", champion="2")
        swap = asyncio.ensure_future(made.models.refresh())
        seen = [await ask()]
        while seen[-1] != (7 + 3 * 140) / 4:
            await asyncio.sleep(0)
            seen.append(await ask())
        await swap
        assert set(seen) <= {(7 + 3 * 70) / 4, (7 + 3 * 140) / 4}

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert made.get("/v2/models/whole").json["parameters"]["members"] == ["small/1", "big/2"]


def test_an_answer_in_the_cache_does_not_outlive_a_members_version(root: Path) -> None:
    """Under the same key: what a member's older version said is not given for the newer one."""
    made = site(root, whole=MEAN)
    keyed = {**BODY, "parameters": {"cache_key": "one"}}
    before = data(made.post("/v2/models/whole/infer", keyed))
    assert data(made.post("/v2/models/whole/infer", keyed)) == before
    assert series(made, "serving_cache_hits_total")['serving_cache_hits_total{model="whole",version="1"}'] == 1
    put(root, "big", "2", linear(factor=20), card=True)
    point(root, "big", champion="2")
    asyncio.run(made.models.refresh())
    assert data(made.post("/v2/models/whole/infer", keyed)) == [(7 + 3 * 140) / 4, (70 + 3 * 1400) / 4]


def test_members_are_those_of_the_track(root: Path) -> None:
    """On a server of challengers a member is its challenger where it has one."""
    put(root, "big", "2", linear(factor=20), card=True)
    point(root, "big", champion="1", challenger="2")
    put_composition(root, "whole", "1", MEAN)
    made = Site(root, repository(root, alias=CHALLENGER))
    assert data(made.post("/v2/models/whole/infer", BODY))[0] == (7 + 3 * 140) / 4


def test_compositions_may_be_made_of_compositions(root: Path) -> None:
    """A route to a cascade; parameters reach the inner one, whose members are counted as its own."""
    made = site(root, inner=ROUTED, whole={**LONG, "otherwise": "inner"})
    assert data(made.post("/v2/models/whole/infer", BODY)) == [7, 700]
    assert data(made.post("/v2/models/whole/infer", {**BODY, "parameters": {"depth": "fast"}})) == [7, 70]
    assert made.get("/v2/models/whole").json["parameters"]["members"] == ["small/1", "inner/1"]


class TestRefusals:
    """A composition that cannot be right is not there, and the index says why."""

    def refused(self, root: Path, parts: object, **others: object) -> str:
        """Return why it is not served; whoever asks it is told the same, with 422."""
        made = site(root, whole=parts, **others)
        found = made.post("/v2/models/whole/infer", BODY)
        assert found.status == 422
        entries = {each["name"]: each for each in made.post("/v2/repository/index").json}
        assert entries["whole"]["state"] == "UNAVAILABLE"
        assert entries["whole"]["reason"] == found.error
        assert data(made.post("/v2/models/big/infer", BODY)) == [70, 700]
        return found.error

    def test_a_member_that_nobody_knows(self, root: Path) -> None:
        """Its name stands there, and those that exist."""
        told = self.refused(root, {**CASCADE, "then": "huge"})
        assert "member huge is unknown" in told
        assert "big" in told

    def test_a_version_that_nobody_knows(self, root: Path) -> None:
        """The same for a version or an alias of a member."""
        assert "no version or alias 7" in self.refused(root, {**CASCADE, "then": "big@7"})

    def test_members_in_a_circle(self, root: Path) -> None:
        """The way around is told."""
        told = self.refused(root, {**CASCADE, "then": "other"}, other={**CASCADE, "then": "whole"})
        assert "whole > other > whole" in told

    def test_a_member_without_a_card(self, root: Path) -> None:
        """Nobody could say what its columns are."""
        put(root, "bare", "1", linear())
        assert "has no card" in self.refused(root, {**CASCADE, "then": "bare"})

    def test_a_member_of_other_features(self, root: Path) -> None:
        """The ones that differ are named."""
        put_composition(root, "odd", "1", MEAN, features=("dep_delay", "distance", "rain"))
        assert "rain, wind differs" in self.refused(root, {**CASCADE, "then": "odd"})

    def test_a_file_that_is_no_composition(self, root: Path) -> None:
        """The field at fault is named."""
        assert "unsure" in self.refused(root, {"kind": "cascade", "first": "small", "then": "big"})


def test_a_member_that_no_longer_fits_is_told_and_the_rest_goes_on(root: Path) -> None:
    """A member's new version takes other features: who asks the composition is told 422, the member itself answers."""
    made = site(root, whole=MEAN)
    assert data(made.post("/v2/models/whole/infer", BODY))
    folder = put(root, "big", "2", linear(factor=20), card=True)
    card = (folder / "card.json").read_text("utf-8").replace('"wind"', '"rain"')
    (folder / "card.json").write_text(card, "utf-8")
    point(root, "big", champion="2")
    asyncio.run(made.models.refresh())
    found = made.post("/v2/models/whole/infer", BODY)
    assert (found.status, "rain, wind differs" in found.error) == (422, True)
    assert data(made.post("/v2/models/big/infer", BODY)) == [140, 1400]


def test_members_that_are_led_around_later_end_in_words(root: Path) -> None:
    """A circle that comes about while the composition is loaded: 422, not a server that asks itself for ever."""
    put_composition(root, "inner", "1", MEAN)
    point(root, "inner", champion="1")
    put_composition(root, "whole", "1", {**CASCADE, "then": "inner"})
    point(root, "whole", champion="1")
    made = Site(root)
    assert data(made.post("/v2/models/whole/infer", BODY))
    around: Any = made.models.find(("inner", ""))
    around.batcher = made.models.find(("whole", "")).batcher  # type: ignore[union-attr]
    found = made.post("/v2/models/whole/infer", BODY)
    assert (found.status, "circle" in found.error) == (422, True)
