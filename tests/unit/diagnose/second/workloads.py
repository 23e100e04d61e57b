"""The second set: what befalls a pod of any component, of several the one, often with an innocent oddity beside."""

from __future__ import annotations

from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    FEATURE,
    FOLLOW,
    JAEGER,
    KAFKA,
    MLFLOW,
    OBJECTSTORE,
    PAGE,
    POSTGRES,
    PRODUCER,
    PROMETHEUS,
    REDIS,
    STABLE,
    WATCH,
    Target,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import Scene, Shape
from unit.diagnose.second.tools import (
    Play,
    crashed,
    emptied,
    ends,
    fallen,
    init,
    nameless,
    no_endpoints,
    own,
    policy,
    quota,
    shaped,
    twin,
)

_NO_SERVER = (
    "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed: connection to server at "
    '"10.96.40.7", port 5432 failed: Connection refused'
)


def _setting(target: Target, name: str, value: str, what: str, remedy: str) -> Play:
    def play(scene: Scene) -> None:
        scene.env(target, name, value)
        told = scene.line(
            "runtime.process", f"environment variable {name}={value!r} {what}", "error", remedy=remedy,
            kind="BadSetting",
        )  # fmt: skip
        scene.rolled(target.place, scene.crashes(told, code=2, restarts=4))

    return play


def _address(target: Target, name: str, value: str, told: tuple[str, str, str]) -> Play:
    def play(scene: Scene) -> None:
        scene.env(target, name, value)
        line = scene.line(told[0], told[1], cause=told[2])
        scene.rolled(target.place, scene.hangs(line, line))

    return play


def _one_of_three(shape: Play) -> Play:
    """Hit one of the three edge pods; the others serve."""

    def play(scene: Scene) -> None:
        shape(scene)
        scene.workload(*own(scene, "edge"))["status"] |= {"readyReplicas": 2, "availableReplicas": 2}

    return play


def _edge(scene: Scene, shape: Shape) -> None:
    place = own(scene, "edge")
    shaped(scene, [pod for pod in scene.pods(*place) if pod["metadata"]["name"] == "edge-1"], shape)


def _begin(target: Target, name: str, *lines: str, code: int, reason: str) -> Play:
    """Let an init container be ended again and again."""

    def play(scene: Scene) -> None:
        def shape(pod: Json) -> None:
            ended: Json = {"exitCode": code, "reason": reason, "startedAt": scene.at(70), "finishedAt": scene.at(66)}
            back = f"back-off 2m40s restarting failed container={name} pod={pod['metadata']['name']}_{target.namespace}"
            init(pod, name, "CrashLoopBackOff", back, ended)
            scene.not_ready(pod, *(each["name"] for each in pod["spec"]["containers"]))
            scene.words(pod, *lines, container=name)
            pod["told"] = [("BackOff", f"Back-off restarting failed container {name}")]

        scene.fallen(target.place, shape)

    return play


def _init_secret(scene: Scene) -> None:
    told = "couldn't find key password in Secret data/postgres-mlflow"

    def shape(pod: Json) -> None:
        init(pod, "migrate", "CreateContainerConfigError", told)
        scene.not_ready(pod, *(each["name"] for each in pod["spec"]["containers"]))
        pod["told"] = [("Failed", f"Error: {told}")]

    scene.fallen(MLFLOW.place, shape)


def _unmounted(target: Target, volume: str, why: str) -> Play:
    told = f'MountVolume.SetUp failed for volume "{volume}" : {why}'
    return fallen(target, lambda scene: scene.creating(("FailedMount", told)))


def _pods_quota(scene: Scene) -> None:
    quota("data", "team-data", {"pods": "3"}, {"pods": "3"})(scene)
    scene.refused(MLFLOW.place, 'pods "mlflow-77d8b9c6f5-4kq2z" is forbidden: exceeded quota: team-data, requested: '
                  "pods=1, used: pods=3, limited: pods=3")  # fmt: skip


