"""Scenes of a repository of models: played to their end in a loop of their own."""

import asyncio
from collections.abc import Coroutine

from serving.repository.repository import Repository


def play(scene: Coroutine[None, None, None]) -> None:
    """Play a scene."""
    asyncio.run(asyncio.wait_for(scene, 30))


def version(models: Repository, name: str = "m", selector: str = "") -> str | None:
    """Return which version answers at once."""
    found = models.find((name, selector))
    return found.version if found else None


def soon() -> float:
    """Return a deadline."""
    return asyncio.get_running_loop().time() + 10
