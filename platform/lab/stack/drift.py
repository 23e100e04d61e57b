"""Whether an object of the cluster is as it was declared, and as it was when its release was settled."""

from __future__ import annotations

import hashlib
import json
import re
from decimal import Decimal
from typing import Any

from lab.api import Object

_UNITS = {"": Decimal(1), "m": Decimal("0.001"), "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|)")


def holds(desired: Any, live: Any) -> bool:  # noqa: ANN401  JSON
    """Say whether all that is desired is there; what the cluster adds of its own does not matter."""
    if isinstance(desired, dict):
        return isinstance(live, dict) and all(holds(value, live.get(key)) for key, value in desired.items())
    if isinstance(desired, list):
        return isinstance(live, list) and len(desired) == len(live) and all(map(holds, desired, live))
    return desired == live or (desired in (None, "", 0, False) and live is None) or _same_quantity(desired, live)


def _same_quantity(desired: object, live: object) -> bool:
    """Say whether two amounts are equal however they are written: Kubernetes gives 1Gi back for 1024Mi."""
    return str(desired) == str(live) or None is not _amount(desired) == _amount(live)


def _amount(words: object) -> Decimal | None:
    match = _QUANTITY.fullmatch(str(words))
    return Decimal(match[1]) * _UNITS[match[2]] if match else None


def changed_since_made(live: Object | None) -> bool:
    """Say whether an object's specification was written more than once."""
    return live is not None and int(live["metadata"].get("generation", 1)) > 1


def digest(live: Object | None) -> str:
    """Return the hash of an object's specification, with all that the cluster adds to it by itself."""
    return hashlib.sha256(json.dumps((live or {}).get("spec"), sort_keys=True).encode()).hexdigest()[:16]
