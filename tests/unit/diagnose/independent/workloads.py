"""Cases of pods, whichever component they belong to: images, room, secrets, settings, memory, probes, policies."""

from __future__ import annotations

from collections.abc import Callable

from lab.diagnose.causes.chain import LAB
from lab.diagnose.faults.acts import (
    BRONZE,
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
    PRODUCER,
    PROMETHEUS,
    REDIS,
    STABLE,
    Target,
)
from unit.diagnose.independent.case import Case
from unit.diagnose.independent.scene import MINUTE, Scene

Play = Callable[[Scene], None]


def _unpulled(target: Target, image: str, why: str) -> Play:
    """Let a new image not come: from a registry that refuses, or from none."""

    def play(scene: Scene) -> None:
        wanted = image or scene.image_of(target)
        scene.image(target, wanted)
        told = f'failed to pull and unpack image "{wanted}": failed to resolve reference "{wanted}": {why}'
        scene.rolled(
            target.place,
            scene.waits(
                "ImagePullBackOff", f'Back-off pulling image "{wanted}": ErrImagePull: {told}',
                ("Failed", f'Failed to pull image "{wanted}": {told}'), ("Failed", "Error: ErrImagePull"),
                ("Failed", "Error: ImagePullBackOff"), image=wanted,
            ),
        )  # fmt: skip

    return play


def _lost_image(target: Target) -> Play:
    """Let the node have lost an image that only this machine makes: the kubelet looks for a registry of that name."""

    def play(scene: Scene) -> None:
        name, _, tag = scene.image_of(target).removeprefix("tarmac.local/").partition(":")
        why = (
            f'failed to do request: Head "https://tarmac.local/v2/{name}/manifests/{tag}": dial tcp: lookup '
            "tarmac.local on 172.18.0.1:53: no such host"
        )
        _unpulled(target, "", why)(scene)

    return play


def _never(scene: Scene) -> None:
    image = scene.image_of(KAFKA)
    told = f'Container image "{image}" is not present with pull policy of Never'
    scene.fallen(
        KAFKA.place, scene.waits("ErrImageNeverPull", told, ("ErrImageNeverPull", told), ("Failed", "Error: " + told))
    )


def _no_name(scene: Scene) -> None:
    image = "tarmac.local/Ingest:8144E6587E51:latest"
    scene.image(PRODUCER, image)
    told = (
        f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": invalid reference format: '
        "repository name must be lowercase"
    )
    scene.rolled(
        PRODUCER.place,
        scene.waits(
            "InvalidImageName", told, ("InspectFailed", told), ("Failed", "Error: InvalidImageName"), image=image
        ),
    )


def _no_room(target: Target, what: str) -> Play:
    message = (
        f"0/1 nodes are available: 1 Insufficient {what}. preemption: 0/1 nodes are available: 1 No preemption victims "
        "found for incoming pod."
    )
    return lambda scene: scene.rolled(target.place, scene.pending(message))


def _killed(target: Target, *lines: str, restarts: int = 4, backing_off: bool = True) -> Play:
    def play(scene: Scene) -> None:
        shape = scene.crashes(*lines, code=137, reason="OOMKilled", restarts=restarts, backing_off=backing_off)
        scene.fallen(target.place, shape)

    return play


def _ends(target: Target, *lines: str, code: int = 1, restarts: int = 7, backing_off: bool = True) -> Play:
    def play(scene: Scene) -> None:
        scene.fallen(target.place, scene.crashes(*lines, code=code, restarts=restarts, backing_off=backing_off))

    return play


def _no_secret(target: Target, told: str) -> Play:
    return lambda scene: scene.rolled(
        target.place, scene.waits("CreateContainerConfigError", told, ("Failed", f"Error: {told}"))
    )


def _no_mount(scene: Scene) -> None:
    told = 'MountVolume.SetUp failed for volume "secret" : secret "redis" not found'
    slow = "Unable to attach or mount volumes: unmounted volumes=[secret], unattached volumes=[]: timed out waiting"
    scene.fallen(REDIS.place, scene.creating(("FailedMount", told), ("FailedMount", slow + " for the condition")))


