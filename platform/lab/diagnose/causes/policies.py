"""Network policies that are not the platform's, and what shows that they cut somebody off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lab.diagnose.causes.chain import SERVICES
from lab.diagnose.causes.model import Cause, Found
from lab.diagnose.causes.pods import Pod, Workload, part
from lab.diagnose.causes.refused import ports
from lab.diagnose.causes.scene import Scene
from lab.text import Text

_Json = Mapping[str, Any]
_LATE = re.compile(r"timed out|timeout|deadline exceeded", re.IGNORECASE)
"""A policy drops in silence: whoever is refused was reached."""
_WAITED = re.compile(rf"{_LATE.pattern}|no answer within", re.IGNORECASE)
"""What a client says that a policy keeps from the server it names; without that, one may just be late under load."""
_NAMELESS = re.compile(
    r"temporary failure in name resolution|EAI_AGAIN|could not resolve host"
    r"|DNS ?(?:lookup|resolution) ?(?:failed|failure|error)",
    re.IGNORECASE,
)
"""What is said by whoever gets no answer from the name server; that a name is unknown would be an answer."""
_OWN = ("app.kubernetes.io/part-of", "tarmac")
_NAME, _SYSTEM = "kubernetes.io/metadata.name", "kube-system"
_DNS_PORT = 53


def _cut(scene: Scene, component: str) -> Iterator[Found]:
    """Go through foreign policies that choose pods of a component that is not reached, or reaches nobody."""
    for policy in scene.of("NetworkPolicy"):
        labels = part(policy, "metadata", "labels") or {}
        if labels.get(_OWN[0]) == _OWN[1] or _open(policy):
            continue
        chosen = part(policy, "spec", "podSelector") or {}
        for workload in scene.running(component):
            if part(policy, "metadata", "namespace") != workload.namespace:
                continue
            pods = [pod for pod in workload.pods if _chooses(chosen, pod.labels)]
            told = pods and (
                _unreached(scene, policy, component, pods)
                or _nameless(policy, pods)
                or _shut_out(scene, policy, workload)
            )
            if told:
                yield Found(f"NetworkPolicy/{part(policy, 'metadata', 'name')}", workload.namespace, told)


def _unreached(scene: Scene, policy: _Json, component: str, pods: list[Pod]) -> str:
    """Return what shows that pods are not reached, or reach nobody."""
    names = {pod.name for pod in pods}
    targets = [each for each in scene.health.get("targets") or [] if each.get("pod") in names]
    answer = part(scene.health, "answers", component) or {}
    told = [f"{each.get('pod')}: {each.get('error')}" for each in targets]
    told += [str(answer.get("body"))] if answer.get("status") == 0 else []
    # A pod tells of whom it asked: nothing of that is kept from it by a policy of who comes in.
    told += [line for pod in pods for line in pod.lines] if "Egress" in _kinds(policy) else []
    told += [scene.problem(component)]
    return next((each[-200:] for each in told if _LATE.search(each)), "")


def _nameless(policy: _Json, pods: list[Pod]) -> str:
    """Return what shows that pods cannot ask for names, where the policy lets no such question out."""
    if "Egress" not in _kinds(policy) or any(_asks(rule) for rule in part(policy, "spec", "egress") or []):
        return ""
    return next((line[-200:] for pod in pods for line in pod.lines if _NAMELESS.search(line)), "")


def _asks(rule: _Json) -> bool:
    """Say whether a rule may let questions for names out."""
    ports = [each.get("port") for each in rule.get("ports") or []]
    peers = rule.get("to") or []
    to = not peers or any("ipBlock" in each or _knows(each.get("namespaceSelector"), _SYSTEM) for each in peers)
    # A port may have a name, which only the pod knows.
    return to and (not ports or any(each in (None, _DNS_PORT) or isinstance(each, str) for each in ports))


def _shut_out(scene: Scene, policy: _Json, served: Workload) -> str:
    """Return the words of a client of a workload that the policy does not let in: it names whom it does not reach."""
    if "Ingress" not in _kinds(policy) or not served.stands:
        return ""
    rules = part(policy, "spec", "ingress") or []
    places = [f"{name}.{namespace}.svc" for namespace, name in SERVICES.get(served.component, ())]
    named = _names(scene, served.component)
    for client in scene.workloads:
        if client.component != served.component and any(
            place in value for _, value in client.env() for place in places
        ):
            for pod in client.pods:
                line = next((each for each in pod.lines if _WAITED.search(each) and named.search(each)), "")
                if line and not any(_admits(rule, served.namespace, pod) for rule in rules):
                    return f"{client.what}: {line[-200:]}"
    return ""


def _names(scene: Scene, component: str) -> re.Pattern[str]:
    """Return what a line has that is about a component: its name, or an address or port that only its Services have."""
    homes = SERVICES.get(component, ())
    services = {(space, name): item for (kind, space, name), item in scene.objects.items() if kind == "Service"}
    own = [item for place, item in services.items() if place in homes]
    foreign = {port for place, item in services.items() if place not in homes for port in ports(item)}
    addresses = [part(item, "spec", "clusterIP") for item in own]
    names = [component, *(each for each in addresses if each and each != "None")]
    shown = [port for item in own for port in ports(item) if port not in foreign]
    told = [rf"\b(?:{'|'.join(map(re.escape, names))})\b", *(rf"(?:\bport[ =]|:){port}\b" for port in shown)]
    return re.compile("|".join(told), re.IGNORECASE)


def _admits(rule: _Json, namespace: str, pod: Pod) -> bool:
    """Say whether a rule of a namespace may let a pod in; what a state does not tell is taken to."""
    peers = rule.get("from") or []
    return not peers or any(_admitted(peer, namespace, pod) for peer in peers)


def _admitted(peer: _Json, namespace: str, pod: Pod) -> bool:
    if "ipBlock" in peer:
        return True
    spaces = peer.get("namespaceSelector")
    near = pod.namespace == namespace if spaces is None else _knows(spaces, pod.namespace)
    return near and _chooses(peer.get("podSelector") or {}, pod.labels)


def _knows(selector: _Json | None, namespace: str) -> bool:
    """Say whether a selector may choose a namespace, of whose labels only its name is known."""
    if selector is None:
        return False
    labels = {key: value for key, value in (selector.get("matchLabels") or {}).items() if key == _NAME}
    told = [each for each in selector.get("matchExpressions") or [] if each.get("key") == _NAME]
    return _chooses({"matchLabels": labels, "matchExpressions": told}, {_NAME: namespace})


def _chooses(selector: _Json, labels: _Json) -> bool:
    """Say whether a selector chooses what has these labels."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(each, labels.get(str(each.get("key")))) for each in selector.get("matchExpressions") or []
    )