def _unlimited(scene: Scene) -> None:
    """Let a quota count limits of cores, which a release has just dropped."""
    for each in scene.workload(*JAEGER.place)["spec"]["template"]["spec"]["containers"]:
        each["resources"]["limits"].pop("cpu", None)
    hard = {"limits.cpu": "8"}
    quota("platform", "compute", hard, {"limits.cpu": "5500m"})(scene)
    scene.refused(JAEGER.place, 'pods "jaeger-77d8b9c6f5-n5x8c" is forbidden: failed quota: compute: must specify '
                  "limits.cpu for: jaeger")  # fmt: skip


def _host_path(scene: Scene) -> None:
    scene.refused(PROMETHEUS.place, 'pods "prometheus-77d8b9c6f5-hx2vq" is forbidden: violates PodSecurity '
                  '"baseline:latest": hostPath volumes (volume "data")')  # fmt: skip


def _user(scene: Scene) -> None:
    told = (
        'container has runAsNonRoot and image has non-numeric user (page), cannot verify user is non-root (pod: "page-'
        '77d8b9c6f5-hx2vq_platform(0c9d)", container: page)'
    )
    scene.rolled(PAGE.place, scene.waits("CreateContainerConfigError", told, ("Failed", f"Error: {told}")))


def _copy(namespace: str, name: str) -> Play:
    """Let one copy of a Secret hold what the others do not."""

    def play(scene: Scene) -> None:
        for each in scene.health["copies"]:
            if (each["namespace"], each["name"]) == (namespace, name):
                each["marks"] = ["e4d1700b", *each["marks"][1:]]

    return play


def _lab_password(scene: Scene) -> None:
    """Let only the lab's own consumer be refused: the chain's get in."""
    _copy(scene.own, "redis")(scene)
    refused = "WRONGPASS invalid username-password pair or user is disabled."
    line = scene.line("ingest.online", "the online store does not take rows", cause=refused)
    scene.fallen(own(scene, "speed"), scene.hangs(line, line))


def _store_key(scene: Scene) -> None:
    """Let the lake's key for the object store be no key that it knows."""
    _copy("chain", "objectstore")(scene)
    cause = (
        "Generic S3 error: Error performing GET http://objectstore.data.svc:7070/lake?list-type=2&prefix=gold in 3.4ms "
        '- Server returned non-2xx status code: 403 Forbidden: <?xml version="1.0" encoding="UTF-8"?><Error><Code>'
        "InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.</Message>"
        "</Error>"
    )
    scene.complains(BRONZE.place, scene.line("ingest.bronze.writer", "the lake does not take events", cause=cause))
    scene.complains(WATCH.place, scene.line("lake.quality.watch", "the lake cannot be read", cause=cause))


def _track(scene: Scene) -> None:
    """Let the Service of the stable servers ask for a track that there is none of."""
    for each in scene.objects("Service", "chain", "serving-stable"):
        each["spec"]["selector"]["tarmac.dev/track"] = "blue"
    emptied(scene, "chain", "serving-stable")
    no_endpoints(scene)


def _database_service(scene: Scene) -> None:
    for each in scene.objects("Service", "data", "postgres"):
        each["spec"]["selector"]["app.kubernetes.io/component"] = "primary"
    emptied(scene, "data", "postgres")
    scene.complains(MLFLOW.place, _NO_SERVER)


def _fenced(scene: Scene) -> None:
    """Let only the platform's own namespace reach the broker."""
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "platform"}}}]}
    labels = {"matchLabels": {"app.kubernetes.io/name": "kafka"}}
    policy("platform", "kafka", podSelector=labels, policyTypes=["Ingress"], ingress=[rule])(scene)
    line = scene.line("runtime.patience", "waiting for Kafka", seconds=130, cause="KafkaConnectionError('connection "
                      "timed out')")  # fmt: skip
    for target in (PRODUCER, CONSUMER):
        scene.complains(target.place, line)
    scene.health["figures"]["produced"] = []


