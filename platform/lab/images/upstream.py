"""Registries upstream: a closed network is known within seconds, an open one may take the minutes that it needs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import httpx

from lab.cluster.engine import Engine
from lab.text import Text

_ANSWER_SECONDS = 5.0
"""How long a registry may take to answer at all."""
_MIRROR_SECONDS = 10.0
"""How long a pull may take from a registry that does not answer us: the engine may have a mirror that does."""
_PULL_SECONDS = 900.0
"""How long a pull may take from one that answers."""
_ANSWERS = (200, 301, 401)
"""What a registry says to a stranger (docker.io sends him on to its site); anything else is a proxy's word."""


def pulled(engine: Engine, reference: str) -> bool:
    """Pull an image; say whether it came."""
    return engine.pull(reference, _PULL_SECONDS if answers(reference.split("/", maxsplit=1)[0]) else _MIRROR_SECONDS)


@cache
def answers(registry: str) -> bool:
    """Say whether a registry answers this machine; asked once."""
    scheme = "http" if registry.split(":", maxsplit=1)[0] in ("127.0.0.1", "localhost") else "https"
    try:
        reply = httpx.get(f"{scheme}://{registry}/v2/", timeout=_ANSWER_SECONDS)
    except httpx.HTTPError:
        return False
    return reply.status_code in _ANSWERS


def export(engine: Engine, reference: str, target: Path) -> None:
    """Write the file system of an image that the engine holds to a tar archive."""
    what = Text(en=f"unpacking {reference}", fr=f"extraction de {reference}")
    # The command is never run; an image without one could not become a container.
    container = engine.call("create", reference, "true", what=what).strip()
    try:
        engine.call("export", "-o", target, container, what=what)
    finally:
        engine.call("rm", container, what=what)
