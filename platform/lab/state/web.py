"""Questions to what runs in the cluster, over HTTP on the host ports: the lab's own answers, metrics, traces."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from lab.settings import Settings

JsonDict = dict[str, object]

_SECONDS = 20.0
_TRACES = 20
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

    def traces(self, service: str) -> list[JsonDict]:
        """Return a service's latest traces: `traceId`, `operations` and `services`, each sorted; empty when none."""
        body = self._get("jaeger", "/api/traces", {"service": service, "limit": str(_TRACES)})["body"]
        return [_trace(entry) for entry in _items(_under(body, "data"))]

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


def _trace(entry: object) -> JsonDict:
    spans, processes = _items(_under(entry, "spans")), _under(entry, "processes")
    names = processes.values() if isinstance(processes, dict) else []
    return {
        "traceId": _under(entry, "traceID"),
        "operations": sorted({str(_under(span, "operationName")) for span in spans}),
        "services": sorted({str(_under(process, "serviceName")) for process in names}),
    }