def _no_way_out(scene: Scene) -> None:
    """Let nothing leave the chain, not even questions for names: it sounds as if DNS were gone."""
    policy("chain", "default-deny-egress", podSelector={}, policyTypes=["Egress"])(scene)
    nameless(scene)
    scene.complains(PRODUCER.place, scene.line("runtime.patience", "waiting for Kafka", seconds=55,
                                               cause="DnsResolutionError('kafka.platform.svc:9092')"))  # fmt: skip


def _probes(target: Target, kind: str, probe: Json, message: str, *, kills: bool = False) -> Play:
    """Change a probe so that the kubelet ends what is well, or never takes it for ready."""

    def play(scene: Scene) -> None:
        for each in scene.workload(*target.place)["spec"]["template"]["spec"]["containers"]:
            if each["name"] == target.container:
                each[kind] = (each.get(kind) or {}) | probe
        ended = scene.crashes(code=137, restarts=8, backing_off=False)

        def killed(pod: Json) -> None:
            ended(pod)
            pod["told"].append(("Unhealthy", message))

        scene.fallen(target.place, killed if kills else scene.hangs(said=message))

    return play


def _second_server(scene: Scene) -> None:
    twin(scene, STABLE, scene.crashes("terminate called after throwing an instance of 'std::bad_alloc'", code=134))


