"""The second set: faults whose noise is elsewhere, that hit one pod of several, or have an innocent oddity beside."""

from __future__ import annotations

from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    CONTROLLER,
    DNS,
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
    PROVISIONER,
    PROXY,
    REDIS,
    STABLE,
    WATCH,
    Target,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import HOUR, MINUTE, Scene, Shape
from unit.diagnose.second.tools import (
    Play,
    all_of,
    emptied,
    ends,
    fallen,
    gone,
    init,
    left,
    own,
    policy,
    quota,
    said,
    shaped,
    twin,
    unbound,
)

_UNRESOLVED = "ConnectError('[Errno -3] Temporary failure in name resolution')"
_NO_BUCKET = (
    "An error occurred (NoSuchBucket) when calling the ListObjectsV2 operation: The specified bucket does not exist"
)
_NO_SERVER = (
    "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) connection failed: connection to server at "
    '"10.96.40.7", port 5432 failed: Connection refused'
)
_NO_REDIS = "ConnectionRefusedError: [Errno 111] Connect call failed ('10.96.88.12', 6379)"
_HELPLESS = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
_TAINTED = "0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, " + _HELPLESS
_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"

# The cluster --------------------------------------------------------------------------------------------------------


def _etcd(scene: Scene) -> None:
    """Let the API server have lost its store: it listens, and answers nothing; what runs goes on."""
    scene.health |= {"objects": [], "events": [], "copies": [], "logs": {}}
    scene.health["machine"]["skew_seconds"] = None
    scene.state |= {"objects": [], "versions": {"kubernetes": ""}}
    scene.problem(
        "kubernetes",
        "ReadTimeoutError: HTTPSConnectionPool(host='127.0.0.1', port=16443): Read timed out. (read timeout=10)",
    )


def _client_certificate(scene: Scene) -> None:
    """Let the certificate with which the proxy asks its controller be over; routes and Services are whole."""
    proxy = (
        "[2026-11-27 16:51:40.120][1][warning][config] [./source/extensions/config_subscription/grpc/grpc_stream.h:226]"
        " DeltaAggregatedResources gRPC config stream to xds_cluster closed: 14, upstream connect error or disconnect/"
        "reset before headers. reset reason: remote connection failure, transport failure reason: TLS_error:|"
        "268436501:SSL routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_EXPIRED:TLS_error_end"
    )
    controller = (
        "2026-11-27T16:51:40.119Z\twarn\txds\tgrpc: addrConn.createTransport failed: tls: failed to verify certificate:"
        " x509: certificate has expired or is not yet valid: current time 2026-11-27T16:51:40Z is after "
        "2026-11-27T04:25:49Z"
    )
    scene.fallen(PROXY.place, scene.hangs(proxy, proxy))
    scene.utter(CONTROLLER.place, controller, container="controller")
    scene.door("gateway", 0, "ConnectError: [Errno 104] Connection reset by peer")


def _slept(scene: Scene) -> None:
    """Let the virtual machine's clock have stood still: certificates of today are of tomorrow to it."""
    scene.health["machine"]["skew_seconds"] = -26400.0
    line = (
        "[2026-11-27 09:31:40.120][1][warning][config] DeltaAggregatedResources gRPC config stream to xds_cluster "
        "closed: 14, upstream connect error or disconnect/reset before headers. reset reason: remote connection "
        "failure, transport failure reason: TLS_error:|268435581:SSL routines:OPENSSL_internal:"
        "CERTIFICATE_VERIFY_FAILED:verify cert failed: certificate is not yet valid:TLS_error_end"
    )
    scene.fallen(PROXY.place, scene.hangs(line, line))


def _runtime_hangs(scene: Scene) -> None:
    """Let the container runtime not answer the kubelet; whatever needs an exec or a new pod stands still."""
    told = (
        "[container runtime is down, PLEG is not healthy: pleg was last seen active 6m12.118s ago; threshold is 3m0s]"
    )
    for each in scene.node["status"]["conditions"]:
        if each["type"] == "Ready":
            each |= {"status": "False", "reason": "KubeletNotReady", "message": told}
    scene.node["spec"]["taints"] = [
        {"key": "node.kubernetes.io/not-ready", "effect": effect} for effect in ("NoSchedule", "NoExecute")
    ]
    name = scene.node["metadata"]["name"]
    scene.warn("Node", "", name, "ContainerGCFailed", "rpc error: code = DeadlineExceeded desc = context deadline "
               "exceeded", ago=40)  # fmt: skip
    for place in scene.all():
        for pod in scene.pods(*place):
            for each in pod["status"]["conditions"]:
                if each["type"] == "Ready":
                    each["status"] = "False"
            scene.warn("Pod", place[0], pod["metadata"]["name"], "NodeNotReady", "Node is not ready", ago=2 * MINUTE)
        scene.unready(place)


