"""Requests made from the OpenAPI description, right and wrong, against the real process.

Whatever comes is answered as the description says: no status that it does not have, no body of another form, and what
it does not allow is not taken. The same requests are made in every run (derandomised).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from integration.serving.description import HELD, Schema, nearly, operations, steered
from integration.serving.victim import Victim, few, victim
from serving.endpoints import openapi

FUZZED = settings(
    max_examples=20, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)  # fmt: skip
_STRANGE = ["nobody", "m@lost", "m@9", "broken", "m@", "@", "\0", "x/y", "m%2Fready", "a" * 300, "é", "\n", "m?x=1"]
_ROWS = {"type": "array", "minItems": 1, "maxItems": 1, "items": {
    "type": "array", "minItems": 3, "maxItems": 3, "items": {"type": "number", "minimum": -1e6, "maximum": 1e6},
}}  # fmt: skip
_FIELDS: Mapping[str, Schema] = {
    "name": {"enum": ["features"]},
    "datatype": {"enum": ["FP32"]},
    "shape": {"enum": [[1, 3]]},
    "data": _ROWS,
    "outputs": {"enum": [None, [], [{"name": "prediction"}]]},
    "parameters": {"enum": [None, {"timeout": 9_000_000}, {"cache_key": "k"}, {"binary_data_output": True}]},
    "inputs": _ROWS,
    "instances": {"type": "null"},
    "dataframe_split": {"type": "null"},
    "dataframe_records": {"type": "null"},
    "carrier": {"enum": ["UA", "B6"]},
    "origin": {"enum": ["JFK"]},
    "dest": {"enum": ["LAX", "SFO"]},
    "flight": {"enum": [1, 2, 9999]},
    "alternatives": {"enum": [0, 3, 10]},
    "scheduled_arrival": {"enum": [None, "2013-01-01T18:00:00Z"]},
    "scheduled_departure": {"enum": ["2013-01-01T12:00:00Z", "2013-01-01T09:00:00-05:00", "2024-02-29T23:59:59Z"]},
}
"""What the models that are there take."""
_NAMES = {"flights": "known", "load": "spare", "unload": "spare"}
"""Models that can be asked so, by the last part of the path; any other is one that answers with numbers."""
DESCRIPTION = json.loads(openapi.description())
DESCRIBED = operations(DESCRIPTION)


def _names(path: str) -> dict[str, Schema]:
    """What the parameters of a path can be."""
    model = _NAMES.get(path.rsplit("/", 1)[1])
    if model:
        return {"model": {"enum": [model]}, "version": {"enum": ["1"]}}
    if "{version}" in path:
        return {"model": {"enum": ["m"]}, "version": {"enum": ["1", "2", "champion", "challenger"]}}
    return {"model": {"enum": ["m", "m@champion", "m@1"]}}


FITTING = operations(steered(DESCRIPTION, _names, _FIELDS))


class Caller:
    """Asks over one connection, and holds each answer to the description."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._session = requests.Session()
        self._session.trust_env = False
        self.seen: Counter[int] = Counter()

    def ask(self, case: Case[Any]) -> int:
        """Ask; return the status."""
        response = case.call(base_url=self._address, session=self._session)
        case.validate_response(response, checks=HELD)
        self.seen[response.status_code] += 1
        return response.status_code

    def close(self) -> None:
        """Leave."""
        self._session.close()


@pytest.fixture
def caller(server: Victim) -> Iterator[Caller]:
    """Return who asks; when it has asked, the server is as it was."""
    made = Caller(server.port)
    yield made
    made.close()
    server.unharmed()


def test_the_description_is_what_the_server_says_of_itself(server: Victim) -> None:
    """The tests read it from the code, callers from `/openapi.json`."""
    assert server.ask("GET", openapi.PATH)[1] == DESCRIPTION


