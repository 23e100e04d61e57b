"""A fault: how it is done to a cluster, how a recorded state looks with it, and the cause that has to be found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lab.diagnose.faults.acts import Act, Target
from lab.diagnose.faults.world import World


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        name: stable, unique.
        code: of the cause that has to be found.
        where: what the object that is blamed is called, or a part of it.
        needs: components that a lab must have.
        simulate: changes a healthy state into what a cluster shows.
        acts: what is done to a cluster; none: it can only be simulated, for it lies outside what the API reaches.
        drawn: whether `lab break` may draw it; False for what some clusters do not feel.

    """

    name: str
    code: str
    where: str
    needs: tuple[str, ...]
    simulate: Callable[[World], None]
    acts: tuple[Act, ...] = ()
    drawn: bool = True

    def fits(self, components: list[str]) -> bool:
        """Say whether a lab with these components can have it."""
        return set(self.needs) <= set(components)


def on(target: Target, what: str) -> tuple[str, str, tuple[str, ...]]:
    """Return name, place and needs of a fault of a workload."""
    return f"{what}-{target.name}", target.name, (target.component,)