def _pressed(scene: Scene, kind: str, reason: str, taint: str, message: str, *targets: Target) -> None:
    for each in scene.node["status"]["conditions"]:
        if each["type"] == kind:
            each |= {"status": "True", "reason": reason, "message": f"kubelet has {reason}"}
    scene.node["spec"]["taints"] = [{"key": f"node.kubernetes.io/{taint}", "effect": "NoSchedule"}]
    for target in targets:
        for number in range(3):
            old = left(scene, target, f"{target.name}-5f6d7c8b9-ev{number}x", ("Evicted", message), 300 - 60 * number)
            scene.warn("Pod", target.namespace, old["metadata"]["name"], "Evicted", message, ago=280 - 60 * number)
        scene.fallen(target.place, scene.pending(_TAINTED))


def _disk_of_images(scene: Scene) -> None:
    """Let a full disk evict again and again, and have cost an image: the missing image is the louder one."""
    scene.health["machine"]["disk_free"] = 400 << 20
    message = (
        "The node was low on resource: ephemeral-storage. Threshold quantity: 7730941132, available: 409600Ki. "
        "Container jaeger was using 28Ki, request is 0, has larger consumption of ephemeral-storage. "
    )
    _pressed(scene, "DiskPressure", "KubeletHasDiskPressure", "disk-pressure", message, JAEGER, PROMETHEUS)
    scene.warn(
        "Node", "", scene.node["metadata"]["name"], "ImageGCFailed", "Failed to garbage collect required amount of "
        "images. Attempted to free 4830134272 bytes, but only found 212336640 bytes eligible to free.", ago=50
    )  # fmt: skip


def _disk_of_database(scene: Scene) -> None:
    scene.health["machine"]["disk_free"] = 0
    _crashed(
        POSTGRES,
        '2026-11-27 16:51:30.118 UTC [29] PANIC:  could not write to file "pg_wal/xlogtemp.29": No space left on '
        "device",
        "2026-11-27 16:51:30.131 UTC [1] LOG:  startup process (PID 29) was terminated by signal 6: Aborted",
        "2026-11-27 16:51:30.131 UTC [1] LOG:  aborting startup due to startup process failure",
    )(scene)


def _memory(scene: Scene) -> None:
    message = (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88172Ki. Container objectstore "
        "was using 201184Ki, request is 48Mi, has larger consumption of memory. "
    )
    _pressed(scene, "MemoryPressure", "KubeletHasInsufficientMemory", "memory-pressure", message, OBJECTSTORE, CONSUMER)


def _watchers(scene: Scene) -> None:
    scene.health["machine"]["inotify"] = {"max_user_watches": 8192, "max_user_instances": 128}
    scene.fallen(
        CONTROLLER.place,
        scene.crashes("Error: failed to create a config loader: failed to create watcher: too many open files"),
    )  # fmt: skip


def _dedicated(scene: Scene) -> None:
    """Let the node have been given to others, after which a release and a restart find no place."""
    scene.node["spec"]["taints"] = [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}]
    scene.rolled(PRODUCER.place, scene.pending(_TAINTED))
    scene.rolled(JAEGER.place, scene.pending(_TAINTED))


def _nameless(scene: Scene) -> None:
    for target, logger, event, cause in (
        (CONSUMER, "runtime.broker", "poll failed", "DnsResolutionError('kafka.platform.svc:9092')"),
        (FEATURE, "feature.wire", "no connection to Redis", "[Errno -3] Temporary failure in name resolution"),
        (FOLLOW, "serving.workers.follow", "no answer", _UNRESOLVED),
    ):  # fmt: skip
        if scene.objects("Deployment", "chain", target.name):
            scene.complains(target.place, scene.line(logger, event, cause=cause))


def _corefile(scene: Scene) -> None:
    line = "/etc/coredns/Corefile:8 - Error during parsing: Unknown directive 'kubernets'"
    scene.fallen(DNS.place, scene.crashes(line, restarts=7))
    _nameless(scene)


