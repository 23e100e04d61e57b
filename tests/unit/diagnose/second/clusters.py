"""The second set: the cluster itself, its node, images and storage."""

from __future__ import annotations

from lab.diagnose.faults.acts import (
    CONSUMER,
    CONTROLLER,
    DNS,
    JAEGER,
    KAFKA,
    MLFLOW,
    OBJECTSTORE,
    POSTGRES,
    PRODUCER,
    PROMETHEUS,
    PROVISIONER,
    PROXY,
    Target,
)
from lab.diagnose.faults.world import Json
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import MINUTE, Scene
from unit.diagnose.second.tools import Play, answers_not, crashed, left, nameless, unbound

_HELPLESS = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
_TAINTED = "0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, " + _HELPLESS


def _etcd(scene: Scene) -> None:
    """Let the API server have lost its store: it listens, and answers nothing; what runs goes on."""
    answers_not(
        scene,
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
    crashed(
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


def _corefile(scene: Scene) -> None:
    line = "/etc/coredns/Corefile:8 - Error during parsing: Unknown directive 'kubernets'"
    scene.fallen(DNS.place, scene.crashes(line, restarts=7))
    nameless(scene)


def _no_dns(scene: Scene) -> None:
    scene.gone(DNS.place, kept=False)
    nameless(scene)


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


_UNTRUSTED = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
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
)  # fmt: skip