def _bad_setting(target: Target, name: str, value: str, what: str, remedy: str) -> Play:
    def play(scene: Scene) -> None:
        scene.env(target, name, value)
        line = scene.line("runtime.process", what, "error", remedy=remedy, kind="BadSetting")
        scene.rolled(target.place, scene.crashes(line, code=2))

    return play


def _wrong_password(scene: Scene) -> None:
    """Change Redis' password behind the back of one copy: whoever holds that is refused."""
    for copy in scene.health["copies"]:
        if (copy["name"], copy["namespace"]) == ("redis", "chain"):
            copy["marks"] = ["9c1f22ab", *copy["marks"][1:]]
    refused = "WRONGPASS invalid username-password pair or user is disabled."
    scene.fallen(
        FEATURE.place,
        scene.hangs(
            scene.line("feature.wire", "no connection to Redis", cause=refused, again_in=4.0),
            scene.line("feature.wire", "no connection to Redis", cause=refused, again_in=8.0),
        ),
    )
    scene.complains(CONSUMER.place, scene.line("ingest.online", "the online store does not take rows", cause=refused))
    scene.figure("feature_staleness", "weather_by_origin", 700)


def _no_password(scene: Scene) -> None:
    """Take the variable with the password away: Redis asks for it."""
    scene.env(FEATURE, "TARMAC_REDIS_PASSWORD", None)
    line = scene.line("feature.wire", "no connection to Redis", cause="NOAUTH Authentication required.", again_in=8.0)
    scene.rolled(FEATURE.place, scene.hangs(line, line))


def _database_password(scene: Scene) -> None:
    """Let the database know another password than MLflow's Secret says."""
    scene.fallen(
        MLFLOW.place,
        scene.begins_badly(
            "migrate",
            'sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "postgres.data.svc" '
            '(10.96.40.7), port 5432 failed: FATAL:  password authentication failed for user "mlflow"',
            "(Background on this error at: https://sqlalche.me/e/20/e3q8)",
        ),
    )
    scene.utter(
        POSTGRES.place,
        '2026-11-27 03:51:30.118 UTC [412] FATAL:  password authentication failed for user "mlflow"',
        '2026-11-27 03:51:30.118 UTC [412] DETAIL:  Connection matched file "/etc/tarmac/pg_hba.conf" line 4',
    )


def _store_key(scene: Scene) -> None:
    for copy in scene.health["copies"]:
        if (copy["name"], copy["namespace"]) == ("objectstore", "chain"):
            copy["marks"] = [copy["marks"][0], "77aa01ce"]
    told = (
        "Generic S3 error: Error performing PUT http://objectstore.data.svc:7070/lake/bronze/flight.departed.v1/_delta_"
        "log/00000000000000000412.json in 4.1ms - Server returned non-2xx status code: 403 Forbidden: <?xml version="
        '"1.0" encoding="UTF-8"?><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated '
        "does not match the signature you provided. Check your key and signing method.</Message></Error>"
    )
    scene.fallen(
        BRONZE.place, scene.hangs(scene.line("ingest.bronze.writer", "the lake does not take events", cause=told))
    )


def _quota(scene: Scene) -> None:
    scene.health["objects"].append(
        {
            "kind": "ResourceQuota", "metadata": {"name": "team", "namespace": "chain"},
            "spec": {"hard": {"limits.memory": "1Gi"}},
            "status": {"hard": {"limits.memory": "1Gi"}, "used": {"limits.memory": "960Mi"}},
        }
    )  # fmt: skip
    why = (
        'pods "ingest-consumer-77d8b9c6f5-8zq4m" is forbidden: exceeded quota: team, requested: limits.memory=192Mi, '
        "used: limits.memory=960Mi, limited: limits.memory=1Gi"
    )
    scene.refused(CONSUMER.place, why)


def _security(scene: Scene) -> None:
    why = (
        'pods "jaeger-77d8b9c6f5-8zq4m" is forbidden: violates PodSecurity "restricted:latest": '
        'allowPrivilegeEscalation != false (container "jaeger" must set securityContext.allowPrivilegeEscalation=false'
        '), unrestricted capabilities (container "jaeger" must set securityContext.capabilities.drop=["ALL"])'
    )
    scene.refused(JAEGER.place, why)