def _no_dns(scene: Scene) -> None:
    scene.gone(DNS.place, kept=False)
    _nameless(scene)


# Images and storage -------------------------------------------------------------------------------------------------


def _unpulled(target: Target, image: str, why: str) -> Play:
    def play(scene: Scene) -> None:
        told = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {why}'
        scene.image(target, image)
        shape = scene.waits(
            "ErrImagePull", told, ("Failed", f'Failed to pull image "{image}": {told}'),
            ("Failed", "Error: ErrImagePull"), image=image,
        )  # fmt: skip
        scene.rolled(target.place, shape)

    return play


def _node_made_anew(scene: Scene) -> None:
    """Let one image of this machine's be lost that two workloads are made of."""
    image = scene.image_of(CONSUMER)
    name, _, tag = image.removeprefix("tarmac.local/").partition(":")
    told = (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: '
        f'Head "https://tarmac.local/v2/{name}/manifests/{tag}": dial tcp: lookup tarmac.local on 172.18.0.1:53: no '
        "such host"
    )
    for target in (PRODUCER, CONSUMER):
        scene.fallen(
            target.place,
            scene.waits("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {told}',
                        ("Failed", f'Failed to pull image "{image}": {told}'), ("Failed", "Error: ImagePullBackOff")),
        )  # fmt: skip


def _sidecar_image(scene: Scene) -> None:
    """Let Prometheus run, and the container that tells it what to read not."""

    def shape(pod: Json) -> None:
        status = pod["status"]["containerStatuses"][1]
        told = f'Container image "{status["image"]}" is not present with pull policy of Never'
        status |= {"state": {"waiting": {"reason": "ErrImageNeverPull", "message": told}}, "lastState": {}}
        scene.not_ready(pod, status["name"])
        pod["told"] = [("ErrImageNeverPull", told), ("Failed", "Error: ErrImageNeverPull")]

    scene.fallen(PROMETHEUS.place, shape)


def _name(target: Target, image: str) -> Play:
    def play(scene: Scene) -> None:
        scene.image(target, image)
        told = (
            f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference '
            "format"
        )
        events = ("InspectFailed", told), ("Failed", "Error: InvalidImageName")
        scene.rolled(target.place, scene.waits("InvalidImageName", told, *events, image=image))

    return play


def _no_provisioner(scene: Scene) -> None:
    """Take the provisioner away: a new volume is waited for, and it is the database that is heard."""
    scene.gone(PROVISIONER.place, kept=True)
    unbound(scene, "data", "data-postgres-0", "standard")
    scene.fallen(
        POSTGRES.place,
        scene.pending('running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'),
    )


def _claim(target: Target, name: str, storage: str, reason: str, message: str) -> Play:
    def play(scene: Scene) -> None:
        unbound(scene, target.namespace, name, storage)
        scene.warn("PersistentVolumeClaim", target.namespace, name, reason, message)
        told = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
        scene.fallen(target.place, scene.pending(told))

    return play


# What is gone, and who is loud about it -----------------------------------------------------------------------------


def _loud(broken: Play, *crashing: tuple[Target, str]) -> Play:
    """Let neighbours end again and again for want of what is broken, an innocent restart of Jaeger among them."""

    def play(scene: Scene) -> None:
        broken(scene)
        for target, line in crashing:
            if scene.objects(target.kind, target.namespace, target.name):
                scene.fallen(target.place, scene.crashes(line, restarts=9))
        for pod in scene.pods(*JAEGER.place):
            ended = {"exitCode": 2, "reason": "Error", "finishedAt": scene.at(5 * HOUR)}
            pod["status"]["containerStatuses"][0] |= {"restartCount": 2, "lastState": {"terminated": ended}}

    return play


def _heap(scene: Scene) -> None:
    """Let the broker's heap be used up: its port opens, its threads are dead."""
    scene.state |= {"topics": {}, "groups": {}}
    scene.problem("kafka", "NotConverged: Kafka does not do what was asked: KafkaTimeoutError: Request timed out after "
                  "30000 ms")  # fmt: skip
    line = scene.line("runtime.broker", "poll failed", cause="RequestTimedOutError('Request timed out after 30500 ms')")
    for target in (PRODUCER, CONSUMER):
        scene.complains(target.place, line)
    scene.utter(
        KAFKA.place,
        "[2026-11-27 16:49:11,004] ERROR [KafkaApi-1] Unexpected error handling request RequestHeader(apiKey=FETCH, "
        "apiVersion=17) (kafka.server.KafkaApis)", "java.lang.OutOfMemoryError: Java heap space",
    )  # fmt: skip
    scene.health["figures"]["produced"] = []


