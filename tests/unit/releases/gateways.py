"""A gateway as Gateway API has it, as far as a release goes: which rule a request meets, and what becomes of it."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple


class Passed(NamedTuple):
    """A request on its way.

    Attributes:
        service: that gets it.
        headers: with which.
    """

    service: str
    headers: dict[str, str]


def passed(rules: list[dict[str, Any]], path: str, headers: Mapping[str, str]) -> Passed:
    """Send a request where the rules say; a rule whose backends share requests by weight has no place here."""
    met = [
        (len(match["path"]["value"]), len(match.get("headers", [])), -number)
        for number, rule in enumerate(rules)
        for match in rule["matches"]
        if path.startswith(match["path"]["value"]) and all(_holds(each, headers) for each in match.get("headers", []))
    ]
    # The longest path, then the most conditions, then the first rule.
    rule = rules[-max(met)[2]]
    (backend,) = [ref["name"] for ref in rule["backendRefs"] if ref.get("weight", 1)]
    changed = dict(headers)
    for each in rule.get("filters", []):
        if each["type"] == "RequestHeaderModifier":
            changed |= {said["name"]: said["value"] for said in each["requestHeaderModifier"].get("set", [])}
    return Passed(backend, changed)


def _holds(condition: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    value = headers.get(condition["name"])
    if value is None:
        return False
    if condition["type"] == "RegularExpression":
        return re.fullmatch(condition["value"], value) is not None
    return value == condition["value"]
