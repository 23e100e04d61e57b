"""The third set: the cluster, its node, its disk, its names, images and volumes."""

from __future__ import annotations

import copy

from lab.diagnose.faults.acts import (
    CONSUMER,
    CONTROLLER,
    DNS,
    JAEGER,
    KAFKA,
    MLFLOW,
    POSTGRES,
    PRODUCER,
    PROMETHEUS,
    PROXY,
    REDIS,
    STABLE,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import MINUTE, Scene
from unit.diagnose.second.tools import Play, all_of, answers_not, left, nameless, said
from unit.diagnose.third.tools import (
    condition,
    dark,
    dies,
    hung,
    minds,
    refused,
    told_of_node,
    unpulled,
)

_PORT = "HTTPSConnectionPool(host='127.0.0.1', port=16443)"


def _removed(scene: Scene) -> None:
    """Let somebody have tidied up containers, the node among them."""
    dark(scene, f"MaxRetryError: {_PORT}: Max retries exceeded with url: /version", status="absent")


def _unforwarded(scene: Scene) -> None:
    """Let what leads this machine's ports into the cluster have ended: inside, all goes on."""
    refusal = "ConnectError: [Errno 111] Connection refused"
    scene.health["cluster"] |= {"backend": "k3s", "status": "broken"}
    for name in scene.health["answers"]:
        scene.door(name, 0, refusal)
    scene.state["answers"] = {name: {"status": 0, "body": refusal} for name in scene.state["answers"]}
    scene.state |= {"topics": {}, "groups": {}, "metrics": {name: [] for name in scene.state["metrics"]}}
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}
    scene.problem("kafka", "NotConverged: Kafka does not do what was asked: NoBrokersAvailable: 127.0.0.1:19092")
    scene.problem("prometheus", f"ConnectionError: targets: 0 {refusal}")
    scene.health |= {"targets": [], "figures": {name: [] for name in scene.health["figures"]}}
    if "mlflow" in scene.health["declared"]["components"]:
        scene.state["models"] = {}
        scene.problem("mlflow", f"ConnectionError: registered-models: 0 {refusal}")


def _foreign(scene: Scene) -> None:
    """Let the cluster be another checkout's, of the same name."""
    dark(scene, "ConfigException: Invalid kube-config file. No configuration found.", status="foreign", asked="kind")


def _half_told(scene: Scene) -> None:
    """Let the store behind the API be slow: some lists come, those of pods and events do not."""
    scene.problem("kubernetes", "InternalServerError: 500")
    scene.problem("kubernetes", 'ApiException: (500) Reason: Internal Server Error: "etcdserver: request timed out"')
    scene.health |= {"events": [], "logs": {}, "copies": []}
    scene.health["objects"] = []


def _reset_by_peer(scene: Scene) -> None:
    answers_not(scene, "ProtocolError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))")


def _unauthorised(scene: Scene) -> None:
    """Let the client's certificate be a year old: the API server takes who comes with it for nobody."""
    answers_not(scene, "UnauthorizedError: 401")


_OWN_CERTIFICATE = (
    (
        "2026-11-27T16:51:40.119Z\terror\tcontroller-runtime.webhook\thttp: TLS handshake error from 10.244.0.1:40122: "
        "remote error: tls: bad certificate"
    ),
    (
        "2026-11-27T16:51:41.020Z\terror\txds\tfailed to verify certificate: x509: certificate has expired or is not "
        "yet valid: current time 2026-11-27T16:51:41Z is after 2026-11-26T16:25:49Z"
    ),
)  # fmt: skip


def _ahead(scene: Scene) -> None:
    """Let this machine be a quarter of an hour ahead: whoever asks for the last minutes is told of none."""
    scene.health["machine"]["skew_seconds"] = 907.2
    scene.health["figures"] = {name: [] for name in scene.health["figures"]}
    scene.state["metrics"] = {name: [] for name in scene.state["metrics"]}
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}


