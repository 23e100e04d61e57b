"""The OpenAPI description says what the server does."""

import re
from pathlib import Path
from typing import Any

import pytest

from unit.serving.asking import Site, tensor
from unit.serving.graphs import linear, put

BODIES = {
    "infer": {"inputs": [tensor("features", [1, 3], data=[1, 2, 3])]},
    "invocations": {"inputs": [[1, 2, 3]]},
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a server with one model."""
    put(tmp_path, "m", "1", linear())
    return Site(tmp_path)


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
