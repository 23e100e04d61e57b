"""Questions to what runs in the cluster, over HTTP on the host ports: the lab's own answers, metrics, traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from lab.settings import Settings

JsonDict = dict[str, Any]

_SECONDS = 20.0
_TRACES = 20
_MODELS = 100
"""Models, or versions of one, that MLflow is asked for at a time."""
_NO_ANSWER = 0


class Web:
    """The services behind the host ports of one cluster.

    Args:
        settings: whose ports.
        client: the HTTP client; its transport is the wire at which tests put a fake.

    """

    def __init__(self, settings: Settings, client: httpx.Client | None = None) -> None:
        self._settings = settings
        # The machine's proxy is for the outside; these addresses are all on this machine.
        self._client = client or httpx.Client(timeout=_SECONDS, trust_env=False)

    def answer(self, place: str) -> JsonDict:
        """Return what a place such as `lab-01:/link` answers: `status` (0 for none) and `body` (JSON or text)."""
        service, _, path = place.partition(":")
        return self._get(service, path, {})

    def metric(self, query: str) -> list[JsonDict]:
        """Return the samples of an instant query to Prometheus: `labels` and `value`; empty when it cannot answer."""
        body = self._get("prometheus", "/api/v1/query", {"query": query})["body"]
        result = _under(body, "data", "result")
        return [sample for entry in _items(result) if (sample := _sample(entry)) is not None]

    def targets(self) -> list[JsonDict]:
        """Return what Prometheus reads at present: `job`, `namespace`, `pod`, `health` (`up`, `down`), `error`.

        Raises:
            ConnectionError: Prometheus does not answer.

        """
        answer = self._get("prometheus", "/api/v1/targets", {"state": "active"})
        if answer["status"] != httpx.codes.OK:
            raise ConnectionError(f"targets: {answer['status']} {answer['body']}")
        return [_target(entry) for entry in _items(_under(answer["body"], "data", "activeTargets"))]

    def traces(self, service: str) -> list[JsonDict]:
        """Return a service's latest traces: `traceId`, `operations` and `services`, each sorted; empty when none."""
        body = self._get("jaeger", "/api/traces", {"service": service, "limit": str(_TRACES)})["body"]
        return [_trace(entry) for entry in _items(_under(body, "data"))]

    def models(self) -> JsonDict:
        """Return each model of the registry: its `aliases` (alias -> version) and `versions`, oldest first.

        Raises:
            ConnectionError: MLflow does not answer, or not with a list of models.

        """
        found = [(str(_under(each, "name")), _aliases(each)) for each in self._listed("registered-models", "")]
        return {
            name: {"aliases": aliases, "versions": sorted(map(_version, self._listed("model-versions", name)))}
            for name, aliases in sorted(found)
        }

    def _listed(self, what: str, model: str) -> list[object]:
        """Return all of MLflow's registered models, or all versions of one."""
        found: list[object] = []
        page = ""
        wanted = {"filter": f"name = '{model}'"} if model else {}
        while True:
            query = {"max_results": str(_MODELS), **wanted} | ({"page_token": page} if page else {})
            answer = self._get("mlflow", f"/api/2.0/mlflow/{what}/search", query)
            if answer["status"] != httpx.codes.OK or not isinstance(answer["body"], dict):
                raise ConnectionError(f"{what}: {answer['status']} {answer['body']}")
            found += _items(_under(answer["body"], what.replace("-", "_")))
            page = str(answer["body"].get("next_page_token") or "")
            if not page:
                return found

    def _get(self, service: str, path: str, query: Mapping[str, str]) -> JsonDict:
        try:
            address = f"http://127.0.0.1:{self._settings.port(service)}{path}"
            answer = self._client.get(address, params=dict(query) or None)
        except (httpx.HTTPError, KeyError) as error:
            return {"status": _NO_ANSWER, "body": f"{type(error).__name__}: {error}"}
        try:
            return {"status": answer.status_code, "body": answer.json()}
        except ValueError:
            return {"status": answer.status_code, "body": answer.text}


def _under(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _sample(entry: object) -> JsonDict | None:
    labels, pair = _under(entry, "metric"), _items(_under(entry, "value"))
    try:
        return {"labels": labels or {}, "value": float(str(pair[1]))}
    except (IndexError, ValueError):
        return None


def _target(entry: object) -> JsonDict:
    labels = {name: _under(entry, "labels", name) for name in ("job", "namespace", "pod")}
    return {**labels, "health": _under(entry, "health"), "error": _under(entry, "lastError")}


def _trace(entry: object) -> JsonDict:
    spans, processes = _items(_under(entry, "spans")), _under(entry, "processes")
    names = processes.values() if isinstance(processes, dict) else []
    return {
        "traceId": _under(entry, "traceID"),
        "operations": sorted({str(_under(span, "operationName")) for span in spans}),
        "services": sorted({str(_under(process, "serviceName")) for process in names}),
    }


def _aliases(model: object) -> JsonDict:
    pairs = [(_under(each, "alias"), _under(each, "version")) for each in _items(_under(model, "aliases"))]
    return {str(alias): str(version) for alias, version in pairs}


def _version(entry: object) -> int:
    return int(str(_under(entry, "version")))
