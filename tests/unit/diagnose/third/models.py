"""The third set: what is registered, served, routed, read and traced."""

from __future__ import annotations

from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    CONTROLLER,
    FEATURE,
    FOLLOW,
    JAEGER,
    MLFLOW,
    PAGE,
    PRODUCER,
    PROMETHEUS,
    PROXY,
    STABLE,
    Target,
)
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.chain import unread
from unit.diagnose.independent.scene import HOUR, Scene
from unit.diagnose.second.tools import Play, all_of, gone, said
from unit.diagnose.third.tools import (
    CANARY,
    EXPORTER,
    HOOK,
    LABELS,
    NO_ACCOUNT,
    dies,
    env,
    failed_job,
    hung,
    refused,
    says,
    unserved,
    warned,
)


def _registered(model: str, aliases: dict[str, str], *versions: int) -> Play:
    def play(scene: Scene) -> None:
        scene.state["models"][model] = {"aliases": aliases, "versions": list(versions)}

    return play


def _unregistered(scene: Scene) -> None:
    scene.state["models"] = {}
    _unpredicted(404, "model delay-boosting is unknown - register a version of it first")(scene)


def _unpredicted(status: int, reason: str, *targets: Target) -> Play:
    return all_of(*(said(target, "serving.workers.follow", "no prediction", status=status,
                         reason=f'{{"error":"{reason}"}}') for target in targets or (FOLLOW,)))  # fmt: skip


def _not_served(kind: str, version: str, what: str, remedy: str) -> Play:
    told = f"model delay-boosting version {version}: {what}"
    many = tuple(range(1, int(version) + 1))
    return all_of(
        _registered("delay-boosting", {"champion": version, "previous": str(many[-2])}, *many),
        said(STABLE, "serving.repository.repository", told, level="error", times=3, model="delay-boosting",
             version=version, kind=kind, remedy=remedy),
        lambda scene: scene.figure("models_refused", "delay-boosting", 21),
    )  # fmt: skip


def _unresolved(kind: str, name: str, reason: str, message: str) -> Play:
    """Let a route not know where to lead."""

    def play(scene: Scene) -> None:
        for route in scene.objects(kind, "chain", name):
            route["spec"]["rules"][0]["backendRefs"][0]["name"] = "serving-green"
            for each in route["status"]["parents"][0]["conditions"]:
                if each["type"] == "ResolvedRefs":
                    each |= {"status": "False", "reason": reason, "message": message}

    return play


def _no_hostname(scene: Scene) -> None:
    """Let the route be for a host that its listener is not for."""
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        route["spec"]["hostnames"] = ["predict.example.org"]
        for each in route["status"]["parents"][0]["conditions"]:
            if each["type"] == "Accepted":
                told = "There were no hostname intersections between the HTTPRoute and this parent ref's Listener(s)."
                each |= {"status": "False", "reason": "NoMatchingListenerHostname", "message": told}
    scene.door("gateway", 404, "")
    _unpredicted(404, "")(scene)


def _paused(scene: Scene) -> None:
    """Let a Deployment have been paused before its first pod was made anew."""
    gone(FOLLOW, kept=True)(scene)
    workload = scene.workload(*FOLLOW.place)
    workload["spec"] |= {"replicas": 1, "paused": True}
    told = {"status": "Unknown", "reason": "DeploymentPaused", "message": "Deployment is paused"}
    workload["status"] |= {"unavailableReplicas": 1, "conditions": [{"type": "Progressing", **told}]}


def _unlabelled(scene: Scene) -> None:
    """Let a release have lost the annotation by which Prometheus finds the pod.

    At the first run the targets without a pod (the kubelet's) were taken away too, by mistake.
    """
    pods = scene.pods(*STABLE.place)
    for each in (scene.workload(*STABLE.place)["spec"]["template"], *pods):
        each["metadata"]["annotations"].pop("prometheus.io/port", None)
    names = {each["metadata"]["name"] for each in pods}
    scene.health["targets"] = [each for each in scene.health["targets"] if each["pod"] not in names]


def _untraced(where: str, cause: str, *targets: Target) -> Play:
    """Let services send their spans where nobody takes them."""

    def play(scene: Scene) -> None:
        for target in targets:
            scene.env(target, "TARMAC_TRACES", where)
            said(target, EXPORTER, f"Failed to export span batch code: {cause}", level="error", times=4)(scene)
        scene.state["traces"] = {name: [] for name in scene.state["traces"]}

    return play


def _closed_port(scene: Scene) -> None:
    """Let Jaeger's Service have lost the port that spans come in by."""
    for each in scene.objects("Service", "platform", "jaeger"):
        each["spec"]["ports"] = [port for port in each["spec"]["ports"] if port["port"] not in (4317, 4318)]
    event = "HTTPConnectionPool(host='jaeger.platform.svc', port=4318): Max retries exceeded with url: /v1/traces"
    for target in (PRODUCER, CONSUMER):
        said(target, EXPORTER, f"Transient error {event} (Caused by ConnectTimeoutError('Connection to jaeger.platform."
             "svc timed out. (connect timeout=10)')) encountered while exporting span batch, retrying in 3.8s.",
             times=3)(scene)  # fmt: skip
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}


