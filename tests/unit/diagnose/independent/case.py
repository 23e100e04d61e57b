"""A case: a state that is to be diagnosed, and what a person who knows Kubernetes would call its root cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unit.diagnose.independent.scene import Scene


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        name: stable, unique.
        code: of the cause that is expected; None: nothing may be blamed.
        needs: components that a lab must have.
        play: changes a healthy scene into it.
        where: a part of what the blamed object is called; empty where there is no one object.
        labs: those that it is played in; none: all that have what it needs.

    """

    name: str
    code: str | None
    needs: tuple[str, ...]
    play: Callable[[Scene], None]
    where: str = ""
    labs: tuple[str, ...] = ()

    def fits(self, lab: str, components: list[str]) -> bool:
        """Say whether it can be played in a lab."""
        return set(self.needs) <= set(components) and (not self.labs or lab in self.labs)
