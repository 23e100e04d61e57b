"""Rules of a route, made from those that are there: which Service gets what, and who is told of it.

An HTTPRoute's and a GRPCRoute's rules are alike in all that is touched here. Backends get no filters: the gateway would
make a cluster of its own for each that has any, which comes and goes with the weight, and with it requests fail.
"""

import copy
from collections.abc import Container, Sequence
from typing import Any

from releases.errors import ApiFailure
from releases.plan import Plan, Side
from releases.state import Weigh

A, B = "a", "b"
COPIED = "x-tarmac-copied-to"
"""Header by which a server that gets copies knows that nobody gets its answers."""
_KIND, _CHANGES = "RequestHeaderModifier", "requestHeaderModifier"
"""The filter that changes headers for the server: its type, and where it says what it changes."""
Rule = dict[str, Any]
Condition = dict[str, str]


def weighed(rules: list[Rule], plan: Plan, route: Weigh, header: str, drawn: Condition | None = None) -> list[Rule]:
    """Rules that send the canary what `route` says; rules that lead elsewhere stay as they are.

    Args:
        rules: as they are; not changed.
        plan: which Services are meant.
        route: what is wanted.
        header: with which callers ask for B, and servers are told who got what.
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
    # Another port than the plan's is another protocol's, which both Services have.
    port = plan.canary.port if stable["port"] == plan.stable.port else stable["port"]
    canary = {**stable, "name": plan.canary.service, "port": port}
    weight = route.weight if route.mode == "weight" else 0
    rule = {**rule, "backendRefs": _shared(stable, 100 - weight, canary, weight)}
    filters = [each for each in _plain(rule, (COPIED, header)) if not _mirrors(each, plan.canary)]
    if route.mode == "mirror":
        # Whole, as Kubernetes gives it back: what is read can be compared with what is wanted.
        reference = {"group": "", "kind": "Service", "name": canary["name"], "port": canary["port"]}
        filters = _marked(filters, COPIED, canary["name"])
        filters.append({"type": "RequestMirror", "requestMirror": {"backendRef": reference}})
    if route.mode == "header":
        asks: Condition = {"type": "Exact", "name": header, "value": B}
        asked = {**_asked(rule, [asks, drawn] if drawn else [asks]), "backendRefs": _shared(stable, 0, canary, 1)}
        return [
            _filtered(asked, _marked(filters, header, B)),
            _filtered(rule, _marked(filters, header, A)),
        ]
    return [_filtered(rule, filters)]


def _shared(stable: Rule, stable_weight: int, canary: Rule, canary_weight: int) -> list[Rule]:
    """Both backends with their weights."""
    return [{**stable, "weight": stable_weight}, {**canary, "weight": canary_weight}]


def _filtered(of: Rule, filters: list[Rule]) -> Rule:
    """A rule with these filters and no other."""
    bare = {key: value for key, value in of.items() if key != "filters"}
    return {**bare, "filters": filters} if filters else bare


def _marked(filters: list[Rule], name: str, value: str) -> list[Rule]:
    """Filters that set a header for the server besides; there is one such filter at most."""
    others = [each for each in filters if each["type"] != _KIND]
    (own,) = [each for each in filters if each["type"] == _KIND] or [{"type": _KIND, _CHANGES: {}}]
    said = [*own[_CHANGES].get("set", []), {"name": name, "value": value}]
    return [*others, {**own, _CHANGES: {**own[_CHANGES], "set": said}}]


def _plain(rule: Rule, names: Container[str]) -> list[Rule]:
    """The filters of a rule without what `_marked` put into them."""
    return [left for each in rule.get("filters", []) if (left := _unmarked(each, names))]


def _unmarked(each: Rule, names: Container[str]) -> Rule | None:
    """A filter without these headers; None where nothing else was in it."""
    if each["type"] != _KIND:
        return each
    left = [said for said in each[_CHANGES].get("set", []) if said["name"] not in names]
    kept = {key: value for key, value in each[_CHANGES].items() if key != "set"} | ({"set": left} if left else {})
    return {**each, _CHANGES: kept} if kept else None


def _asked(rule: Rule, conditions: Sequence[Condition]) -> Rule:
    """The same rule for requests that meet one of the conditions; Kubernetes has a rule with more of them win."""
    matches = [
        {**match, "headers": [*match.get("headers", []), condition]}
        for condition in conditions
        for match in rule.get("matches", [{}])
    ]
    return {**{key: value for key, value in rule.items() if key != "name"}, "matches": matches}  # names are unique


def _leads_to(rule: Rule, side: Side) -> bool:
    return any(ref["name"] == side.service for ref in rule.get("backendRefs", []))


def _mirrors(each: Rule, canary: Side) -> bool:
    backend = each.get("requestMirror", {}).get("backendRef", {})
    return each.get("type") == "RequestMirror" and backend.get("name") == canary.service


def _variant(rule: Rule, header: str) -> bool:
    """Whether a rule was made by `_asked`."""
    conditions = [it for match in rule.get("matches", []) for it in match.get("headers", [])]
    return any(it.get("name") == header and it.get("value") == B for it in conditions)