def _root(scene: Scene) -> None:
    told = 'container has runAsNonRoot and image will run as root (pod: "kafka-0_platform(6f0c1f9e)", container: kafka)'
    scene.fallen(KAFKA.place, scene.waits("CreateContainerConfigError", told, ("Failed", f"Error: {told}")))


def _liveness(scene: Scene) -> None:
    """Let a probe ask a port that nobody opens: the kubelet ends the container again and again."""
    told = (
        'Liveness probe failed: Get "http://10.244.0.31:8081/livez": dial tcp 10.244.0.31:8081: connect: connection '
        "refused"
    )
    for each in scene.workload(*FOLLOW.place)["spec"]["template"]["spec"]["containers"]:
        each["livenessProbe"] |= {"httpGet": {"path": "/livez", "port": 8081, "scheme": "HTTP"}}
    scene.fallen(FOLLOW.place, scene.hangs(said=told, restarts=8))


def _not_found(scene: Scene) -> None:
    for each in scene.workload(*PAGE.place)["spec"]["template"]["spec"]["containers"]:
        each["readinessProbe"] |= {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}}
    told = "Readiness probe failed: HTTP probe failed with statuscode: 404"
    scene.rolled(PAGE.place, scene.hangs(said=told))


def _lab_pod_ends(scene: Scene) -> None:
    """Let the lab's own first Deployment end: a trainee's change does not even load."""
    place = next(iter(scene.parts(LAB)))
    lines = (
        "Traceback (most recent call last):",
        '  File "/opt/tarmac/run.py", line 3, in <module>',
        "    from statistics import harmonic",
        "ImportError: cannot import name 'harmonic' from 'statistics' (/usr/lib/python3.11/statistics.py)",
    )
    scene.fallen(place, scene.crashes(*lines, restarts=5))


def _lab_pod_unpulled(scene: Scene) -> None:
    place = next(iter(scene.parts(LAB)))
    target = Target(LAB, place[0], place[1], place[2], place[2])
    _unpulled(target, "quay.io/tarmac/lab:2.0", "unexpected status from HEAD request: 401 UNAUTHORIZED")(scene)


def _aftermath(scene: Scene) -> None:
    """Let the broker be killed for its memory while an old failure of another pod still stands in the events."""
    for pod in scene.pods(*JAEGER.place):
        name = pod["metadata"]["name"]
        pod["status"]["containerStatuses"][0] |= {
            "restartCount": 3,
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": scene.at(48 * MINUTE)}},
        }
        scene.warn("Pod", "platform", name, "BackOff", "Back-off restarting failed container jaeger", ago=48 * MINUTE)
    _killed(KAFKA, restarts=5)(scene)


