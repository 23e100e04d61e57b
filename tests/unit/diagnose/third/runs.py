"""The third set: pods that start and do not last, or last and serve nobody."""

from __future__ import annotations

from lab.diagnose.faults.acts import (
    CONSUMER,
    CONTROLLER,
    FEATURE,
    FOLLOW,
    JAEGER,
    KAFKA,
    MLFLOW,
    OBJECTSTORE,
    PAGE,
    POSTGRES,
    PROMETHEUS,
    PROXY,
    REDIS,
    STABLE,
    Target,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import HOUR, Scene
from unit.diagnose.second.tools import Play, all_of, emptied, policy, said
from unit.diagnose.third.tools import (
    befalls,
    dies,
    env,
    failed_job,
    hung,
    minds,
    mine,
    unserved,
    warned,
)

_PIPELINES, _CENTRE, _SPEED, _SERVER = mine("02", "pipelines"), mine("01", "centre"), mine("02", "speed"), mine(
    "04", "server")  # fmt: skip
_REFUSED = "WRONGPASS invalid username-password pair or user is disabled."


def _copy_differs(namespace: str, name: str) -> Play:
    def play(scene: Scene) -> None:
        for each in scene.health["copies"]:
            if (each["namespace"], each["name"]) == (namespace, name):
                each["marks"] = [f"{mark[::-1]}" if mark != mark[::-1] else "0b5e55ed" for mark in each["marks"]]

    return play


def _elsewhere(target: Target, name: str, value: str, *line: str, plain: bool = False) -> Play:
    """Let a workload's next release look for a neighbour where there is none."""

    def play(scene: Scene) -> None:
        env(target, name, value)(scene)
        told = line[0] if plain else scene.line(line[0], line[1], cause=line[2])
        hung(target, told, told, rolled=True)(scene)

    return play


def _mlflow_unserved(scene: Scene) -> None:
    """Delete MLflow's Service; its pod goes on, and nobody finds it by its name."""
    scene.forget("Service", "data", "mlflow")
    scene.health["objects"] = [
        each
        for each in scene.health["objects"]
        if each["kind"] != "EndpointSlice" or each["metadata"]["labels"].get("kubernetes.io/service-name") != "mlflow"
    ]
    scene.door("mlflow", 0, "ConnectError: [Errno 104] Connection reset by peer")
    scene.state["models"] = {}
    scene.problem("mlflow", "ConnectionError: registered-models: 0 ConnectError: [Errno 104] Connection reset by peer")
    what = (
        "MLflow at http://mlflow.data.svc:5000: GET registered-models/search: ConnectError('[Errno -2] Name or service"
    )
    for target in (STABLE, _SERVER):
        minds(target, "serving.stock", f"{what} not known')", remedy="`lab status` shows whether MLflow stands")(scene)


def _wrong_label(namespace: str, service: str, label: str, value: str, *plays: Play) -> Play:
    """Let a Service ask for a label that no pod bears."""

    def play(scene: Scene) -> None:
        for each in scene.objects("Service", namespace, service):
            each["spec"]["selector"][label] = value
        emptied(scene, namespace, service)
        all_of(*plays)(scene)

    return play


def _unscraped(scene: Scene) -> None:
    """Let Prometheus reach nobody, not even its name server."""
    policy("platform", "monitoring", podSelector={"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
           policyTypes=["Egress"], egress=[])(scene)  # fmt: skip
    for each in scene.health["targets"]:
        if each["pod"]:
            each |= {"health": "down", "error": 'Get "http://10.244.0.53:8080/metrics": context deadline exceeded'}
    scene.health["figures"] = {name: [] for name in scene.health["figures"]}


def _features_fenced(scene: Scene) -> None:
    """Let only trainees' pods ask for features; predictions of flights fail."""
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.own}}}]}
    labels = {"matchLabels": {"app.kubernetes.io/name": "feature"}}
    policy("chain", "feature-from-labs", podSelector=labels, policyTypes=["Ingress"], ingress=[rule])(scene)
    cause = "feature service http://feature.chain.svc:6566: no answer within 0.8 s"
    minds(STABLE, "serving.endpoints", "features are away", cause=cause)(scene)
    reason = f'{{"error":"{cause} - try again after the seconds of Retry-After"}}'
    said(FOLLOW, "serving.workers.follow", "no prediction", status=503, reason=reason)(scene)
    scene.figure("lookup_failures", "timeout", 512)


def _database_fenced(scene: Scene) -> None:
    labels = {"matchLabels": {"app.kubernetes.io/name": "postgres"}}
    policy("data", "postgres-lockdown", podSelector=labels, policyTypes=["Ingress"])(scene)
    scene.complains(MLFLOW.place, 'sqlalchemy.exc.OperationalError: (psycopg.errors.ConnectionTimeout) connection to '
                    'server at "10.96.40.7", port 5432 failed: timeout expired')  # fmt: skip


