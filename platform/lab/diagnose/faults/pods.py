"""Faults of single pods: each can be done to any workload, and is done here to some of each part of the chain."""

from __future__ import annotations

from collections.abc import Callable

from lab.diagnose.faults import acts
from lab.diagnose.faults.acts import Make, Patch, Remove, Target
from lab.diagnose.faults.fault import Fault, on
from lab.diagnose.faults.world import Json, World, looping, stuck, unboxed, undecided, unplaced, waiting

_BAD_SETTING = '{"level": "error", "event": "environment variable TARMAC_SPEDUP is unknown", "kind": "BadSetting"}'
_CLAIM = "claim-of-nobody"
_NO_INIT = "unable to start container process: container init was OOM-killed (memory limit too low?)"
_NO_ADDRESS = 'failed to setup network for sandbox "5a": plugin type="ptp" failed (add): no IP addresses available'
_MIGHTY = {"allowPrivilegeEscalation": True, "privileged": True}


def _image(target: Target, image: str, what: str, code: str, reason: str) -> Fault:
    name, where, needs = on(target, what)

    def simulate(world: World) -> None:
        world.rolled(target.place, waiting(reason, f'failed to pull and unpack image "{image}": not found', image))

    return Fault(name, code, where, needs, simulate, (target.container_with(image=image),))


def missing(target: Target) -> Fault:
    """Return the fault that an image of ours was never made."""
    image = f"tarmac.local/{target.component}:000000000000"
    return _image(target, image, "image-missing", "TD-IMAGE-MISSING", "ImagePullBackOff")


def unpulled(target: Target) -> Fault:
    """Return the fault that an image of another registry cannot be pulled."""
    image = f"registry.invalid/{target.component}:latest"
    return _image(target, image, "image-pull", "TD-IMAGE-PULL", "ErrImagePull")


def misnamed(target: Target) -> Fault:
    """Return the fault that an image's name is none."""
    image = f"tarmac.local/{target.component.title()}:latest"
    return _image(target, image, "image-name", "TD-IMAGE-NAME", "InvalidImageName")


def crashing(target: Target) -> Fault:
    """Return the fault that a container ends at once."""
    name, where, needs = on(target, "crash")
    acts_ = (target.container_with(command=["sh", "-c", "echo cannot go on >&2; exit 1"], args=[]),)
    return Fault(
        name, "TD-POD-CRASH", where, needs, lambda world: world.rolled(target.place, looping(1), "cannot go on"), acts_
    )


def starved(target: Target, memory: str) -> Fault:
    """Return the fault that a container may have too little memory."""
    return _starved(target, memory, "oom", looping(137, "OOMKilled"))


def unbegun(target: Target, memory: str) -> Fault:
    """Return the fault that a container may have too little memory to begin in."""
    return _starved(target, memory, "oom-begin", looping(128, "StartError", _NO_INIT))


def unhoused(target: Target, memory: str) -> Fault:
    """Return the fault that a pod may have too little memory for its sandbox."""
    return _starved(target, memory, "oom-sandbox", unboxed(_NO_INIT))


def _starved(target: Target, memory: str, what: str, shape: Callable[[Json], None]) -> Fault:
    name, where, needs = on(target, what)
    resources = {"limits": {"memory": memory}, "requests": {"memory": memory}}

    def simulate(world: World) -> None:
        world.rolled(target.place, shape)

    return Fault(name, "TD-POD-OOM", where, needs, simulate, (target.container_with(resources=resources),))


def unnetworked(target: Target) -> Fault:
    """Return the fault that no address is left for a pod; it cannot be done through the API."""
    name, where, needs = on(target, "network")
    return Fault(name, "TD-POD-SANDBOX", where, needs, lambda world: world.rolled(target.place, unboxed(_NO_ADDRESS)))


def misset(target: Target) -> Fault:
    """Return the fault that a service is given a setting that it does not know."""
    name, where, needs = on(target, "setting")

    def simulate(world: World) -> None:
        world.rolled(target.place, looping(2), _BAD_SETTING)

    return Fault(name, "TD-SETTING-BAD", where, needs, simulate, (target.setting("TARMAC_SPEDUP", "600"),))


