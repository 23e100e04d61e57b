"""Releases side by side on the real cluster: each with a model, a route and a controller of its own.

A controller works on one route. So each lane has an HTTPRoute of its own, which leads its model's path to the same two
tracks as everybody's, and the controllers of all lanes are processes of one pod, made of the lab's own image. Gateway,
servers, registry and Prometheus are the platform's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from driver import Driver, until
from faults.figures import series
from faults.load import Load
from faults.registered import CHALLENGER, CHAMPION, Registry
from faults.releasing import OVER, TRACKS, Kept, plan, questions

_LABEL = "tarmac.dev/fault"
_POD = "fault-lanes"
_PORT = 9000
_CONTROLLERS = f"""
import os, sys
from releases.__main__ import main
for port, route in enumerate(sys.argv[1:], {_PORT}):
    if not os.fork():
        raise SystemExit(main({{**os.environ, "TARMAC_ROUTE": route, "TARMAC_PORT": str(port)}}))
os.wait()
"""
"""Runs the controller's own entry point once for each route; what it imports is in memory once."""
_BEGIN = """
import json, sys, urllib.error, urllib.request
for port, plan in json.loads(sys.argv[1]).items():
    told = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/release", json.dumps(plan).encode(), told)
    try:
        urllib.request.urlopen(request, timeout=20).read()
    except urllib.error.HTTPError as failure:
        sys.exit(failure.read().decode())
"""
_READY = """
import sys, urllib.request
for port in sys.argv[1:]:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).read()
"""


class Lanes:
    """Lanes that stand.

    Args:
        lab: the cluster.
        registry: holds a model for each.
        names: of the lanes, which are those of their models and routes.

    """

    def __init__(self, lab: Driver, registry: Registry, names: Sequence[str]) -> None:
        self._lab = lab
        self._registry = registry
        self.names = names
        self._ports = dict(zip(names, map(str, range(_PORT, _PORT + len(names))), strict=True))

    def prepare(self, versions: Mapping[str, str], champion: str = "1") -> None:
        """Let one version of some models be in use again, and the canary's server have the one that comes next."""
        for name, version in versions.items():
            self._registry.point(name, CHAMPION, champion)
            self._registry.point(name, CHALLENGER, version)
        wanted = {(track, name, CHAMPION, champion) for track in TRACKS for name in versions}
        wanted |= {(track, name, CHALLENGER, version) for track in TRACKS for name, version in versions.items()}
        until(lambda: wanted <= self._loaded(), "both tracks have the versions", 120, step=1)

    def release(self, versions: Mapping[str, str], rate: float, seconds: float) -> tuple[dict[str, Kept], Load]:
        """Release a version of some models at once, each under traffic of its own through the gateway.

        Args:
            versions: model -> version.
            rate: of requests to each, per second.
            seconds: by which all have to have ended.

        Returns:
            How each ended, and what came of the requests.

        """
        asks = [ask for row in zip(*map(questions, versions), strict=True) for ask in row]
        plans = {self._ports[name]: plan(name, version) for name, version in versions.items()}
        with Load(f"http://127.0.0.1:{self._lab.port(8800)}", asks, rate * len(versions)) as load:
            until(lambda: len(load.answers) >= len(versions), "the models answer", 20)
            self._in_pod(_BEGIN, json.dumps(plans))
            ended = until(lambda: self._ended(list(versions)), "the releases end", seconds, step=2)
        return ended, load

    def promoted(self, names: Sequence[str]) -> dict[str, str]:
        """Return the version of each model that is in use."""
        return {name: self._registry.named(name) for name in names}

    def until_ready(self) -> None:
        """Wait until each controller has read its route."""
        until(lambda: self._in_pod(_READY, *self._ports.values(), code=None), "the controllers stand", 90, step=1)

    def _in_pod(self, program: str, *words: str, code: int | None = 0) -> bool:
        """Run a Python program in the pod of the controllers, and say whether it ended well."""
        told = ("exec", "-n", "lab-04", _POD, "--", "python3", "-c", program, *words)
        return self._lab.run("kubectl", *told, code=code).returncode == 0

    def _ended(self, names: Sequence[str]) -> dict[str, Kept]:
        """Return how each release ended; nothing while one has not."""
        routes = json.loads(self._lab.kubectl("get", "httproutes", "-n", "chain", "-l", _LABEL, "-o", "json"))["items"]
        found = {each["metadata"]["name"]: Kept.of(each) for each in routes}
        return {name: found[name] for name in names} if all(found[name].phase in OVER for name in names) else {}

    def _loaded(self) -> set[tuple[str, ...]]:
        """Return track, model, alias and the version that answers for it, as the servers tell."""
        found = series(self._lab, 'serving_alias_version{track!=""}')
        labels = ("track", "model", "alias")
        return {(*(each["metric"][label] for label in labels), each["value"][1]) for each in found}


