"""The values that a component's chart is given, and what its schema has against them."""

from __future__ import annotations

import re
from typing import Any

from lab.errors import BadInput
from lab.process import CommandFailed
from lab.settings import Settings
from lab.spec import Component
from lab.text import Text

_MISFIT = re.compile(r"- at '/?([^']*)': (.+)")
"""How Helm names a value that its schema refuses, by JSON pointer."""


def values_for(
    component: Component, images: dict[str, str], settings: Settings, wanted: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a component's values: its images, the host ports that clients are told, and what a lab wants otherwise."""
    values: dict[str, Any] = {key: images[image] for key, image in component.images.items()}
    for path, port in component.ports.items():
        *folders, last = path.split(".")
        place = values
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = settings.port(port)
    return _merged(values, wanted or {})


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {name: _merged(one[name], value) for name, value in other.items() if isinstance(one.get(name), dict)}
    return {**one, **other, **both}


def refused(name: str, error: CommandFailed) -> BadInput | None:
    """Return what the chart's schema has against the values; None where it is something else that failed."""
    misfits = [(path.replace("/", "."), words) for path, words in _MISFIT.findall(error.output)]
    # Of a rule made of others each part tells its own; only `not` has no parts that could.
    found = [(path, words) for path, words in misfits if "failed" not in words or words.startswith("'not'")]
    if not found:
        return None
    reason = "; ".join(f"{path}: {words}" if path else words for path, words in found)
    return BadInput(
        Text(
            en=f"chart {name}: a value does not fit: {reason}",
            fr=f"chart {name} : une valeur ne convient pas : {reason}",
        ),
        Text(
            en=f"correct it in platform/helm/{name}/values.yaml or platform/stack.yaml; "
            f"platform/helm/{name}/values.schema.json says what fits",
            fr=f"corrigez-la dans platform/helm/{name}/values.yaml ou platform/stack.yaml ; "
            f"platform/helm/{name}/values.schema.json dit ce qui convient",
        ),
    )