def misprobed(target: Target) -> Fault:
    """Return the fault that a readiness probe asks for a path that is not there."""
    name, where, needs = on(target, "probe")
    # The probe at the start has the first word, and would end the container: it asks what was asked before.
    probe = {"httpGet": {"path": "/nowhere", "port": "http", "scheme": "HTTP"}}
    return Fault(
        name, "TD-PROBE-FAILING", where, needs, lambda world: world.rolled(target.place, stuck),
        (target.container_with(readinessProbe=probe),),
    )  # fmt: skip


def roomless(target: Target) -> Fault:
    """Return the fault that a pod asks for more CPU than any node has."""
    name, where, needs = on(target, "room")
    resources = {"requests": {"cpu": "500"}, "limits": {"cpu": "500"}}
    told = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available"

    def simulate(world: World) -> None:
        world.rolled(target.place, unplaced(told))

    return Fault(name, "TD-POD-NO-ROOM", where, needs, simulate, (target.container_with(resources=resources),))


def mighty(target: Target) -> Fault:
    """Return the fault that a pod asks for what Pod Security forbids."""
    name, where, needs = on(target, "security")
    message = f'pods "{target.name}-x" is forbidden: violates PodSecurity "restricted:latest": privileged'
    return Fault(
        name, "TD-SECURITY-REFUSED", where, needs, lambda world: _turned_away(world, target, message),
        (target.container_with(securityContext=_MIGHTY),),
    )  # fmt: skip


def rationed(target: Target) -> Fault:
    """Return the fault that a quota allows a namespace no more pods."""
    name, where, needs = on(target, "quota")
    message = (
        f'pods "{target.name}-x" is forbidden: exceeded quota: thrift, requested: pods=1, used: pods=9, limited: 0'
    )
    quota = {
        "apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"pods": "0"}},
        "metadata": {"name": "thrift", "namespace": target.namespace},
    }  # fmt: skip

    def simulate(world: World) -> None:
        place = target.place
        for pod in world.pods(*place):
            world.forget("Pod", place[0], pod["metadata"]["name"])
        _turned_away(world, target, message)
        world.unready(place)
        world.missed(place)

    return Fault(name, "TD-QUOTA-REFUSED", where, needs, simulate, (Make(quota), target.renewed()))


def _turned_away(world: World, target: Target, message: str) -> None:
    """Let a workload make no new pod: a Deployment that rolls keeps its old one."""
    workload = world.workload(*target.place)
    strategy = (workload["spec"].get("strategy") or {}).get("type")
    refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    workload["status"]["conditions"] = [*workload["status"].get("conditions", []), refused]
    workload["status"] |= {"updatedReplicas": 0}
    if strategy == "Recreate" and "PodSecurity" in message:
        for pod in world.pods(*target.place):
            world.forget("Pod", target.namespace, pod["metadata"]["name"])
        world.unready(target.place)
        world.missed(target.place)


def unclaimed(target: Target, *, classless: bool) -> Fault:
    """Return the fault that a pod mounts a claim of a storage class that is not there, or one that nobody serves."""
    name, _, needs = on(target, "claim" if not classless else "provisioner")
    claim: Json = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": _CLAIM, "namespace": target.namespace},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }  # fmt: skip
    if not classless:
        claim["spec"]["storageClassName"] = "nowhere"
    volume = {"name": "more", "persistentVolumeClaim": {"claimName": _CLAIM}}
    mount = target.template({"spec": {"volumes": [volume]}})

    def simulate(world: World) -> None:
        # Without a class there is nothing to choose a node by; with one, the scheduler waits for the volume, wordless.
        told = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims"
        world.rolled(target.place, undecided if classless else unplaced(told))
        world.workload(*target.place)["spec"]["template"]["spec"].setdefault("volumes", []).append(volume)
        world.health["objects"].append({**claim, "status": {"phase": "Pending"}})
        if classless:
            world.gone(acts.PROVISIONER.place, kept=True)
        else:
            why = 'storageclass.storage.k8s.io "nowhere" not found'
            world.tells("PersistentVolumeClaim", target.namespace, _CLAIM, "ProvisioningFailed", why)

    if classless:
        done = (acts.PROVISIONER.scaled(0), Make(claim), mount)
        return Fault(name, "TD-PROVISIONER-GONE", "volume-provisioner", needs, simulate, done)
    return Fault(name, "TD-CLAIM-PENDING", _CLAIM, needs, simulate, (Make(claim), mount))