@pytest.mark.parametrize("label", DESCRIBED)
def test_what_is_there(caller: Caller, label: str) -> None:
    """Requests that a server with these models can answer; most of them it does."""

    @FUZZED
    @given(case=FITTING[label].as_strategy())
    def asked(case: Case[Any]) -> None:
        caller.ask(case)

    asked()
    assert caller.seen[200] > (0 if label.endswith("/unload") else sum(caller.seen.values()) / 2), caller.seen
    if label.endswith("/unload"):
        assert caller.ask(FITTING[label.replace("unload", "load")].Case(path_parameters={"model": "spare"})) == 200


@pytest.mark.parametrize("label", [label for label, each in DESCRIBED.items() if each.body])
def test_what_is_nearly_there(caller: Caller, label: str) -> None:
    """The same with one place of the body changed, and what the description does not allow: none of it is taken."""
    bad = DESCRIBED[label].as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @FUZZED
    @given(good=FITTING[label].as_strategy(), other=bad, data=st.data())
    def asked(good: Case[Any], other: Case[Any], data: st.DataObject) -> None:
        good.body = data.draw(nearly(good.body))
        good.operation = DESCRIBED[label]  # which allows more
        caller.ask(good)
        other.path_parameters = good.path_parameters
        caller.ask(other)

    asked()
    assert caller.seen[400], caller.seen


@pytest.mark.parametrize("label", DESCRIBED)
def test_what_is_described(caller: Caller, label: str) -> None:
    """Anything that the description allows, of models of any name."""

    @FUZZED
    @given(case=DESCRIBED[label].as_strategy(), name=st.none() | st.sampled_from(_STRANGE))
    def asked(case: Case[Any], name: str | None) -> None:
        if name and "model" in case.path_parameters:
            case.path_parameters["model"] = quote(name, safe="")
        caller.ask(case)

    asked()
    if "{model}" in label:
        assert caller.seen[404], caller.seen


@pytest.mark.parametrize("label", DESCRIBED)
def test_the_bounds_of_what_is_described(caller: Caller, label: str) -> None:
    """The least and the most of each field, each left out, each of another type; methods that a path has not."""
    operation = DESCRIBED[label]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    how = operation.schema.config.generation_for(operation=operation)
    for case in operation.schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=how):
        caller.ask(case)
    assert caller.seen


def test_binary_tensors(caller: Caller) -> None:
    """Sizes, header and bytes that agree, and that do not."""
    label = "POST /v2/models/{model}/infer"

    @FUZZED
    @given(
        case=FITTING[label].as_strategy(path_parameters={"model": "m"}),
        size=st.sampled_from([12, 12, 12, 0, 11, 13, -1, 2**40, "12", None]),
        rest=st.just(np.ones(3, np.float32).tobytes()) | st.binary(max_size=24),
        off=st.sampled_from([0, 0, 0, 0, 1, -1, 50, 10**9]),
    )
    def asked(case: Case[Any], size: object, rest: bytes, off: int) -> None:
        body: Any = case.body
        for each in body["inputs"]:
            each.pop("data", None)
            each["parameters"] = {"binary_data_size": size}
        head = json.dumps(body).encode()
        header = {"Inference-Header-Content-Length": str(max(len(head) + off, 0))}
        made = DESCRIBED[label].Case(
            path_parameters={"model": "m"}, headers=header, body=head + rest, media_type="application/octet-stream"
        )
        caller.ask(made)

    asked()
    assert caller.seen[200], caller.seen
    assert caller.seen[400], caller.seen


def test_the_answers_of_a_server_whose_features_are_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    """503 with Retry-After, in the form that the description has; what needs no features goes on."""
    with victim(tmp_path_factory.mktemp("away"), few, TARMAC_FEATURE="http://127.0.0.1:9") as alone:
        caller = Caller(alone.port)
        flight: dict[str, Any] = {"carrier": "UA", "flight": 1, "origin": "JFK", "dest": "LAX",
                  "scheduled_departure": "2013-01-01T12:00:00Z"}  # fmt: skip
        for label, names in (("POST /flights/predict", {}), ("POST /v2/models/{model}/flights", {"model": "known"})):
            case = DESCRIBED[label].Case(path_parameters=names, body=flight, media_type="application/json")
            assert caller.ask(case) == HTTPStatus.SERVICE_UNAVAILABLE
        caller.close()
        alone.unharmed()
