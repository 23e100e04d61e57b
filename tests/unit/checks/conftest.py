"""A small recorded state, with one of everything that a bundle can hold."""

import copy
from typing import Any

import pytest

_STATE: dict[str, Any] = {
    "format": 1,
    "lab": "99",
    "taken": "2026-01-02T03:04:05Z",
    "versions": {"kubernetes": "v1.37.2"},
    "objects": [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "gateway",
                "namespace": "lab-99",
                "labels": {"app.kubernetes.io/name": "gateway"},
            },
            "spec": {
                "replicas": 2,
                "template": {
                    "spec": {
                        "containers": [
                            {
                                "name": "main",
                                "env": [
                                    {"name": "FAILURES", "value": "5"},
                                    {
                                        "name": "MODE",
                                        "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}},
                                    },
                                ],
                                "envFrom": [{"configMapRef": {"name": "settings"}}],
                            }
                        ]
                    }
                },
            },
        },
        {
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "lab-99"},
            "data": {"mode": "kappa"},
        },
    ],
    "topics": {"flights": {"partitions": 2, "config": {"cleanup.policy": "delete"}, "begin": [0, 5], "end": [10, 25]}},
    "groups": {"readers": {"flights": [{"partition": 0, "lag": 3}, {"partition": 1, "lag": 4}]}},
    "metrics": {"rate": [{"labels": {"site": "EWR"}, "value": 1.5}, {"labels": {"site": "JFK"}, "value": 2.5}]},
    "traces": {"gateway": [{"traceId": "a1", "operations": ["GET"], "services": ["gateway"]}]},
    "answers": {
        "report": {"status": 200, "body": {"rows": [{"site": "EWR", "late": 7}], "agree": True}},
        "down": {"status": 503, "body": "no"},
    },
}


@pytest.fixture
def state() -> dict[str, Any]:
    """Return a copy of the state that the test may change."""
    return copy.deepcopy(_STATE)