def unconfigured(target: Target, kind: str, name: str) -> Fault:
    """Return the fault that a Secret or ConfigMap which a pod needs at its start was deleted."""
    title, where, needs = on(target, kind.lower())
    message = f'{kind.lower()} "{name}" not found'

    def simulate(world: World) -> None:
        world.forget(kind, target.namespace, name)
        world.fallen(target.place, waiting("CreateContainerConfigError", message))

    done = (Remove(kind, target.namespace, name), target.renewed())
    return Fault(title, "TD-SECRET-MISSING", where, needs, simulate, done)


def misaddressed(target: Target, setting: str, value: str) -> Fault:
    """Return the fault that a setting names a Service that is not there."""
    name, where, needs = on(target, f"address-{setting.rpartition('_')[2].lower()}")

    def simulate(world: World) -> None:
        containers = world.workload(*target.place)["spec"]["template"]["spec"]["containers"]
        entry = next(each for each in containers[0]["env"] if each["name"] == setting)
        entry["value"] = value
        world.rolled(target.place, stuck, f"{value}: Name or service not known")

    return Fault(name, "TD-ADDRESS-WRONG", where, needs, simulate, (target.setting(setting, value),))


def unread(target: Target, *, port: bool) -> Fault:
    """Return the fault that Prometheus asks a pod at the wrong port, or does not find it."""
    name, where, needs = on(target, "scrape-port" if port else "scrape-label")
    annotations, labels = {"prometheus.io/port": "9"}, {"app.kubernetes.io/part-of": "somebody"}
    metadata: Json = {"annotations": annotations} if port else {"labels": labels}

    def simulate(world: World) -> None:
        names = {pod["metadata"]["name"] for pod in world.pods(*target.place)}
        targets = world.health["targets"]
        if not port:
            world.health["targets"] = [each for each in targets if each["pod"] not in names]
        for each in targets:
            if each["pod"] in names:
                each |= {"health": "down", "error": "dial tcp 10.244.0.9:9: connect: connection refused"}

    return Fault(name, "TD-SCRAPE-MISSING", where, needs, simulate, (target.template({"metadata": metadata}),))


def lost(target: Target) -> Fault:
    """Return the fault that a service sends its traces to a port that nobody listens at."""
    name, where, needs = on(target, "traces")
    address = "http://jaeger.platform.svc:4319"
    words = "Failed to export span batch code: None, reason: Connection refused"

    def simulate(world: World) -> None:
        containers = world.workload(*target.place)["spec"]["template"]["spec"]["containers"]
        next(each for each in containers[0]["env"] if each["name"] == "TARMAC_TRACES")["value"] = address
        world.says(target.place, words, 4)

    return Fault(
        name, "TD-TRACES-BLOCKED", where, (*needs, "jaeger"), simulate, (target.setting("TARMAC_TRACES", address),)
    )


def gone(code: str, *targets: Target) -> Fault:
    """Return the fault that workloads are asked for no pod."""
    name, _, needs = on(targets[-1], "gone")

    def simulate(world: World) -> None:
        for target in targets:
            world.gone(target.place, kept=True)

    done: tuple[Patch, ...] = tuple(target.scaled(0) for target in targets)
    return Fault(name, code, targets[0].name, needs, simulate, done)


def deleted(code: str, target: Target) -> Fault:
    """Return the fault that a workload was deleted."""
    name, where, needs = on(target, "deleted")
    return Fault(
        name, code, where, needs, lambda world: world.gone(target.place, kept=False),
        (Remove(target.kind, target.namespace, target.name),),
    )  # fmt: skip


def unserved(target: Target, service: str = "") -> Fault:
    """Return the fault that a Service chooses no pod."""
    name, _, needs = on(target, "service")
    service = service or target.name
    selector = {"app.kubernetes.io/name": "nobody"}

    def simulate(world: World) -> None:
        for each in world.objects("Service", target.namespace, service):
            each["spec"]["selector"] |= selector
        for each in world.objects("EndpointSlice", target.namespace):
            if each["metadata"]["labels"]["kubernetes.io/service-name"] == service:
                each["endpoints"] = []
        world.missed(target.place)

    body = {"spec": {"selector": selector}}
    done = (Patch("Service", target.namespace, service, body),)
    return Fault(name, "TD-SERVICE-EMPTY", service, needs, simulate, done)