_AOF = "Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup of your AOF file, then "
_NO_STORE = (
    "Generic S3 error: Error performing GET http://objectstore.data.svc:9000/lake in 30.1s, after 10 retries: error "
    "sending request: tcp connect error: Connection refused (os error 111)"
)
_NO_ROOM = "0/1 nodes are available: 1 {}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No "
_VICTIMS = "preemption victims found for incoming pod."
CASES: tuple[Case, ...] = (
    Case("no-more-pods-allowed", "TD-QUOTA-REFUSED", ("mlflow",), _pods_quota, "mlflow"),
    Case("quota-wants-limits", "TD-QUOTA-REFUSED", (), _unlimited, "jaeger"),
    Case("folder-of-the-node", "TD-SECURITY-REFUSED", (), _host_path, "prometheus"),
    Case("user-by-name", "TD-SECURITY-REFUSED", ("page",), _user, "page"),
    Case("too-many-pods", "TD-POD-NO-ROOM", ("feature",), fallen(FEATURE, lambda scene: scene.pending(
        _NO_ROOM.format("Too many pods") + _VICTIMS), rolled=True), "feature"),
    Case("no-scratch-space-for-server", "TD-POD-NO-ROOM", ("serving",), fallen(STABLE, lambda scene: scene.pending(
        _NO_ROOM.format("Insufficient ephemeral-storage") + _VICTIMS), rolled=True), "serving-stable"),
    Case("projected-secret-deleted", "TD-SECRET-MISSING", ("postgres",), _unmounted(
        POSTGRES, "secret", 'secret "postgres-mlflow" not found'), "postgres"),
    Case("secret-key-of-a-volume", "TD-SECRET-MISSING", ("redis",), _unmounted(
        REDIS, "secret", "references non-existent secret key: password"), "redis"),
    Case("secret-of-an-init-container", "TD-SECRET-MISSING", ("mlflow",), _init_secret, "mlflow"),
    Case("speed-is-a-word", "TD-SETTING-BAD", (), _setting(
        PRODUCER, "TARMAC_SPEEDUP", "fast", "cannot be read", "give it a number"), "ingest-producer"),
    Case("status-is-none", "TD-SETTING-BAD", ("feature",), _setting(
        FEATURE, "TARMAC_STATUSES", "exactly", "is none of its values", "give it exact, feast"), "feature"),
    Case("password-of-the-lab", "TD-PASSWORD-WRONG", ("redis",), _lab_password, labs=("02",)),
    Case("key-of-the-lake", "TD-PASSWORD-WRONG", ("lake",), _store_key),
    Case("store-at-the-usual-port", "TD-ADDRESS-WRONG", ("lake",), _address(
        BRONZE, "TARMAC_S3_ENDPOINT", "http://objectstore.data.svc:9000", ("ingest.bronze.writer",
        "the lake does not take events", _NO_STORE)),
        "lake-bronze"),
    Case("gateway-of-another-namespace", "TD-ADDRESS-WRONG", ("serving",), _address(
        FOLLOW, "TARMAC_GATEWAY", "http://gateway.chain.svc:8080", ("serving.workers.follow", "no answer",
        "ConnectError('[Errno -2] Name or service not known')")), "serving-follow"),
    Case("store-killed", "TD-POD-OOM", ("objectstore",), ends(
        OBJECTSTORE, code=137, reason="OOMKilled", restarts=5), "objectstore"),
    Case("exporter-killed", "TD-POD-OOM", ("redis",), ends(
        REDIS, code=137, reason="OOMKilled", restarts=11, index=1), "redis"),
    Case("migration-killed", "TD-POD-OOM", ("mlflow",), _begin(
        MLFLOW, "migrate", code=137, reason="OOMKilled"), "mlflow"),
    Case("one-of-three-killed", "TD-POD-OOM", (), _one_of_three(lambda scene: _edge(scene, scene.crashes(
        code=137, reason="OOMKilled", restarts=4))), "edge", labs=("01",)),
    Case("track-of-no-pod", "TD-SERVICE-EMPTY", ("serving",), _track, "serving-stable"),
    Case("database-service-of-no-pod", "TD-SERVICE-EMPTY", ("mlflow",), _database_service, "postgres"),
    Case("broker-fenced", "TD-POLICY-BLOCKED", (), _fenced),
    Case("no-way-out", "TD-POLICY-BLOCKED", (), _no_way_out),
    Case("append-only-file-torn", "TD-POD-CRASH", ("redis",), crashed(
        REDIS, f"1:M 27 Nov 2026 16:51:30.118 # {_AOF}use ./redis-check-aof --fix <filename.manifest>"), "redis"),
    Case("flag-misspelt", "TD-POD-CRASH", (), crashed(JAEGER, "Error: unknown flag: --memory.max-trace"), "jaeger"),
    Case("volume-read-only", "TD-POD-CRASH", ("objectstore",), _begin(
        OBJECTSTORE, "buckets", "mkdir: cannot create directory '/data/objects': Read-only file system", code=1,
        reason="Error"), "objectstore"),
    Case("one-of-three-ends", "TD-POD-CRASH", (), _one_of_three(lambda scene: _edge(scene, scene.crashes(
        "sqlite3.DatabaseError: database disk image is malformed", restarts=9))), "edge", labs=("01",)),
    Case("one-of-two-ends", "TD-POD-CRASH", ("serving",), _second_server, "serving-stable"),
    Case("slow-start-is-cut", "TD-PROBE-FAILING", ("mlflow",), _probes(
        MLFLOW, "startupProbe", {"failureThreshold": 3, "periodSeconds": 1}, 'Startup probe failed: Get '
        '"http://10.244.0.48:5000/health": dial tcp 10.244.0.48:5000: connect: connection refused', kills=True),
        "mlflow"),
    Case("probe-calls-no-program", "TD-PROBE-FAILING", ("redis",), _probes(
        REDIS, "startupProbe", {"exec": {"command": ["redis-ping"]}}, "Startup probe errored and resulted in unknown "
        'state: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "9c1f": OCI runtime '
        'exec failed: exec failed: unable to start container process: exec: "redis-ping": executable file not found in '
        "$PATH"), "redis"),
    Case("broker-asked-at-a-closed-port", "TD-PROBE-FAILING", (), _probes(
        KAFKA, "readinessProbe", {"tcpSocket": {"port": 9094}}, "Readiness probe failed: dial tcp 10.244.0.9:9094: "
        "connect: connection refused"), "kafka"),
)  # fmt: skip
