"""Cases of the cluster itself: its API, its node, its clock, its names, its volumes."""

from __future__ import annotations

from collections.abc import Callable

from lab.diagnose.faults.acts import (
    BRONZE,
    CONSUMER,
    DNS,
    FEATURE,
    JAEGER,
    KAFKA,
    OBJECTSTORE,
    PROMETHEUS,
    PROVISIONER,
    REDIS,
)
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import HOUR, MINUTE, Scene

_REFUSED = (
    "MaxRetryError: HTTPSConnectionPool(host='127.0.0.1', port=16443): Max retries exceeded with url: {} (Caused by "
    "NewConnectionError('<urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: "
    "[Errno 111] Connection refused'))"
)
_EXPIRED = (
    "MaxRetryError: HTTPSConnectionPool(host='127.0.0.1', port=16443): Max retries exceeded with url: /version (Caused "
    "by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate "
    "has expired (_ssl.c:1018)')))"
)


def _blind(scene: Scene, why: str) -> None:
    """Let nothing be had from the Kubernetes API."""
    scene.health |= {"objects": [], "events": [], "copies": [], "logs": {}}
    scene.health["machine"]["skew_seconds"] = None
    scene.state |= {"objects": [], "versions": {"kubernetes": ""}}
    scene.problem("kubernetes", why)


def _dark(scene: Scene) -> None:
    """Let nothing answer at all."""
    for component in ("kafka", "mlflow", "prometheus"):
        if component in scene.health["declared"]["components"]:
            scene.away(component)
    refused = "ConnectError: [Errno 111] Connection refused"
    for name in scene.health["answers"]:
        scene.door(name, 0, refused)
    scene.state["answers"] = {name: {"status": 0, "body": refused} for name in scene.state["answers"]}
    scene.state["traces"] = {name: [] for name in scene.state["traces"]}
    _blind(scene, _REFUSED.format("/version"))


def _stopped(scene: Scene) -> None:
    _dark(scene)
    scene.health["cluster"]["status"] = "stopped"


def _other(scene: Scene) -> None:
    _dark(scene)
    told = "cluster tarmac was made with kind, and LAB_CLUSTER=context:work asks for another"
    scene.health["cluster"] |= {"asked": "context:work", "backend": "", "status": "other", "error": told}


def _silent(scene: Scene) -> None:
    """Let the API server be away while the node's pods and ports go on."""
    _blind(scene, _REFUSED.format("/api/v1/namespaces/chain/pods"))


def _expired(scene: Scene) -> None:
    _blind(scene, _EXPIRED)


def _xds(scene: Scene) -> None:
    """Let the proxy's certificate for its controller be over."""
    line = (
        "[2026-11-27 03:51:40.120][1][warning][config] [./source/extensions/config_subscription/grpc/"
        "grpc_stream.h:193] DeltaAggregatedResources gRPC config stream to xds_cluster closed since 240s ago: 14, "
        "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, "
        "transport failure reason: TLS_error:|268435581:SSL routines:"
        "OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: "
        "certificate has expired"
    )
    place = ("platform", "Deployment", "gateway")
    scene.fallen(place, scene.hangs(line, line, said="Readiness probe failed: HTTP probe failed with statuscode: 503"))


def _clock(seconds: float) -> Callable[[Scene], None]:
    def play(scene: Scene) -> None:
        scene.health["machine"]["skew_seconds"] = seconds
        scene.figure("feature_staleness", "weather_by_origin", abs(seconds))
        scene.problem("prometheus", "ConnectionError: targets: 0 ReadTimeout: timed out")

    return play


def _all_unready(scene: Scene) -> None:
    for place in scene.all():
        for pod in scene.pods(*place):
            scene.not_ready(pod)
            for each in pod["status"]["conditions"]:
                each["status"] = "False" if each["type"] == "Ready" else each["status"]
            name = pod["metadata"]["name"]
            scene.warn("Pod", place[0], name, "NodeNotReady", "Node is not ready", ago=2 * MINUTE)
        scene.unready(place)


def _lost(scene: Scene) -> None:
    """Let the kubelet have gone: pods are unready in name only, and nobody can be asked."""
    told = {"status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
    scene.node["status"]["conditions"] = [each | told for each in scene.node["status"]["conditions"]]
    scene.node["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unreachable", "effect": effect} for effect in ("NoSchedule", "NoExecute")
    ]
    _all_unready(scene)