def _worker_lost(scene: Scene) -> None:
    """Let a second node with two pods on it have lost its power; the control plane is well."""
    second: Json = copy.deepcopy(scene.node)
    second["metadata"] |= {"name": "tarmac-worker", "labels": {"kubernetes.io/hostname": "tarmac-worker"}}
    second["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unreachable", "effect": effect} for effect in ("NoSchedule", "NoExecute")
    ]
    for each in second["status"]["conditions"]:
        each |= {"status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
    scene.health["objects"].append(second)
    for target in (CONSUMER, JAEGER):
        for pod in scene.pods(*target.place):
            scene.not_ready(pod)
            pod["spec"]["nodeName"] = "tarmac-worker"
            pod["metadata"]["deletionTimestamp"] = scene.at(MINUTE)
            for each in pod["status"]["conditions"]:
                each["status"] = "False" if each["type"] == "Ready" else each["status"]
            scene.warn("Pod", target.namespace, pod["metadata"]["name"], "NodeNotReady", "Node is not ready", ago=400)
        scene.unready(target.place)
        scene.missed(target.place)


def _inodes(scene: Scene) -> None:
    """Let there be gigabytes free, and no inode."""
    message = "kubelet has disk pressure"
    condition(scene, "DiskPressure", status="True", reason="KubeletHasDiskPressure", message=message)
    scene.node["spec"]["taints"] = [{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}]
    message = "The node was low on resource: inodes. Threshold quantity: 1310720, available: 41. "
    old = left(scene, PROMETHEUS, "prometheus-6d9f7b5c8-in0de", ("Evicted", message), 4 * MINUTE)
    scene.warn("Pod", "platform", old["metadata"]["name"], "Evicted", message, ago=4 * MINUTE)
    told_of_node("EvictionThresholdMet", "Attempting to reclaim inodes")(scene)
    taint = "0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/1 "
    scene.fallen(PROMETHEUS.place, scene.pending(taint + "nodes are available: 1 Preemption is not helpful."))


def _unsaved(scene: Scene) -> None:
    """Let Redis refuse writes because its snapshot does not fit on the disk any more."""
    scene.health["machine"]["disk_free"] = 0
    cause = (
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that"
        " may modify the data set are disabled, because this instance is configured to report errors during writes if "
        "RDB snapshotting fails (stop-writes-on-bgsave-error option)."
    )
    scene.utter(REDIS.place, "31:C 27 Nov 2026 16:51:30.118 # Write error while saving DB to the disk(rdbSaveRio): No "
                "space left on device", "1:M 27 Nov 2026 16:51:30.204 # Background saving error")  # fmt: skip
    minds(CONSUMER, "ingest.online", "the online store does not take rows", cause=cause)(scene)
    scene.figure("feature_staleness", "weather_by_origin", 830)


def _unpacked(scene: Scene) -> None:
    """Let a release's image not fit on the disk: it sounds as if it could not be pulled."""
    scene.health["machine"]["disk_free"] = 12 << 20
    image = "docker.io/tarmac/serving:2.1"
    file = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/212/fs/usr/lib/libonnxruntime.so"
    why = f"failed to extract layer sha256:8d853c8add5d: write {file}: no space left on device"
    unpulled(STABLE, image, why)(scene)


def _unextended(scene: Scene) -> None:
    """Let the database run, and add nothing to its tables."""
    scene.health["machine"]["disk_free"] = 0
    error = 'could not extend file "base/16385/16442": No space left on device'
    scene.utter(POSTGRES.place, f"2026-11-27 16:51:30.118 UTC [412] ERROR:  {error}",
                "2026-11-27 16:51:30.118 UTC [412] HINT:  Check free disk space.")  # fmt: skip
    scene.complains(MLFLOW.place, f"sqlalchemy.exc.OperationalError: (psycopg.errors.DiskFull) {error}")


def _all_memory(scene: Scene) -> None:
    """Let the kernel end what is largest, for want of memory on the whole node."""
    condition(scene, "MemoryPressure", status="True", reason="KubeletHasInsufficientMemory",
              message="kubelet has insufficient memory available")  # fmt: skip
    scene.node["spec"]["taints"] = [{"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule"}]
    for victim, number in (("java", 4211), ("envoy", 9120), ("prometheus", 7712)):
        told_of_node("SystemOOM", f"System OOM encountered, victim process: {victim}, pid: {number}", 90)(scene)
    told_of_node("EvictionThresholdMet", "Attempting to reclaim memory")(scene)
    for target in (KAFKA, PROMETHEUS):
        dies(target, code=137, reason="OOMKilled", restarts=2)(scene)


def _watches(*plays: Play) -> Play:
    def play(scene: Scene) -> None:
        scene.health["machine"]["inotify"] = {"max_user_watches": 65536, "max_user_instances": 128}
        for each in plays:
            each(scene)

    return play


def _kube_proxy(scene: Scene) -> None:
    """Let the node's own proxy not start: Services lead to where pods were before."""
    line = 'E1127 16:51:20.118022       1 run.go:72] "command failed" err="failed complete: too many open files"'
    for pod in scene.objects("Pod", "kube-system", "kube-proxy-9cwtc"):
        scene.crashes(line, restarts=8)(pod)
        for reason, message in pod.pop("told"):
            scene.warn("Pod", "kube-system", "kube-proxy-9cwtc", reason, message)


def _uninitialised(scene: Scene) -> None:
    """Let the node wait for a cloud's controller that will never come."""
    key = "node.cloudprovider.kubernetes.io/uninitialized"
    scene.node["spec"]["taints"] = [{"key": key, "value": "true", "effect": "NoSchedule"}]
    told = f"0/1 nodes are available: 1 node(s) had untolerated taint {{{key}: true}}. preemption: 0/1 nodes are "
    for target in (KAFKA, PRODUCER):
        scene.fallen(target.place, scene.pending(told + "available: 1 Preemption is not helpful for scheduling."))


_SILENT_API = (
    (
        '[WARNING] plugin/kubernetes: Kubernetes API connection failure: Get "https://10.96.0.1:443/version": dial tcp '
        "10.96.0.1:443: i/o timeout"
    ),
    '[INFO] plugin/ready: Plugins not ready: "kubernetes"',
)  # fmt: skip
_NO_WATCH = "inotify_fd_ >= 0. Details: Consider increasing value of user.max_inotify_watches via sysctl"
CASES: tuple[Case, ...] = (
    Case("node-tidied-away", "TD-CLUSTER-STOPPED", (), _removed),
    Case("ports-lead-nowhere", "TD-CLUSTER-STOPPED", (), _unforwarded),
    Case("cluster-of-another-checkout", "TD-CLUSTER-OTHER", (), _foreign),
    Case("store-of-the-api-is-slow", "TD-API-SILENT", (), _half_told),
    Case("api-resets-connections", "TD-API-SILENT", (), _reset_by_peer),
    Case("client-is-nobody-any-more", "TD-CERTIFICATE-EXPIRED", (), _unauthorised),
    Case("controller-certificate-over", "TD-CERTIFICATE-EXPIRED", ("gateway",), hung(CONTROLLER, *_OWN_CERTIFICATE)),
    Case("machine-a-quarter-ahead", "TD-CLOCK-SKEW", (), _ahead),
    Case("worker-without-power", "TD-NODE-NOT-READY", (), _worker_lost, "tarmac-worker"),
    Case("no-inode-left", "TD-DISK-FULL", (), _inodes),
    Case("snapshot-does-not-fit", "TD-DISK-FULL", ("redis",), _unsaved),
    Case("image-does-not-fit", "TD-DISK-FULL", ("serving",), _unpacked),
    Case("table-does-not-grow", "TD-DISK-FULL", ("mlflow",), _unextended),
    Case("kernel-takes-the-largest", "TD-NODE-PRESSURE", (), _all_memory),
    Case("proxy-cannot-watch", "TD-INOTIFY", ("gateway",), _watches(dies(
        PROXY, f"[2026-11-27 16:51:20.118][1][critical][assert] [source/common/filesystem/inotify/watcher_impl.cc:26] "
        f"assert failure: {_NO_WATCH}", code=134))),
    Case("kube-proxy-cannot-watch", "TD-INOTIFY", (), _watches(_kube_proxy), labs=("04",)),
    Case("node-waits-for-its-cloud", "TD-NODE-CLOSED", (), _uninitialised),
    Case("names-have-no-account", "TD-DNS-GONE", (), all_of(refused(
        DNS, '{pod}: error looking up service account kube-system/coredns: serviceaccount "coredns" not found'),
        nameless)),
    Case("names-do-not-reach-the-api", "TD-DNS-GONE", (), all_of(hung(DNS, *_SILENT_API), nameless)),
    Case("watch-that-has-no-room", "TD-INOTIFY", (), _watches(dies(
        PROMETHEUS, 'time=2026-11-27T16:51:20.4Z level=ERROR source=file.go:212 msg="Error adding file watcher" '
        'component="discovery manager scrape" discovery=file err="too many open files"', restarts=3), said(
        CONSUMER, "runtime.settings", "cannot watch files", times=1, cause="[Errno 24] inotify: Too many open files"))),
)  # fmt: skip