@contextmanager
def lanes(lab: Driver, registry: Registry, names: Sequence[str]) -> Iterator[Lanes]:
    """Have lanes for models of the registry, by their names; they are gone afterwards."""
    file = lab.folder / "lanes.json"
    objects = [*map(_route, names), *_rights(names), _pod(lab, names)]
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    try:
        lab.kubectl("apply", "-f", str(file))
        made = Lanes(lab, registry, names)
        accepted = '--for=jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}=True'
        lab.kubectl("wait", "httproutes", "-n", "chain", "-l", _LABEL, accepted, "--timeout=60s")
        lab.kubectl("wait", f"pod/{_POD}", "-n", "lab-04", "--for=condition=Ready", "--timeout=90s")
        made.until_ready()
        yield made
    finally:
        lab.kubectl("delete", "-f", str(file), "--ignore-not-found", "--grace-period=1")


def _route(name: str) -> dict[str, Any]:
    shares = zip(TRACKS, (100, 0), strict=True)
    refs = [{"name": f"serving-{track}", "port": 8080, "weight": share} for track, share in shares]
    matches = [{"path": {"type": "PathPrefix", "value": f"/v2/models/{name}"}}]
    spec = {
        "parentRefs": [{"name": "gateway", "namespace": "platform", "sectionName": "http"}],
        "rules": [{"matches": matches, "timeouts": {"request": "10s"}, "backendRefs": refs}],
    }
    api = "gateway.networking.k8s.io/v1"
    return {"apiVersion": api, "kind": "HTTPRoute", "metadata": _meta(name, "chain"), "spec": spec}


def _rights(names: Sequence[str]) -> list[dict[str, Any]]:
    """Let the lab's controller work on these routes as on its own."""
    api = "rbac.authorization.k8s.io"
    rule = {
        "apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes", "grpcroutes"],
        "resourceNames": list(names), "verbs": ["get", "patch"],
    }  # fmt: skip
    account = {"kind": "ServiceAccount", "name": "releases", "namespace": "lab-04"}
    return [
        {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": _meta(_POD, "chain"), "rules": [rule]},
        {
            "apiVersion": f"{api}/v1", "kind": "RoleBinding", "metadata": _meta(_POD, "chain"),
            "roleRef": {"apiGroup": api, "kind": "Role", "name": _POD}, "subjects": [account],
        },
    ]  # fmt: skip


def _pod(lab: Driver, names: Sequence[str]) -> dict[str, Any]:
    """Return a pod of the lab's controller with a process for each route."""
    controller = json.loads(lab.kubectl("get", "deployment", "releases", "-n", "lab-04", "-o", "json"))
    spec = controller["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    spec["containers"] = [{
        "name": "releases",
        "image": container["image"],
        "imagePullPolicy": container["imagePullPolicy"],
        "securityContext": container["securityContext"],
        "command": ["python3", "-c", _CONTROLLERS, *names],
        "env": [{"name": "TARMAC_POLL_SECONDS", "value": "0.5"}],
        "resources": {"requests": {"cpu": "15m", "memory": "112Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    }]  # fmt: skip
    spec["restartPolicy"] = "Never"
    return {"apiVersion": "v1", "kind": "Pod", "metadata": _meta(_POD, "lab-04"), "spec": spec}


def _meta(name: str, namespace: str) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": {_LABEL: "lanes"}}