_NO_MLFLOW = "MLflow at http://mlflow.data.svc:5000: GET registered-models/search: ConnectError('[Errno 111] refused')"
_NO_FEATURE = "model delay-boosting: feature service delays has no number snow_depth_by_origin"
CASES: tuple[Case, ...] = (
    Case("mlflow-has-no-account", "TD-MLFLOW-GONE", ("serving",), all_of(
        refused(MLFLOW, NO_ACCOUNT.format("data/mlflow", "mlflow")),
        dies(CANARY, f"serving.errors.SourceUnavailable: {_NO_MLFLOW}", rolled=True)), "mlflow"),
    Case("training-fails", "TD-MODELS-MISSING", ("serving",), all_of(_unregistered, failed_job(
        "training", "training", "training.errors.TooFewRows: 0 rows of flights that arrived, 500 are needed"))),
    Case("model-name-misspelt", "TD-ALIAS-WRONG", ("serving",), all_of(
        env(STABLE, "TARMAC_DEFAULT_MODEL", "delay-bosting"),
        _unpredicted(404, "model delay-bosting is unknown - register a version of it first"))),
    Case("alias-of-another-shop", "TD-ALIAS-WRONG", ("serving",), all_of(
        env(STABLE, "TARMAC_ALIAS", "production"), _unpredicted(
            404, "model delay-boosting has no version or alias production - there are champion, 1"))),
    Case("canary-scaled-away", "TD-SERVING-GONE", ("serving",), gone(CANARY, kept=True), "serving-canary"),
    Case("labels-deleted", "TD-SERVING-GONE", ("serving",), gone(LABELS, kept=False), "serving-labels"),
    Case("server-has-no-account", "TD-SERVING-GONE", ("serving",), all_of(
        refused(STABLE, NO_ACCOUNT.format("chain/serving", "serving")), unserved), "serving-stable"),
    Case("feature-that-nobody-has", "TD-SIGNATURE-MISMATCH", ("serving",), all_of(
        _registered("delay-boosting", {"champion": "2"}, 1, 2), _unpredicted(422, _NO_FEATURE), said(
            STABLE, "serving.flights.lookup", _NO_FEATURE, level="error", kind="FeaturesUnknown",
            remedy="register it again with a card of these definitions"))),
    Case("weights-left-behind", "TD-MODEL-REFUSED", ("serving",), _not_served(
        "NotOnnx", "3", "tensor 'dense.weight' has its data at 'model.onnx.data', which is not there",
        "register the model with all its files")),
    Case("all-models-together-too-big", "TD-MODEL-REFUSED", ("serving",), _not_served(
        "TooBig", "5", "88211402 bytes", "all together may have 200000000: set TARMAC_MODELS_BYTES")),
    Case("proxy-refused-by-a-webhook", "TD-GATEWAY-GONE", ("gateway",), all_of(refused(PROXY, HOOK), says(
        CONTROLLER, "2026-11-27T16:51:40.119Z\terror\tinfrastructure\tfailed to create or update deployment")),
        "gateway"),
    Case("grpc-route-to-nobody", "TD-ROUTE-NOWHERE", ("serving",), _unresolved(
        "GRPCRoute", "serving", "BackendNotFound", "Failed to process route rule 0 backendRef 0: service "
        "chain/serving-green not found.")),
    Case("route-for-another-host", "TD-ROUTE-NOWHERE", ("serving",), _no_hostname),
    Case("live-traffic-paused", "TD-FOLLOW-GONE", ("serving",), _paused, "serving-follow"),
    Case("prometheus-away-and-page-crashes", "TD-PROMETHEUS-GONE", ("page",), all_of(gone(PROMETHEUS, kept=True), dies(
        PAGE, "httpx.ConnectError: All connection attempts failed", restarts=11), warned(
        JAEGER, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", 2 * HOUR)), "prometheus"),
    Case("server-not-announced", "TD-SCRAPE-MISSING", ("serving",), _unlabelled),
    Case("figures-cannot-be-made", "TD-SCRAPE-MISSING", ("mlflow",), unread(
        MLFLOW, "server returned HTTP status 500 Internal Server Error")),
    Case("figures-are-asked-over-tls", "TD-SCRAPE-MISSING", ("lake",), unread(BRONZE, 'Get "https://10.244.0.61:8080/'
         'metrics": tls: first record does not look like a TLS handshake')),
    Case("jaeger-refused-by-a-webhook", "TD-JAEGER-GONE", (), refused(JAEGER, HOOK), "jaeger"),
    Case("spans-sent-to-the-page", "TD-TRACES-BLOCKED", ("feature",), _untraced(
        "http://jaeger.platform.svc:16686", "405, reason: Method Not Allowed", FEATURE, CONSUMER)),
    Case("port-for-spans-closed", "TD-TRACES-BLOCKED", (), _closed_port),
    Case("page-without-an-account", "TD-PAGE-GONE", ("page",), refused(
        PAGE, NO_ACCOUNT.format("platform/page", "page")), "page"),
    Case("mlflow-away-and-servers-hang", "TD-MLFLOW-GONE", ("serving",), all_of(gone(MLFLOW, kept=True), *(hung(
        each, _NO_MLFLOW) for each in (STABLE, CANARY)), unserved), "mlflow"),
)  # fmt: skip