def _not_started(target: Target, code: int, message: str) -> Play:
    """Let the runtime not be able to start what the image names."""

    def play(scene: Scene) -> None:
        made = scene.crashes(code=code, reason="StartError", restarts=5)

        def shape(pod: Json) -> None:
            made(pod)
            pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["message"] = message
            pod["told"].append(("Failed", f"Error: {message}"))

        befalls(target, lambda _: shape, rolled=True)(scene)

    return play


def _migrates_badly(scene: Scene) -> None:
    """Let the database have been written by a newer MLflow than the one that was put back."""
    scene.fallen(MLFLOW.place, scene.begins_badly(
        "migrate", "alembic.util.exc.CommandError: Can't locate revision identified by '71994744cf8e'"))  # fmt: skip


def _probed(target: Target, kind: str, fields: Json, shape: Play) -> Play:
    """Let a workload be asked in another way, and suffer from it."""

    def play(scene: Scene) -> None:
        for each in scene.workload(*target.place)["spec"]["template"]["spec"]["containers"]:
            if each["name"] == target.container:
                each[kind] = {**(each.get(kind) or {}), **fields}
        shape(scene)

    return play


def _recovering(scene: Scene) -> None:
    """Let the database replay its log for longer than anybody waits."""
    line = "2026-11-27 16:51:30.118 UTC [33] FATAL:  the database system is not yet accepting connections"
    detail = "2026-11-27 16:51:30.118 UTC [33] DETAIL:  Consistent recovery state has not been yet reached."
    probe = "Readiness probe failed: /var/run/postgresql:5432 - rejecting connections"
    hung(POSTGRES, line, detail, said=probe)(scene)


