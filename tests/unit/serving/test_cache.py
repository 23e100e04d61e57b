"""The cache: what is kept, under which key, for how long, and for which version."""

from pathlib import Path

import numpy as np
import pytest

from serving.model.cache import Cache
from unit.serving.asking import Site, tensor
from unit.serving.graphs import linear, mixed, put

FOUND = [np.zeros(1)]


def test_an_answer_is_kept_for_its_time() -> None:
    """Until then and no longer."""
    cache = Cache(2)
    cache.put("a", FOUND, 10.0)
    assert cache.get("a", 9.9) is FOUND
    assert cache.get("a", 10.0) is None
    assert cache.get("b", 0.0) is None


def test_room_is_made_by_what_was_asked_least_recently() -> None:
    """A cache never holds more than it may."""
    cache = Cache(2)
    cache.put("a", FOUND, 10.0)
    cache.put("b", FOUND, 10.0)
    cache.get("a", 0.0)
    cache.put("c", FOUND, 10.0)
    assert [cache.get(each, 0.0) is FOUND for each in "abc"] == [True, False, True]


def test_a_cache_without_room_keeps_nothing() -> None:
    """It is switched off so."""
    cache = Cache(0)
    cache.put("a", FOUND, 10.0)
    assert cache.get("a", 0.0) is None


def asked(data: list[float], **parameters: object) -> dict[str, object]:
    """Return a request."""
    return {"inputs": [tensor("features", [1, 3], data=data)], "parameters": parameters}


def test_the_same_key_is_answered_from_the_cache_of_its_version(tmp_path: Path) -> None:
    """Another key, no key, or another version is computed."""
    put(tmp_path, "m", "1", linear())
    put(tmp_path, "m", "2", linear(factor=10))
    site = Site(tmp_path)

    def answer(version: str, data: list[float], **parameters: object) -> object:
        found = site.post(f"/v2/models/m/versions/{version}/infer", asked(data, **parameters))
        return found.json["outputs"][0]["data"][0]

    assert answer("1", [1, 2, 4], cache_key="a") == 7
    assert answer("1", [0, 0, 0], cache_key="a") == 7
    assert answer("1", [0, 0, 0], cache_key="b") == 0
    assert answer("1", [0, 0, 0]) == 0
    assert answer("2", [1, 1, 1], cache_key="a") == 30
    told = site.get("/metrics").body.decode()
    assert 'serving_cache_hits_total{model="m",version="1"} 1.0' in told
    assert 'serving_cache_misses_total{model="m",version="1"} 2.0' in told


def test_other_outputs_under_the_same_key_are_others(tmp_path: Path) -> None:
    """Nobody is given an output that was not asked for."""
    put(tmp_path, "m", "1", mixed())
    site = Site(tmp_path)
    for name, value in (("total", 4), ("product", 3)):
        body = {
            "inputs": [tensor("a", [1, 2], data=[1, 1]), tensor("b", [1, 2], data=[3, 3])],
            "outputs": [{"name": name}], "parameters": {"cache_key": "k"},
        }  # fmt: skip
        assert site.post("/v2/models/m/infer", body).json["outputs"][0]["data"] == [value] * 2


@pytest.mark.parametrize(
    "parameters",
    [
        {"cache_key": ""}, {"cache_key": 1}, {"cache_key": "x" * 201}, {"cache_key": "a", "cache_seconds": 0},
        {"cache_key": "a", "cache_seconds": "1"}, {"cache_key": "a", "cache_seconds": True},
    ],
)  # fmt: skip
def test_a_wish_that_is_none_is_refused(tmp_path: Path, parameters: dict[str, object]) -> None:
    """By the name of the parameter."""
    put(tmp_path, "m", "1", linear())
    found = Site(tmp_path).post("/v2/models/m/infer", asked([1, 2, 3], **parameters))
    assert found.status == 400
    assert found.error.startswith("parameter cache_")