CASES = (
    Case("image-not-in-node", "TD-IMAGE-MISSING", (), _lost_image(CONSUMER), "ingest-consumer"),
    Case("image-not-in-node-of-feature", "TD-IMAGE-MISSING", ("feature",), _lost_image(FEATURE), "feature"),
    Case("never-pulled", "TD-IMAGE-MISSING", (), _never, "kafka"),
    Case("registry-limits", "TD-IMAGE-PULL", (), _unpulled(
        PROMETHEUS, "docker.io/prom/prometheus:v3.7.0",
        "unexpected status from HEAD request to https://registry-1.docker.io/v2/prom/prometheus/manifests/v3.7.0: 429 "
        "Too Many Requests"), "prometheus"),
    Case("registry-unreachable", "TD-IMAGE-PULL", ("redis",), _unpulled(
        REDIS, "docker.io/library/redis:8.2",
        'failed to do request: Head "https://registry-1.docker.io/v2/library/redis/manifests/8.2": dial tcp: lookup '
        "registry-1.docker.io on 172.18.0.1:53: server misbehaving"), "redis"),
    Case("registry-wants-login", "TD-IMAGE-PULL", (), _lab_pod_unpulled),
    Case("image-name-in-capitals", "TD-IMAGE-NAME", (), _no_name, "ingest-producer"),
    Case("no-memory-left", "TD-POD-NO-ROOM", ("mlflow",), _no_room(MLFLOW, "memory"), "mlflow"),
    Case("no-cores-left", "TD-POD-NO-ROOM", (), _no_room(CONSUMER, "cpu"), "ingest-consumer"),
    Case("broker-killed-for-memory", "TD-POD-OOM", (), _killed(KAFKA), "kafka"),
    Case("broker-killed-after-others", "TD-POD-OOM", (), _aftermath, "kafka"),
    Case("server-killed-between-two-waits", "TD-POD-OOM", ("serving",), _killed(
        STABLE, restarts=3, backing_off=False), "serving-stable"),
    Case("redis-killed", "TD-POD-OOM", ("redis",), _killed(REDIS), "redis"),
    Case("broker-of-another-cluster", "TD-POD-CRASH", (), _ends(
        KAFKA, "[2026-11-27 03:51:20,118] ERROR Exiting Kafka due to fatal exception (kafka.Kafka$)",
        "java.lang.RuntimeException: Invalid cluster.id in: /data/meta.properties. Expected rKfZ0w0tT0mX, but read "
        "5L6g3nShT-eMCtK"), "kafka"),
    Case("database-cannot-be-read", "TD-POD-CRASH", ("postgres",), _ends(
        POSTGRES, "2026-11-27 03:51:30.118 UTC [1] LOG:  invalid primary checkpoint record",
        "2026-11-27 03:51:30.118 UTC [1] PANIC:  could not locate a valid checkpoint record"), "postgres"),
    Case("segmentation-fault", "TD-POD-CRASH", ("serving",), _ends(STABLE, code=139), "serving-stable"),
    Case("ends-and-is-met-running", "TD-POD-CRASH", (), _ends(
        PRODUCER, "KeyError: 'carrier'", restarts=12, backing_off=False), "ingest-producer"),
    Case("lab-does-not-load", "TD-POD-CRASH", (), _lab_pod_ends),
    Case("controller-may-not-lead", "TD-POD-CRASH", ("gateway",), _ends(
        CONTROLLER, '{"level":"error","msg":"failed to start provider","error":"error getting cache: failed waiting '
        'for *v1.HTTPRoute Informer to sync: httproutes.gateway.networking.k8s.io is forbidden"}'), "envoy-gateway"),
    Case("secret-deleted", "TD-SECRET-MISSING", ("feature",), _no_secret(
        FEATURE, 'secret "redis" not found'), "feature"),
    Case("secret-lacks-a-key", "TD-SECRET-MISSING", ("objectstore",), _no_secret(
        OBJECTSTORE, "couldn't find key access-key in Secret data/objectstore"), "objectstore"),
    Case("secret-not-to-mount", "TD-SECRET-MISSING", ("redis",), _no_mount, "redis"),
    Case("setting-misspelt", "TD-SETTING-BAD", (), _bad_setting(
        CONSUMER, "TARMAC_COMIT_SECONDS", "1", "environment variable TARMAC_COMIT_SECONDS is unknown",
        "did you mean TARMAC_COMMIT_SECONDS?"), "ingest-consumer"),
    Case("setting-out-of-range", "TD-SETTING-BAD", ("serving",), _bad_setting(
        STABLE, "TARMAC_THREADS", "-4", "environment variable TARMAC_THREADS='-4' is out of range",
        "give it a number from 0 to 64"), "serving-stable"),
    Case("password-of-one-copy", "TD-PASSWORD-WRONG", ("feature",), _wrong_password),
    Case("password-not-given", "TD-PASSWORD-WRONG", ("feature",), _no_password, "feature"),
    # First expected at MLflow, whom the database refuses. But the database is given its passwords anew when it starts:
    # that is where one mends it.
    Case("database-password", "TD-PASSWORD-WRONG", ("mlflow",), _database_password, "postgres"),
    Case("store-signature", "TD-PASSWORD-WRONG", ("lake",), _store_key),
    Case("quota", "TD-QUOTA-REFUSED", (), _quota, "ingest-consumer"),
    Case("pod-security", "TD-SECURITY-REFUSED", (), _security, "jaeger"),
    Case("image-runs-as-root", "TD-SECURITY-REFUSED", (), _root, "kafka"),
    Case("liveness-at-a-wrong-port", "TD-PROBE-FAILING", ("serving",), _liveness, "serving-follow"),
    Case("readiness-at-a-wrong-path", "TD-PROBE-FAILING", ("page",), _not_found, "page"),
)  # fmt: skip