def _holds(expression: _Json, value: object) -> bool:
    listed = value is not None and value in (expression.get("values") or [])
    return {
        "In": listed, "NotIn": not listed, "Exists": value is not None, "DoesNotExist": value is None
    }.get(str(expression.get("operator")), True)  # fmt: skip


def _kinds(policy: _Json) -> list[str]:
    """Return the directions that a policy is about."""
    spec = policy.get("spec") or {}
    return spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _open(policy: _Json) -> bool:
    """Say whether a policy lets everybody through in each direction that it is about."""
    spec = policy.get("spec") or {}
    return all({} in (spec.get(kind.lower()) or []) for kind in _kinds(policy))


CUT = Cause(
    "TD-POLICY-BLOCKED",
    Text(en="a network policy cuts a component off", fr="une politique réseau isole un composant"),
    Text(
        en="A NetworkPolicy that is not the platform's chooses the pods of a component: whoever needs them does not "
        "reach them, or they reach nobody, not even the name server.",
        fr="Une NetworkPolicy étrangère à la plateforme choisit les pods d'un composant : qui a besoin d'eux ne les "
        "atteint pas, ou eux n'atteignent personne, pas même le serveur de noms.",
    ),
    "lab kubectl -n {namespace} get networkpolicy",
    "lab kubectl -n {namespace} delete networkpolicy {name}",
    _cut,
)
