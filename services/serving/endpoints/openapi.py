"""The OpenAPI description of what this server answers, made from the types that it decodes and encodes."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from contracts.inference import (
    DATATYPES,
    Failure,
    IndexEntry,
    IndexRequest,
    LoadRequest,
    ModelMetadata,
    ModelReady,
    Request,
    Response,
    ServerMetadata,
)
from contracts.inference_binary import HEADER
from serving.flights import people
from serving.inference.callers import UNIT, VARIANT
from serving.inference.invocations import Invocation

PATH = "/openapi.json"
_REF = "#/components/schemas/{name}"
_KINDS = (Failure, IndexEntry, IndexRequest, Invocation, LoadRequest, ModelMetadata, ModelReady, Request, Response,
          ServerMetadata, *people.KINDS)  # fmt: skip
_WRONG: Mapping[int, str] = {
    400: "It does not fit the model, or cannot be read",
    404: "No such model, version or alias",
    413: "The body, or the JSON in it, is larger than any request",
    415: "The body is compressed, or of another media type",
    422: "The model fails on these values, or its version or composition cannot be served",
    429: "Too many requests wait for the model, or too large ones; Retry-After says when to come again",
    501: "This server was not told where features are looked up",
    503: "The model is on its way, or the models or the features are out of reach; Retry-After says when to come again",
    504: "The request's time was over",
}
_LATER = (429, 503, 504)
"""Come with Retry-After."""
_INFERENCE = tuple(status for status in _WRONG if status != HTTPStatus.NOT_IMPLEMENTED)
"""What inference can answer; features are needed for flights only."""
_JSON, _BINARY, _TEXT = "application/json", "application/octet-stream", "text/plain"
_RETRY = {"required": True, "description": "Seconds", "schema": {"type": "integer", "minimum": 1}}
Part = dict[str, Any]


def description() -> bytes:
    """The description, as JSON."""
    schemas = msgspec.json.schema_components(_KINDS, ref_template=_REF)[1]
    tensor = schemas["Input"]["properties"]
    tensor["datatype"] = {"type": "string", "enum": list(DATATYPES)}
    tensor["shape"]["items"] = {"type": "integer", "minimum": 1}
    tensor["data"] = {"type": "array", "description": "Elements row by row, flat or nested; null is a missing value"}
    schemas["Request"]["properties"]["parameters"]["description"] = (
        "timeout, microseconds; cache_key and cache_seconds; binary_data_output; whatever a composition chooses by"
    )
    told = {
        "openapi": "3.1.0",
        "info": {"title": "Tarmac serving: Open Inference Protocol V2", "version": "2"},
        "paths": dict(_paths()),
        "components": {"schemas": schemas},
    }
    return msgspec.json.encode(told)


def _paths() -> Iterator[tuple[str, Part]]:
    yield "/v2", _get("The server", _ref("ServerMetadata"))
    for state in ("live", "ready"):
        told = {"type": "object", "properties": {state: {"type": "boolean"}}, "required": [state]}
        yield f"/v2/health/{state}", _either(_get(f"Whether the server is {state}", told), "It is not")
    for path in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        yield path, _named(path, _get("Inputs, outputs and versions", _ref("ModelMetadata"), 400, 404, 422, 503))
        ready = _get("Whether it answers", _ref("ModelReady"), 400, 404)
        yield f"{path}/ready", _named(path, _either(ready, "It does not, or not yet"))
        yield f"{path}/infer", _named(path, _infer())
        yield f"{path}/flights", _named(path, _flights())
        yield f"{path}/invocations", _named(path, _post("MLflow's way to ask", "Invocation", {}, *_INFERENCE))
    yield "/flights/predict", _flights()
    yield "/invocations", _post("MLflow's way to ask the default model", "Invocation", {}, *_INFERENCE)
    entries = {"type": "array", "items": _ref("IndexEntry")}
    index = _post("Versions and their states", "IndexRequest", entries, 400, 413, 415, 429, body=False)
    yield "/v2/repository/index", index
    for order in ("load", "unload"):
        path = f"/v2/repository/models/{{model}}/{order}"
        told = _post(f"{order.capitalize()} a model", "LoadRequest", {}, 400, 404, 413, 415, 422, 429, 503, body=False)
        yield path, _named(path, told)
    yield "/settings", _get("What the server was told, by the name of the setting", {"type": "object"})
    yield PATH, _get("This description", {"type": "object"})
    for path in ("/livez", "/readyz"):
        yield path, _either(_text("A probe", "It is well"), "It is not; the text says why")
    yield "/metrics", _text("Figures", "As Prometheus reads them")


def _flights() -> Part:
    told = _post("A flight in, its delay and alternatives out", "FlightAsked", _ref("FlightPredicted"), *_WRONG)
    told["post"]["parameters"] = [
        {"name": name.decode(), "in": "header", "schema": {"type": "string"}, "description": meaning}
        for name, meaning in (
            (VARIANT, "Side of an A/B test"),
            (UNIT, "Who asks, as SHA-256 in hexadecimal; the same one is always on the same side of a test"),
        )
    ]
    return told


def _infer() -> Part:
    told = _post("Infer", "Request", _ref("Response"), *_INFERENCE)
    blob = {"schema": {"type": "string", "format": "binary", "description": "JSON, then the tensors' bytes"}}
    told["post"]["requestBody"]["content"][_BINARY] = blob
    told["post"]["responses"]["200"]["content"][_BINARY] = blob
    length = {"name": HEADER.decode().title(), "in": "header", "schema": {"type": "integer", "minimum": 0}}
    told["post"]["parameters"] = [{**length, "description": "Bytes of the JSON, where binary tensors follow"}]
    return told


def _named(path: str, told: Part) -> Part:
    names = [each for each in ("model", "version") if f"{{{each}}}" in path]
    name = {"type": "string", "pattern": "^[^/]+$"}
    told["parameters"] = [{"name": each, "in": "path", "required": True, "schema": name} for each in names]
    return told


def _get(summary: str, answer: Part, *wrong: int) -> Part:
    return {"get": {"summary": summary, "responses": _answers(answer, wrong)}}


def _text(summary: str, meaning: str) -> Part:
    content = {_TEXT: {"schema": {"type": "string"}}}
    return {"get": {"summary": summary, "responses": {"200": {"description": meaning, "content": content}}}}


def _either(told: Part, meaning: str) -> Part:
    """A question that is answered in the same form with 503, where the answer is no."""
    responses = told["get"]["responses"]
    responses["503"] = {**responses["200"], "description": meaning}
    return told


def _post(summary: str, name: str, answer: Part, *wrong: int, body: bool = True) -> Part:
    content = {"required": body, "content": {_JSON: {"schema": _ref(name)}}}
    return {"post": {"summary": summary, "requestBody": content, "responses": _answers(answer, wrong)}}


def _answers(schema: Part, wrong: tuple[int, ...]) -> Part:
    told: Part = {"200": {"description": "Done", "content": {_JSON: {"schema": schema}}}}
    failure = {_JSON: {"schema": _ref("Failure")}}
    for each in wrong:
        told[str(each)] = {"description": _WRONG[each], "content": failure}
        if each in _LATER:
            told[str(each)]["headers"] = {"Retry-After": _RETRY}
    return told


def _ref(name: str) -> Part:
    return {"$ref": _REF.format(name=name)}