def _topic(name: str, *plays: Play) -> Play:
    def play(scene: Scene) -> None:
        scene.state["topics"].pop(name, None)
        for groups in scene.state["groups"].values():
            groups.pop(name, None)
        for each in plays:
            each(scene)

    return play


def _edge_topic(scene: Scene) -> None:
    cause = "UnknownTopicOrPartitionError('[Error 3] UNKNOWN_TOPIC_OR_PARTITION: lab-01.edge')"
    scene.complains(own(scene, "centre"), scene.line("runtime.patience", "waiting for Kafka", seconds=90, cause=cause))


def _bucket(scene: Scene) -> None:
    """Take MLflow's bucket: registry and database are well, the files of models are not to be had."""
    lines = (
        f"botocore.errorfactory.NoSuchBucket: {_NO_BUCKET}",
        'INFO:     10.244.0.53:40122 - "GET /api/2.0/mlflow/artifacts/list HTTP/1.1" 500 Internal Server Error',
    )
    scene.utter(MLFLOW.place, *lines)
    what = f"models of the registry: MLflow at http://mlflow.data.svc:5000, GET artifacts/list: 500 {_NO_BUCKET}"
    scene.complains(STABLE.place, scene.line("serving.stock", what))


def _full(scene: Scene) -> None:
    """Let Redis refuse what a nightly job writes; the job's failure is what one sees."""
    job = scene.job("lake", "chain", "lake-build", code=1)
    job["metadata"]["name"] = "lake-build-29929990-ttx9k"
    job["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = scene.at(3 * MINUTE)
    told = "command not allowed when used memory > 'maxmemory'."
    scene.words(job, f"redis.exceptions.OutOfMemoryError: {told}")
    scene.warn("Job", "chain", "lake-build-29929990", "BackoffLimitExceeded", "Job has reached the specified backoff "
               "limit", ago=2 * MINUTE)  # fmt: skip
    scene.health["figures"]["redis_refused"] = [{"labels": {}, "value": 18204.0}]
    cause = f"OOM {told}"
    scene.complains(CONSUMER.place, scene.line("ingest.online", "the online store does not take rows", cause=cause))


def _quiet_producer(scene: Scene) -> None:
    scene.gone(PRODUCER.place, kept=True)
    scene.health["figures"]["produced"] = []
    if scene.health["figures"]["feature_staleness"]:
        scene.figure("feature_staleness", "weather_by_origin", 900)


def _slow_topic(scene: Scene) -> None:
    """Let one topic of three be left behind by a consumer that says that it is well."""
    scene.figure("lag", "weather.read.v1", 91204)
    scene.figure("lag_growth", "weather.read.v1", 1410)
    for each in scene.state["groups"]["ingest"]["weather.read.v1"]:
        each["lag"] += 91204


def _poisoned(scene: Scene) -> None:
    scene.figure("dead_letters", "flight.arrived.v1", 37)
    scene.state["topics"]["dead-letter.v1"]["end"] = [37]
    scene.state["metrics"]["dead_letters"] = [{"labels": {}, "value": 37.0}]


def _no_endpoints(scene: Scene) -> None:
    """Let the gateway have nobody to send to, and say so loudest."""
    scene.door("gateway", 503, "no healthy upstream")
    line = scene.line("serving.workers.follow", "no prediction", status=503, reason="no healthy upstream")
    scene.utter(FOLLOW.place, line, line, line)


def _unpredicted(scene: Scene, status: int, reason: str) -> None:
    line = scene.line("serving.workers.follow", "no prediction", status=status, reason='{"error":"' + reason + '"}')
    scene.utter(FOLLOW.place, line, line)


def _unregistered(scene: Scene) -> None:
    """Let the model have been deleted that is asked for; others are registered."""
    del scene.state["models"]["delay-boosting"]
    _unpredicted(scene, 404, "model delay-boosting is unknown - register a version of it first")


def _no_champion(scene: Scene) -> None:
    scene.state["models"]["delay-boosting"] = {"aliases": {"challenger": "3"}, "versions": [1, 2, 3]}
    told = "model delay-boosting has no version or alias champion"
    scene.utter(STABLE.place, scene.line("serving.repository.repository", told, remedy="there are challenger, 1, 2, 3"))
    _unpredicted(scene, 404, f"{told} - there are challenger, 1, 2, 3")


def _not_loaded(kind: str, what: str, remedy: str) -> Play:
    """Promote a version that cannot be served; the one before goes on."""

    def play(scene: Scene) -> None:
        scene.state["models"]["delay-boosting"] = {"aliases": {"champion": "4"}, "versions": [1, 2, 3, 4]}
        told = f"model delay-boosting version 4: {what}"
        line = scene.line(
            "serving.repository.repository", told, "error", model="delay-boosting", version="4", kind=kind,
            remedy=remedy,
        )  # fmt: skip
        scene.utter(STABLE.place, line, line)
        scene.figure("models_refused", "delay-boosting", 7)

    return play


def _unattached(scene: Scene) -> None:
    """Let the route be for a Gateway that does not exist: no controller says a word about it."""
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        route["spec"]["parentRefs"][0]["name"] = "gatway"
        route["status"]["parents"] = []
    scene.door("gateway", 404, "")
    line = scene.line("serving.workers.follow", "no prediction", status=404, reason="")
    scene.utter(FOLLOW.place, line, line)


def _not_granted(scene: Scene) -> None:
    told = (
        "Failed to process route rule 0 backendRef 0: backend ref to Service data/serving-stable not permitted by any "
        "ReferenceGrant."
    )
    for route in scene.objects("HTTPRoute", "chain", "serving"):
        route["spec"]["rules"][0]["backendRefs"][0]["namespace"] = "data"
        for each in route["status"]["parents"][0]["conditions"]:
            if each["type"] == "ResolvedRefs":
                each |= {"status": "False", "reason": "RefNotPermitted", "message": told}
    scene.door("gateway", 500, "")
    line = scene.line("serving.workers.follow", "no prediction", status=500, reason="")
    scene.utter(FOLLOW.place, line, line)


def _annotation(scene: Scene) -> None:
    """Let the pod announce its figures at a port that it does not open; it is ready, and works."""
    scene.workload(*PRODUCER.place)["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] = "9102"
    for pod in scene.pods(*PRODUCER.place):
        pod["metadata"].setdefault("annotations", {})["prometheus.io/port"] = "9102"
        for each in scene.health["targets"]:
            if each["pod"] == pod["metadata"]["name"]:
                error = 'Get "http://10.244.0.21:9102/metrics": dial tcp 10.244.0.21:9102: connect: connection refused'
                each |= {"health": "down", "error": error}
    scene.health["figures"]["produced"] = []


def _receiver_off(scene: Scene) -> None:
    """Switch the collector's receiver off; its page goes on."""
    for each in scene.workload(*JAEGER.place)["spec"]["template"]["spec"]["containers"]:
        each["args"] = [arg.replace("otlp.enabled=true", "otlp.enabled=false") for arg in each["args"]]
    event = (
        "Transient error HTTPConnectionPool(host='jaeger.platform.svc', port=4318): Max retries exceeded with url: "
        "/v1/traces (Caused by NewConnectionError(\"HTTPConnection(host='jaeger.platform.svc', port=4318): Failed to "
        'establish a new connection: [Errno 111] Connection refused")) encountered while exporting span batch, retrying'
        " in 1.07s."
    )
    for target in (PRODUCER, CONSUMER):
        said(target, _EXPORTER, event)(scene)
        said(target, _EXPORTER, "Failed to export span batch due to timeout, max retries or shutdown.",
             level="error")(scene)  # fmt: skip
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}


# Pods of any component ----------------------------------------------------------------------------------------------


def _crashed(target: Target, *lines: str, code: int = 1) -> Play:
    return ends(target, *lines, code=code, restarts=7)


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
    _no_endpoints(scene)


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
    _nameless(scene)
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
_UNTRUSTED = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
_NO_ROOM = "0/1 nodes are available: 1 {}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No "
_VICTIMS = "preemption victims found for incoming pod."
CASES: tuple[Case, ...] = (
    Case("api-server-without-etcd", "TD-API-SILENT", (), _etcd),
    Case("client-certificate-over", "TD-CERTIFICATE-EXPIRED", ("gateway",), _client_certificate, "gateway"),
    Case("clock-before-certificates", "TD-CLOCK-SKEW", ("gateway",), _slept),
    Case("runtime-hangs", "TD-NODE-NOT-READY", (), _runtime_hangs),
    Case("evicted-three-times-for-disk", "TD-DISK-FULL", (), _disk_of_images),
    Case("database-cannot-write", "TD-DISK-FULL", ("postgres",), _disk_of_database),
    Case("memory-runs-short", "TD-NODE-PRESSURE", ("objectstore",), _memory),
    Case("controller-cannot-watch", "TD-INOTIFY", ("gateway",), _watchers),
    Case("node-given-to-others", "TD-NODE-CLOSED", (), _dedicated),
    Case("names-misconfigured", "TD-DNS-GONE", (), _corefile),
    Case("names-deleted", "TD-DNS-GONE", (), _no_dns),
    Case("one-image-of-two-workloads", "TD-IMAGE-MISSING", (), _node_made_anew, "ingest"),
    Case("image-of-a-sidecar", "TD-IMAGE-MISSING", (), _sidecar_image, "prometheus"),
    Case("registry-behind-a-proxy", "TD-IMAGE-PULL", ("objectstore",), _unpulled(
        OBJECTSTORE, "ghcr.io/versity/versitygw:v1.6.0", "failed to do request: Head "
        f'"https://ghcr.io/v2/versity/versitygw/manifests/v1.6.0": {_UNTRUSTED}'), "objectstore"),
    Case("registry-times-out", "TD-IMAGE-PULL", (), _unpulled(
        JAEGER, "docker.io/jaegertracing/all-in-one:1.76.0", 'failed to do request: Head "https://registry-1.docker.io/'
        'v2/jaegertracing/all-in-one/manifests/1.76.0": dial tcp 54.227.20.253:443: i/o timeout'), "jaeger"),
    Case("image-name-with-a-space", "TD-IMAGE-NAME", ("mlflow",), _name(
        MLFLOW, "ghcr.io/mlflow/mlflow: v3.6.0"), "mlflow"),
    Case("provisioner-scaled-away", "TD-PROVISIONER-GONE", ("postgres",), _no_provisioner, "provisioner"),
    Case("claim-asks-for-a-selector", "TD-CLAIM-PENDING", ("objectstore",), _claim(
        OBJECTSTORE, "objectstore", "standard", "ProvisioningFailed", 'failed to provision volume with StorageClass '
        '"standard": claim.Spec.Selector is not supported'), "objectstore"),
    Case("claim-of-no-class", "TD-CLAIM-PENDING", (), _claim(
        KAFKA, "data-kafka-0", "", "FailedBinding", "no persistent volumes available for this claim and no storage "
        "class is set"), "kafka"),
    Case("broker-away-and-all-crash", "TD-KAFKA-GONE", (), _loud(
        gone(KAFKA, kept=True),
        (PRODUCER, "runtime.patience.BrokerUnavailable: the producer's connection: NoBrokersAvailable after 60 s"),
        (CONSUMER, "runtime.patience.BrokerUnavailable: the consumer's connection: NoBrokersAvailable after 60 s"),
    ), "kafka"),
    Case("heap-of-the-broker", "TD-KAFKA-SILENT", (), _heap),
    Case("predictions-have-no-topic", "TD-TOPIC-MISSING", ("serving",), _topic("prediction.made.v1", said(
        STABLE, "runtime.broker", "records were given up", times=3,
        cause="UnknownTopicOrPartitionError('[Error 3] UNKNOWN_TOPIC_OR_PARTITION: prediction.made.v1')")),
        "prediction.made.v1"),
    Case("dead-letters-have-no-topic", "TD-TOPIC-MISSING", (), _topic("dead-letter.v1", said(
        CONSUMER, "ingest.consumer", "dead letters wait", cause="UnknownTopicOrPartitionError('dead-letter.v1')")),
        "dead-letter.v1"),
    Case("topic-of-the-edge", "TD-TOPIC-MISSING", (), _topic("lab-01.edge", _edge_topic), "lab-01.edge", labs=("01",)),
    Case("store-deleted", "TD-OBJECTSTORE-GONE", ("objectstore",), gone(OBJECTSTORE, kept=False), "objectstore"),
    Case("bucket-of-mlflow", "TD-BUCKET-MISSING", ("mlflow", "serving"), _bucket),
    Case("database-away-and-mlflow-crashes", "TD-POSTGRES-GONE", ("mlflow",), _loud(
        gone(POSTGRES, kept=False), (MLFLOW, _NO_SERVER)), "postgres"),
    Case("redis-away-and-features-crash", "TD-REDIS-GONE", ("feature",), _loud(
        gone(REDIS, kept=True), (FEATURE, _NO_REDIS)), "redis"),
    Case("nightly-job-finds-redis-full", "TD-REDIS-FULL", ("feature", "lake"), _full),
    Case("nobody-produces", "TD-INGEST-GONE", (), _quiet_producer, "ingest-producer"),
    Case("one-topic-is-left-behind", "TD-INGEST-LAG", (), _slow_topic),
    Case("arrivals-refused", "TD-EVENTS-POISONED", (), _poisoned, "flight.arrived.v1"),
    Case("bronze-deleted", "TD-LAKE-GONE", ("lake",), gone(BRONZE, kept=False), "lake-bronze"),
    Case("features-away-and-predictions-fail", "TD-FEATURE-GONE", ("feature",), gone(FEATURE, kept=True), "feature"),
    Case("delays-of-origins-stand-still", "TD-FEATURES-STALE", ("feature",), lambda scene: scene.figure(
        "feature_staleness", "arrival_delay_by_origin", 4100)),
    Case("mlflow-deleted", "TD-MLFLOW-GONE", ("mlflow",), gone(MLFLOW, kept=False), "mlflow"),
    # First expected to be TD-MODELS-MISSING. But that is a registry that holds no model at all; that a server asks for
    # one that the registry does not have is what TD-ALIAS-WRONG says: no state tells which of the two is wrong.
    Case("served-model-deleted", "TD-ALIAS-WRONG", ("serving",), _unregistered),
    Case("champion-taken-away", "TD-ALIAS-WRONG", ("serving",), _no_champion),
    Case("server-deleted", "TD-SERVING-GONE", ("serving",), all_of(gone(STABLE, kept=False), _no_endpoints),
         "serving-stable"),
    Case("tensors-of-doubles", "TD-SIGNATURE-MISMATCH", ("serving",), _not_loaded(
        "CardWrong", "its tensors are [('float_input', 'FP64', (-1, 14)), ('variable', 'FP64', (-1, 1))], its card asks"
        " for [('features', 'FP32', (-1, 14)), ('delay', 'FP32', (-1, 1))]",
        "export it with the input and output of the contract, or without a card")),
    Case("model-too-large", "TD-MODEL-REFUSED", ("serving",), _not_loaded(
        "TooBig", "its files have more than 100000000 bytes", "set TARMAC_MODEL_BYTES, or make it smaller")),
    Case("model-cut-off", "TD-MODEL-REFUSED", ("serving",), _not_loaded(
        "NotOnnx", "model.onnx is no ONNX model, or is cut off", "export it as ONNX")),
    Case("proxy-scaled-away", "TD-GATEWAY-GONE", ("gateway",), gone(PROXY, kept=True), "gateway"),
    Case("controller-deleted", "TD-GATEWAY-GONE", ("gateway",), gone(CONTROLLER, kept=False), "gateway"),
    Case("route-of-a-misspelt-gateway", "TD-ROUTE-NOWHERE", ("serving",), _unattached),
    Case("route-without-a-grant", "TD-ROUTE-NOWHERE", ("serving",), _not_granted),
    Case("follow-deleted", "TD-FOLLOW-GONE", ("serving",), gone(FOLLOW, kept=False), "serving-follow"),
    Case("prometheus-deleted", "TD-PROMETHEUS-GONE", (), gone(PROMETHEUS, kept=False), "prometheus"),
    Case("figures-at-a-closed-port", "TD-SCRAPE-MISSING", (), _annotation),
    Case("jaeger-scaled-away", "TD-JAEGER-GONE", (), gone(JAEGER, kept=True), "jaeger"),
    Case("receiver-switched-off", "TD-TRACES-BLOCKED", (), _receiver_off),
    Case("page-deleted", "TD-PAGE-GONE", ("page",), gone(PAGE, kept=False), "page"),
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
    Case("append-only-file-torn", "TD-POD-CRASH", ("redis",), _crashed(
        REDIS, f"1:M 27 Nov 2026 16:51:30.118 # {_AOF}use ./redis-check-aof --fix <filename.manifest>"), "redis"),
    Case("flag-misspelt", "TD-POD-CRASH", (), _crashed(JAEGER, "Error: unknown flag: --memory.max-trace"), "jaeger"),
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