def _no_network(scene: Scene) -> None:
    message = (
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin "
        "returns error: cni plugin not initialized"
    )
    for each in scene.node["status"]["conditions"]:
        if each["type"] == "Ready":
            each |= {"status": "False", "reason": "KubeletNotReady", "message": message}
    scene.node["spec"]["taints"] = [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    for target in (CONSUMER, JAEGER):
        scene.fallen(
            target.place,
            scene.creating(("NetworkNotReady", f"network is not ready: {message}")),
        )


def _evicted(scene: Scene, target_place: tuple[str, str, str], message: str, taint: str) -> None:
    """Evict a workload's pod; its successor finds no node."""
    old = scene.pods(*target_place)[0]
    name, namespace = old["metadata"]["name"], target_place[0]
    scene.fallen(
        target_place,
        scene.pending(
            f"0/1 nodes are available: 1 node(s) had untolerated taint {{{taint}: }}. preemption: 0/1 nodes are "
            "available: 1 Preemption is not helpful for scheduling."
        ),
    )
    gone = {
        "kind": "Pod", "metadata": {**old["metadata"], "name": f"{name}-e"},
        "spec": {"nodeName": scene.node["metadata"]["name"], "containers": old["spec"]["containers"]},
        "status": {"phase": "Failed", "reason": "Evicted", "message": message, "conditions": []},
    }  # fmt: skip
    scene.health["objects"].append(gone)
    scene.warn("Pod", namespace, f"{name}-e", "Evicted", message, ago=3 * MINUTE)
    scene.node["spec"]["taints"] = [{"key": taint, "effect": "NoSchedule"}]


def _pressed(scene: Scene, kind: str, reason: str) -> None:
    for each in scene.node["status"]["conditions"]:
        if each["type"] == kind:
            each |= {"status": "True", "reason": reason, "message": f"kubelet has {reason}"}


def _disk(scene: Scene) -> None:
    """Fill the machine's disk: the kubelet evicts, images are collected in vain."""
    scene.health["machine"]["disk_free"] = 900 << 20
    _pressed(scene, "DiskPressure", "KubeletHasDiskPressure")
    message = "The node was low on resource: ephemeral-storage. Threshold quantity: 10302178918, available: 921540Ki. "
    _evicted(scene, PROMETHEUS.place, message, "node.kubernetes.io/disk-pressure")
    scene.warn(
        "Node", "", scene.node["metadata"]["name"], "FreeDiskSpaceFailed",
        "Failed to garbage collect required amount of images. Attempted to free 9381765120 bytes, but only found 0 "
        "bytes eligible to free.", ago=MINUTE,
    )  # fmt: skip


def _broker_disk(scene: Scene) -> None:
    """Fill the disk under the broker's volume: it ends itself, and starts again in vain."""
    scene.health["machine"]["disk_free"] = 0
    lines = (
        (
            "[2026-11-27 03:51:20,118] ERROR Error while writing to checkpoint file /data/recovery-point-offset-"
            "checkpoint (org.apache.kafka.storage.internals.log.LogDirFailureChannel)"
        ),
        "java.io.IOException: No space left on device",
        (
            "[2026-11-27 03:51:20,131] ERROR Shutdown broker because all log dirs in /data have failed "
            "(kafka.log.LogManager)"
        ),
    )
    scene.fallen(KAFKA.place, scene.crashes(*lines, restarts=4))


def _memory(scene: Scene) -> None:
    _pressed(scene, "MemoryPressure", "KubeletHasInsufficientMemory")
    message = (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 41208Ki. Container jaeger was "
        "using 302112Ki, request is 64Mi, has larger consumption of memory. "
    )
    _evicted(scene, JAEGER.place, message, "node.kubernetes.io/memory-pressure")


def _processes(scene: Scene) -> None:
    _pressed(scene, "PIDPressure", "KubeletHasInsufficientPID")
    message = "The node was low on resource: pids. Threshold quantity: 1000, available: 214. "
    _evicted(scene, CONSUMER.place, message, "node.kubernetes.io/pid-pressure")


def _cordoned(scene: Scene) -> None:
    scene.node["spec"] |= {
        "unschedulable": True, "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}],
    }  # fmt: skip
    message = (
        "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is "
        "not helpful for scheduling."
    )
    scene.fallen(CONSUMER.place, scene.pending(message))


def _tainted(scene: Scene) -> None:
    scene.node["spec"]["taints"] = [{"key": "maintenance", "value": "tonight", "effect": "NoExecute"}]
    message = (
        "0/1 nodes are available: 1 node(s) had untolerated taint {maintenance: tonight}. preemption: 0/1 nodes are "
        "available: 1 Preemption is not helpful for scheduling."
    )
    for place in list(scene.all()):
        scene.fallen(place, scene.pending(message))


def _watches(scene: Scene) -> None:
    """Use up inotify: what watches files cannot start."""
    scene.health["machine"]["inotify"] = {"max_user_watches": 8192, "max_user_instances": 128}
    line = 'ts=2026-11-27T03:51:20.4Z level=error msg="Unable to watch" err="too many open files"'
    scene.fallen(
        PROMETHEUS.place,
        scene.crashes(line, "failed to create fsnotify watcher: too many open files", restarts=5),
    )


def _unresolved(scene: Scene) -> None:
    """Let whoever asks for names hear nothing."""
    for target, line in (
        (CONSUMER, scene.line("runtime.broker", "poll failed",
                              cause="DnsResolutionError('kafka.platform.svc:9092')")),
        (FEATURE, scene.line("feature.wire", "no connection to Redis", again_in=8.0,
                             cause="[Errno -3] Temporary failure in name resolution")),
        (BRONZE, scene.line("ingest.bronze.writer", "the lake does not take events",
                            cause="error sending request: dns error: failed to lookup address information: "
                            "Temporary failure in name resolution")),
    ):  # fmt: skip
        if scene.objects("Deployment", "chain", target.name):
            scene.complains(target.place, line)


def _dns_loop(scene: Scene) -> None:
    line = (
        '[FATAL] plugin/loop: Loop (127.0.0.1:34614 -> :53) detected for zone ".", see '
        'https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO 6074102630077018525.5798689655824409358."'
    )
    scene.fallen(DNS.place, scene.crashes(line, restarts=9))
    _unresolved(scene)


def _dns_blind(scene: Scene) -> None:
    """Let the name server not reach the API: it runs, and is not ready."""
    lines = (
        '[INFO] plugin/ready: Plugins not ready: "kubernetes"',
        (
            "[ERROR] plugin/kubernetes: Failed to watch: failed to list *v1.Service: services is forbidden: User "
            '"system:serviceaccount:kube-system:coredns" cannot list resource "services" in API group "" at the '
            "cluster scope"
        ),
    )
    scene.fallen(DNS.place, scene.hangs(*lines))
    _unresolved(scene)


def _dns_none(scene: Scene) -> None:
    scene.gone(DNS.place, kept=True)
    _unresolved(scene)


_UNBOUND = (
    "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 "
    "Preemption is not helpful for scheduling."
)


def _no_provisioner(scene: Scene) -> None:
    scene.fallen(
        PROVISIONER.place,
        scene.crashes(
            'time="2026-11-27T03:51:10Z" level=fatal msg="Error starting daemon: Cannot start Provisioner: failed to '
            'get Kubernetes server version: Unauthorized"',
            restarts=11,
        ),
    )
    scene.claim("platform", "data-kafka-0")
    scene.fallen(KAFKA.place, scene.pending(_UNBOUND))


def _no_class(scene: Scene) -> None:
    scene.claim("data", "data-redis-0", storage="fast-ssd")
    told = 'storageclass.storage.k8s.io "fast-ssd" not found'
    scene.warn("PersistentVolumeClaim", "data", "data-redis-0", "ProvisioningFailed", told)
    scene.fallen(REDIS.place, scene.pending(_UNBOUND))


def _no_claim(scene: Scene) -> None:
    told = (
        '0/1 nodes are available: persistentvolumeclaim "objectstore" not found. preemption: 0/1 nodes are available: '
        "1 Preemption is not helpful for scheduling."
    )
    scene.fallen(OBJECTSTORE.place, scene.pending(told))


def _healed_then_cordoned(scene: Scene) -> None:
    """Cordon a node that was not ready an hour ago: the old story is over."""
    name = scene.node["metadata"]["name"]
    scene.warn("Node", "", name, "NodeNotReady", f"Node {name} status is now: NodeNotReady", ago=HOUR)
    scene.warn("Node", "", name, "Rebooted", f"Node {name} has been rebooted, boot id: 1f1e", ago=HOUR)
    _cordoned(scene)


CASES = (
    Case("docker-stopped", "TD-CLUSTER-STOPPED", (), _stopped),
    Case("asks-for-another", "TD-CLUSTER-OTHER", (), _other),
    Case("api-server-away", "TD-API-SILENT", (), _silent),
    Case("serving-certificate-over", "TD-CERTIFICATE-EXPIRED", (), _expired),
    Case("proxy-certificate-over", "TD-CERTIFICATE-EXPIRED", ("gateway",), _xds),
    Case("clock-ahead", "TD-CLOCK-SKEW", (), _clock(412.0)),
    Case("clock-behind", "TD-CLOCK-SKEW", (), _clock(-3605.5)),
    Case("kubelet-lost", "TD-NODE-NOT-READY", (), _lost),
    Case("no-pod-network", "TD-NODE-NOT-READY", (), _no_network),
    Case("disk-pressure", "TD-DISK-FULL", (), _disk),
    Case("disk-full-under-broker", "TD-DISK-FULL", (), _broker_disk),
    Case("memory-pressure", "TD-NODE-PRESSURE", (), _memory),
    Case("pid-pressure", "TD-NODE-PRESSURE", (), _processes),
    Case("cordoned", "TD-NODE-CLOSED", (), _cordoned),
    Case("cordoned-after-a-reboot", "TD-NODE-CLOSED", (), _healed_then_cordoned),
    Case("drained-by-taint", "TD-NODE-CLOSED", (), _tainted),
    Case("inotify-used-up", "TD-INOTIFY", (), _watches),
    Case("dns-forwards-to-itself", "TD-DNS-GONE", (), _dns_loop),
    Case("dns-may-not-read-services", "TD-DNS-GONE", (), _dns_blind),
    Case("dns-scaled-away", "TD-DNS-GONE", (), _dns_none),
    Case("provisioner-unauthorised", "TD-PROVISIONER-GONE", (), _no_provisioner),
    Case("storage-class-unknown", "TD-CLAIM-PENDING", ("redis",), _no_class, "redis"),
    Case("claim-deleted", "TD-CLAIM-PENDING", ("objectstore",), _no_claim, "objectstore"),
)
