"""The OpenAPI description says what the server does."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.flights.people import People
from unit.serving.asking import Site, tensor
from unit.serving.features import FLIGHT, FeatureService, put_known
from unit.serving.schedules import timetable

_KNOWN = st.sampled_from(
    ["inputs", "outputs", "parameters", "id", "name", "shape", "datatype", "data", "instances", "dataframe_split",
     "dataframe_records", "columns", "ready", "timeout", "cache_key", "binary_data_size", "binary_data_output",
     "carrier", "flight", "origin", "dest", "scheduled_departure", "tailnum", "alternatives", "hours"]
)  # fmt: skip
"""Names that the protocols know."""
BODIES = {
    "infer": {"inputs": [tensor("features", [1, 3], data=[1, 2, 3])]},
    "invocations": {"inputs": [[1, 2, 3]]},
    "flights": FLIGHT,
    "predict": FLIGHT,
}


def known(folder: Path) -> Site:
    """Return a server with one model whose features can be looked up."""
    put_known(folder / "models", "m", "1")
    return Site(folder / "models", people=People(FeatureService().lookup(), timetable(folder)))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a server with one model."""
    return known(tmp_path)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a server with one model that lives through all that is sent to it."""
    return known(tmp_path_factory.mktemp("fuzzed"))


def described(site: Site) -> Any:  # noqa: ANN401  any JSON
    """Return the description."""
    found = site.get("/openapi.json")
    assert found.status == 200
    return found.json


def test_every_path_answers_as_described(site: Site) -> None:
    """Each of them, with each of its methods, and with a status that stands there."""
    for path, methods in described(site)["paths"].items():
        for method in set(methods) & {"get", "post"}:
            real = path.format(model="m", version="1")
            body = BODIES.get(path.rsplit("/", 1)[1], {})
            found = site.post(real, body) if method == "post" else site.get(real)
            assert found.status == 200, (method, real, found.body)
            assert str(found.status) in methods[method]["responses"]
            if path.endswith("/unload"):
                site.post("/v2/repository/models/m/load")


def test_every_reference_leads_somewhere(site: Site) -> None:
    """Nothing is named that is not described."""
    found = site.get("/openapi.json").body.decode()
    schemas = described(site)["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', found))
    assert named
    assert named <= set(schemas)


def test_every_path_without_its_parameters_is_refused(site: Site) -> None:
    """The names in a path have to be those of a model and a version."""
    for path, methods in described(site)["paths"].items():
        if "{model}" in path:
            method = "POST" if "post" in methods else "GET"
            found = site.ask(method, path.format(model="nobody", version="1"))
            assert found.status == 404, (path, found.body)
            assert "404" in methods[method.lower()]["responses"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats(-1e40, 1e40) | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=8) | _KNOWN, each, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(["m", "m@1", "nobody", "..", "m@", "@", "%00", "a" * 300]) | st.text(max_size=8)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), model=_NAMES, version=_NAMES, body=_JSON.map(msgspec.json.encode) | st.binary(max_size=60))
def test_whatever_is_sent_wherever_is_answered_as_described(
    fuzzed: Site, data: st.DataObject, model: str, version: str, body: bytes
) -> None:
    """Any path of the description, any names, any body: a status that the description has, never a 500."""
    paths = described(fuzzed)["paths"]
    path = data.draw(st.sampled_from(sorted(paths)))
    method = data.draw(st.sampled_from(sorted({"get", "post"} & set(paths[path]))))
    found = fuzzed.ask(method.upper(), path.format(model=model, version=version), body)
    # A name with a slash in it, or none at all, makes another path of it.
    assert str(found.status) in {*paths[path][method]["responses"], "400", "404", "405"}, (path, found.body)
    if found.status not in {200, 503}:
        assert found.error
