"""Requests from an OpenAPI description: what it allows, what it does not, and what is there to be asked about.

schemathesis makes them and holds the answers to the description; here it is told what a server has, so that not all
that it makes is about models that nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation

Schema = dict[str, Any]
Operations = dict[str, APIOperation[Any, Any, Any, Any]]

load_all_checks()
HELD: Any = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    ]
)
"""What every answer is held to. A 500 is described nowhere; 429, 503 and 504 are, with the header that they need."""

_ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from([2**63, -(2**63) - 1, 10**400, -(10**400), 1e308, -0.0, "\0", "a" * 5000]),
    st.sampled_from(["[]", "{}", "[[]]", "[{}]", '{"": {}}']).map(json.loads),
    st.integers(1, 200).map(lambda depth: json.loads("[" * depth + "]" * depth)),
)
"""JSON that is likely to be of the wrong kind, too large or too deep."""


def operations(document: Mapping[str, Any]) -> Operations:
    """Every method of every path of a description, by `METHOD path`."""
    loaded = schemathesis.openapi.from_dict(dict(document))
    found: list[Any] = [each.ok() for each in loaded.get_all_operations()]  # type: ignore[union-attr]  # all are well
    return {each.label: each for each in found}


def steered(
    document: Any,  # noqa: ANN401  any JSON
    names: Callable[[str], Mapping[str, Schema]],
    fields: Mapping[str, Schema],
) -> Any:  # noqa: ANN401  any JSON
    """A description that allows less: of requests, what is there.

    Args:
        document: the description.
        names: path -> parameter of the path -> its schema.
        fields: name of a field in a body -> its schema.
    """
    made = _inlined(document, document)
    for path, methods in made["paths"].items():
        for parameter in methods.get("parameters", ()):
            parameter["schema"] = names(path)[parameter["name"]]
        order = methods.get("post", {})
        order.pop("parameters", None)  # headers: of bodies in another form, and of callers who say who they are
        content = order.get("requestBody", {}).get("content", {})
        content.pop("application/octet-stream", None)
        for media in content.values():
            media["schema"] = _narrowed(media["schema"], fields)
    return made


def _inlined(part: Any, document: Any) -> Any:  # noqa: ANN401  any JSON
    """A part of a description with what it refers to in its place."""
    if isinstance(part, list):
        return [_inlined(each, document) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        found = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return _inlined(found, document)
    return {name: _inlined(each, document) for name, each in part.items()}


def _narrowed(schema: Any, fields: Mapping[str, Schema]) -> Any:  # noqa: ANN401  any JSON
    if isinstance(schema, list):
        return [_narrowed(each, fields) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _narrowed(each, fields) for name, each in schema.items()}
    given = made.get("properties")
    if isinstance(given, dict):
        # What MLflow calls inputs are rows; those of V2 have fields of their own.
        tensors = given.get("inputs", {}).get("type") == "array"
        own = {name: each for name, each in fields.items() if not (tensors and name == "inputs")}
        made["properties"] = {name: own.get(name, each) for name, each in given.items()}
        if tensors:
            made["properties"]["inputs"] |= {"minItems": 1, "maxItems": 1}
        made["required"] = sorted({*made.get("required", ()), *(name for name in given if name in fields)})
        made["additionalProperties"] = False
    return made


def nearly(value: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  any JSON
    """The value with one place of it changed: left out, doubled, renamed, or something else altogether."""
    ways = [_ODD]
    if isinstance(value, dict) and value:
        ways.append(st.sampled_from(sorted(value)).flatmap(lambda name: _changed_entry(value, name)))
    if isinstance(value, list) and value:
        ways.append(st.integers(0, len(value) - 1).flatmap(lambda place: _changed_item(value, place)))
    return st.one_of(*reversed(ways))


def _changed_entry(value: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    rest = {each: other for each, other in value.items() if each != name}
    return st.one_of(
        nearly(value[name]).map(lambda new: {**value, name: new}),
        st.just(rest),
        st.text(max_size=5).map(lambda other: {**rest, other: value[name]}),
        st.text(max_size=5).flatmap(lambda other: _ODD.map(lambda new: {**value, other: new})),
    )


def _changed_item(value: list[Any], place: int) -> st.SearchStrategy[Any]:
    return st.one_of(
        nearly(value[place]).map(lambda new: [*value[:place], new, *value[place + 1 :]]),
        st.just([*value[:place], *value[place + 1 :]]),
        st.just([*value, value[place]]),
    )