_OCI = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: error during container init: exec: "{}": executable file not found in $PATH'
)
_VERSION = "The data directory was initialized by PostgreSQL version 17, which is not compatible with version 18.1."
_FEAST = 'psycopg.OperationalError: connection failed: FATAL:  password authentication failed for user "feast"'
_NO_PAGE = "ConnectError('[Errno -2] Name or service not known')"
_NO_DATABASE = (
    "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) failed to resolve host 'postgresql.data.svc'"
)
_NO_PORT = "feature service http://feature.chain.svc:8080: ConnectTimeout('timed out')"
_TOO_SLOW = (
    'Liveness probe failed: Get "http://10.244.0.53:8080/livez": context deadline exceeded (Client.Timeout exceeded '
    "while awaiting headers)"
)
_LISTENS = "Startup probe failed: dial tcp 10.244.0.208:6380: connect: connection refused"
CASES: tuple[Case, ...] = (
    Case("copy-of-the-registry-differs", "TD-PASSWORD-WRONG", ("feature",), all_of(
        _copy_differs("chain", "postgres-feast"), failed_job("feature", "feature-apply", _FEAST))),
    Case("password-changed-under-all", "TD-PASSWORD-WRONG", ("feature",), all_of(
        minds(FEATURE, "feature.wire", "no connection to Redis", cause=_REFUSED, again_in=8.0),
        minds(CONSUMER, "ingest.online", "the online store does not take rows", cause=_REFUSED),
        minds(_SPEED, "ingest.online", "the online store does not take rows", cause=_REFUSED))),
    Case("key-of-the-lab-for-the-store", "TD-PASSWORD-WRONG", ("objectstore",), all_of(
        _copy_differs("lab-02", "objectstore"), minds(_PIPELINES, "pipelines.store", "the lake cannot be read", cause=(
            "InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records."))), labs=("02",)),
    Case("page-asks-another-namespace", "TD-ADDRESS-WRONG", ("page",), _elsewhere(
        PAGE, "TARMAC_PROMETHEUS", "http://prometheus.monitoring.svc:9090", "page.figures", "Prometheus does not "
        "answer", _NO_PAGE), "page"),
    Case("database-of-another-name", "TD-ADDRESS-WRONG", ("mlflow",), _elsewhere(
        MLFLOW, "MLFLOW_BACKEND_STORE_URI", "postgresql+psycopg://mlflow@postgresql.data.svc:5432/mlflow", _NO_DATABASE,
        plain=True), "mlflow"),
    Case("features-at-another-port", "TD-ADDRESS-WRONG", ("serving",), all_of(_elsewhere(
        STABLE, "TARMAC_FEATURE", "http://feature.chain.svc:8080", "serving.endpoints", "features are away", _NO_PORT),
        said(FOLLOW, "serving.workers.follow", "no prediction", status=503, reason=_NO_PORT)), "serving-stable"),
    Case("prometheus-killed-over-its-log", "TD-POD-OOM", (), dies(
        PROMETHEUS, 'level=INFO source=head.go:771 msg="WAL segment loaded" segment=112 maxSegment=340', code=137,
        reason="OOMKilled", restarts=14), "prometheus"),
    Case("pipelines-killed-while-joining", "TD-POD-OOM", (), dies(
        _PIPELINES, code=137, reason="OOMKilled", restarts=3, backing_off=False), "pipelines", labs=("02",)),
    Case("mlflow-killed-and-others-complain", "TD-POD-OOM", ("mlflow",), all_of(
        dies(MLFLOW, code=137, reason="OOMKilled", restarts=7), warned(
            JAEGER, "BackOff", "Back-off restarting failed container jaeger in pod jaeger", 3 * HOUR)), "mlflow"),
    Case("mlflow-without-a-service", "TD-SERVICE-EMPTY", ("serving",), _mlflow_unserved, "mlflow"),
    Case("store-of-another-release", "TD-SERVICE-EMPTY", ("objectstore", "lake"), _wrong_label(
        "data", "objectstore", "app.kubernetes.io/instance", "minio", lambda scene: scene.away("objectstore")),
        "objectstore"),
    Case("prometheus-reaches-nobody", "TD-POLICY-BLOCKED", (), _unscraped),
    Case("features-only-for-labs", "TD-POLICY-BLOCKED", ("serving",), _features_fenced),
    Case("database-locked-down", "TD-POLICY-BLOCKED", ("mlflow",), _database_fenced),
    Case("program-not-in-the-image", "TD-POD-CRASH", ("page",), _not_started(PAGE, 128, _OCI.format("page")), "page"),
    Case("image-for-another-processor", "TD-POD-CRASH", ("feature",), dies(
        FEATURE, "exec /usr/bin/python3: exec format error", code=255, rolled=True), "feature"),
    Case("older-database-than-the-server", "TD-POD-CRASH", ("postgres",), dies(
        POSTGRES, "2026-11-27 16:51:30.118 UTC [1] FATAL:  database files are incompatible with server",
        f"2026-11-27 16:51:30.118 UTC [1] DETAIL:  {_VERSION}"), "postgres"),
    Case("registry-of-a-newer-mlflow", "TD-POD-CRASH", ("mlflow",), _migrates_badly, "mlflow"),
    Case("configuration-badly-indented", "TD-POD-CRASH", (), dies(
        PROMETHEUS, 'level=ERROR source=main.go:643 msg="Error loading config (--config.file=/etc/prometheus/prometheus'
        '.yaml)" err="parsing YAML file: yaml: line 14: did not find expected key"', code=2), "prometheus"),
    Case("broker-has-no-identity", "TD-POD-CRASH", (), dies(
        KAFKA, 'Exception in thread "main" java.lang.RuntimeException: No readable meta.properties files found.',
        restarts=9), "kafka"),
    Case("proxy-does-not-know-a-field", "TD-POD-CRASH", ("gateway",), dies(
        PROXY, "[2026-11-27 16:51:20.118][1][critical][main] error initializing config ' admin: ...': Protobuf message "
        "(type envoy.config.bootstrap.v3.Bootstrap reason INVALID_ARGUMENT: no such field: 'overload_managr') has "
        "unknown fields", rolled=True), "gateway"),
    Case("centre-divides-by-nothing", "TD-POD-CRASH", (), dies(
        _CENTRE, "Traceback (most recent call last):", "ZeroDivisionError: division by zero", restarts=4,
        backing_off=False), "centre", labs=("01",)),
    Case("liveness-shorter-than-a-run", "TD-PROBE-FAILING", ("serving",), all_of(_probed(
        STABLE, "livenessProbe", {"timeoutSeconds": 1, "periodSeconds": 1, "failureThreshold": 1}, hung(
            STABLE, probe="Liveness", said=_TOO_SLOW, restarts=17)), unserved), "serving-stable"),
    Case("redis-asked-at-another-port", "TD-PROBE-FAILING", ("redis",), _probed(
        REDIS, "startupProbe", {"tcpSocket": {"port": 6380}}, hung(
            REDIS, said=_LISTENS, probe="Startup", restarts=5)), "redis"),
    Case("jaeger-asked-for-a-page-it-lacks", "TD-PROBE-FAILING", (), _probed(
        JAEGER, "livenessProbe", {"httpGet": {"path": "/health", "port": 16686, "scheme": "HTTP"}}, hung(
            JAEGER, said="Liveness probe failed: HTTP probe failed with statuscode: 404", restarts=9)), "jaeger"),
    Case("store-asked-over-tls", "TD-PROBE-FAILING", ("objectstore",), _probed(
        OBJECTSTORE, "readinessProbe", {"httpGet": {"path": "/health", "port": 7070, "scheme": "HTTPS"}}, hung(
            OBJECTSTORE, said='Readiness probe failed: Get "https://10.244.0.33:7070/health": http: server gave HTTP '
            "response to HTTPS client")), "objectstore"),
    Case("database-recovers-for-long", "TD-PROBE-FAILING", ("mlflow",), _recovering, "postgres"),
    Case("controller-without-its-port", "TD-PROBE-FAILING", ("gateway",), _probed(
        CONTROLLER, "readinessProbe", {"httpGet": {"path": "/readyz", "port": 8082, "scheme": "HTTP"}}, hung(
            CONTROLLER, said='Readiness probe failed: Get "http://10.244.0.40:8082/readyz": dial tcp 10.244.0.40:8082: '
            "connect: connection refused")), "envoy-gateway"),
)  # fmt: skip
