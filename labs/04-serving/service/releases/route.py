"""The HTTPRoute of the Gateway API: where requests go, and, in an annotation of the same object, why.

Weights and state are written together, in one patch that holds for one `resourceVersion` alone. So a route never says
anything else than its release, and of two controllers that act at once one is told that it came second, before it has
done anything. A merge patch and not a server-side apply: the `rules` of a route are one value to Kubernetes, which has
to be written whole in either way, and a refusal for its version is then told apart from one for anything else (409).
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from releases import state as states
from releases.errors import ApiFailure
from releases.kube import Kube
from releases.plan import AB, Plan, Side
from releases.state import State, Weigh
from releases.statistics.experiment import dealt

ANNOTATION = "tarmac.dev/release"
A, B = "a", "b"
COPIED = "x-tarmac-copied-to"
"""Header by which a server that gets copies knows that nobody gets its answers."""
_GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces"
_HEADERS, _CHANGES = "RequestHeaderModifier", "requestHeaderModifier"
Rule = dict[str, Any]
Condition = dict[str, str]


@dataclass(frozen=True)
class Held:
    """The route as it was read.

    Attributes:
        state: of its release; None where there has been none.
        version: its resourceVersion.
        uid: of the object.
        rules: as they are.
    """

    state: State | None
    version: str
    uid: str
    rules: list[Rule]


class Route:
    """One HTTPRoute.

    Args:
        kube: the API.
        name: of the route.
        header: with which callers ask for B, and servers are told who got what.
        unit: header with which callers say who asks.
    """

    def __init__(self, kube: Kube, name: str, header: str, unit: str) -> None:
        self.name = name
        self.namespace = kube.namespace
        self._kube = kube
        self._header = header
        self._unit = unit
        self._path = f"{_GATEWAY}/{kube.namespace}/httproutes/{name}"

    def read(self) -> Held:
        """The route and its release.

        Raises:
            ApiFailure: there is no such route, its annotation cannot be read, or the API does not say.
        """
        return self._held(self._kube.get(self._path))

    def write(self, held: Held, state: State) -> Held:
        """Keep `state`, and let the route do what it says.

        Raises:
            Conflict: the route has changed since `held` was read; nothing was written.
            ApiFailure: the API refuses or does not answer.
        """
        body = {
            "metadata": {"resourceVersion": held.version, "annotations": {ANNOTATION: states.written(state)}},
            "spec": {"rules": self.wanted(held.rules, state)},
        }
        return self._held(self._kube.patch(self._path, body))

    def wanted(self, rules: list[Rule], state: State) -> list[Rule]:
        """The rules that the state asks for, made from those that are there."""
        return weighed(rules, state.plan, state.route, self._header, self._drawn(state))

    def _drawn(self, state: State) -> Condition | None:
        """What the header of a unit that gets B is like, while an A/B test runs."""
        if not state.test or not isinstance(state.plan, AB):
            return None
        return {"type": "RegularExpression", "name": self._unit, "value": dealt(state.test, state.plan.share)}

    def _held(self, route: Any) -> Held:  # noqa: ANN401  any JSON
        metadata = route["metadata"]
        text = metadata.get("annotations", {}).get(ANNOTATION)
        try:
            state = states.read(text) if text else None
        except msgspec.DecodeError as failure:
            remedy = f"remove the annotation {ANNOTATION}; the release it told of is then forgotten"
            raise ApiFailure(f"HTTPRoute/{self.name}, {ANNOTATION}: {failure}", remedy) from failure
        return Held(state, metadata["resourceVersion"], metadata.get("uid", ""), route["spec"].get("rules", []))


def weighed(
    rules: list[Rule], plan: Plan, route: Weigh, header: str, drawn: Condition | None = None
) -> list[Rule]:
    """Rules that send the canary what `route` says; rules that lead elsewhere stay as they are.

    Args:
        rules: as they are; not changed.
        plan: which Services are meant.
        route: what is wanted.
        header: with which callers ask for B.
        drawn: condition on another header that gets B as well.

    Raises:
        ApiFailure: no rule leads to the stable Service.
    """
    plain = [copy.deepcopy(rule) for rule in rules if not _variant(rule, header)]
    ours = [rule for rule in plain if _leads_to(rule, plan.stable)]
    if not ours:
        remedy = "let a rule of the route name it among its backendRefs"
        raise ApiFailure(f"no rule of the route leads to the Service {plan.stable.service}", remedy)
    made: list[Rule] = []
    for rule in plain:
        made += _made(rule, plan, route, header, drawn) if rule in ours else [rule]
    return made


def weights(rules: list[Rule]) -> dict[str, float]:
    """Service -> per cent of the requests that the first rule which names it sends there, if no header decides that."""
    found: dict[str, float] = {}
    for rule in rules:
        refs = rule.get("backendRefs", [])
        if any(match.get("headers") for match in rule.get("matches", [])) or {ref["name"] for ref in refs} & set(found):
            continue
        total = sum(ref.get("weight", 1) for ref in refs)
        found |= {ref["name"]: 100 * ref.get("weight", 1) / total if total else 0.0 for ref in refs}
    return found


def _made(rule: Rule, plan: Plan, route: Weigh, header: str, drawn: Condition | None) -> list[Rule]:
    (stable,) = [ref for ref in rule["backendRefs"] if ref["name"] == plan.stable.service]
    weight = route.weight if route.mode == "weight" else 0
    canary = {**stable, "name": plan.canary.service, "port": plan.canary.port}
    rule["backendRefs"] = [{**stable, "weight": 100 - weight}, {**canary, "weight": weight}]
    plain = [_unmarked(each, header) for each in rule.get("filters", [])]
    filters = [each for each in plain if each and not _mirrors(each, plan.canary)]
    if route.mode == "mirror":
        # Whole, as Kubernetes gives it back: what is read can be compared with what is wanted.
        reference = {"group": "", "kind": "Service", "name": plan.canary.service, "port": plan.canary.port}
        filters = _marked(filters, COPIED, plan.canary.service)
        filters.append({"type": "RequestMirror", "requestMirror": {"backendRef": reference}})
    if route.mode == "header":
        asks: Condition = {"type": "Exact", "name": header, "value": B}
        conditions = [asks, drawn] if drawn else [asks]
        asked = _filtered(_asked(rule, canary, conditions), _marked(filters, header, B))
        return [asked, _filtered(rule, _marked(filters, header, A))]
    return [_filtered(rule, filters)]


def _filtered(rule: Rule, filters: list[Rule]) -> Rule:
    """A rule with these filters and no other."""
    bare = {key: value for key, value in rule.items() if key != "filters"}
    return {**bare, "filters": filters} if filters else bare


def _marked(filters: list[Rule], name: str, value: str) -> list[Rule]:
    """Filters that give servers a header besides; a rule has one filter of headers at most."""
    said = {"name": name, "value": value}
    others = [each for each in filters if each["type"] != _HEADERS]
    (own,) = [each for each in filters if each["type"] == _HEADERS] or [{"type": _HEADERS, _CHANGES: {}}]
    return [*others, {**own, _CHANGES: {**own[_CHANGES], "set": [*own[_CHANGES].get("set", []), said]}}]


def _unmarked(each: Rule, header: str) -> Rule | None:
    """A filter without what `_marked` put into it; None where nothing else was in it."""
    if each["type"] != _HEADERS:
        return each
    left = [said for said in each[_CHANGES].get("set", []) if said["name"] not in (COPIED, header)]
    changes = {key: value for key, value in each[_CHANGES].items() if key != "set"} | ({"set": left} if left else {})
    return {**each, _CHANGES: changes} if changes else None


def _asked(rule: Rule, canary: Rule, conditions: Sequence[Condition]) -> Rule:
    """The same rule for requests that meet one of the conditions; Kubernetes has a rule with more of them win."""
    asked = copy.deepcopy(rule)
    asked["matches"] = [
        {**match, "headers": [*match.get("headers", []), condition]}
        for condition in conditions
        for match in asked.get("matches", [{}])
    ]
    asked.pop("name", None)  # names of rules are unique
    asked["backendRefs"] = [{**canary, "weight": 1}]
    return asked


def _leads_to(rule: Rule, side: Side) -> bool:
    return any(ref["name"] == side.service for ref in rule.get("backendRefs", []))


def _mirrors(each: Rule, canary: Side) -> bool:
    backend = each.get("requestMirror", {}).get("backendRef", {})
    return each.get("type") == "RequestMirror" and backend.get("name") == canary.service


def _variant(rule: Rule, header: str) -> bool:
    """Whether a rule was made by `_asked`."""
    conditions = [it for match in rule.get("matches", []) for it in match.get("headers", [])]
    return any(it.get("name") == header and it.get("value") == B for it in conditions)
