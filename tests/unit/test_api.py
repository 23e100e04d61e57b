"""What the API server refuses, in words that help."""

import json

import pytest
from kubernetes.client import ApiException
from kubernetes.dynamic.exceptions import api_exception

from lab import api

SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gateway", "namespace": "lab-01"}}


@pytest.mark.parametrize(
    ("message", "remedies"),
    [
        (
            "spec.ports[0].nodePort: Invalid value: 30081: provided port is already allocated",
            ("lab kubectl get services -A", "dix minutes"),
        ),
        ("spec.ports[0].nodePort: Invalid value: 80", ("correct that field of Service/gateway", "corrigez ce champ")),
    ],
)
def test_a_refusal_says_what_helps(message: str, remedies: tuple[str, str]) -> None:
    """The object and the server's own words; a node port that is taken is not a mistake in the file."""
    answer = ApiException(status=422, reason="Unprocessable Entity")
    answer.body = json.dumps({"message": message})
    refused = api._refused(SERVICE, api_exception(answer))
    assert all(word in refused.what.en for word in ("Service/gateway", message))
    assert remedies[0] in refused.remedy.en
    assert remedies[1] in refused.remedy.fr
