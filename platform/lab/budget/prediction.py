"""What a lab is expected to take on this machine, from what it declares and what of it stands already."""

from __future__ import annotations

from collections.abc import Collection

from lab.budget.figures import CPU, DISK, IMAGES, KEPT, NOTHING, PEAK, RESET, SECONDS, STOPPED
from lab.spec import Course, LabSpec

_DECLARED_CORES = 2
_LASTING = "platform"
"""Namespace of the components that a reset leaves alone."""


def expected(lab: LabSpec, stands: Collection[str] | None, cores: int) -> dict[str, float]:
    """Return a figure for each of a budget's.

    Memory, disk and images are what the lab declares, since they are those of all that stands in the end. CPU time is
    the share of what is still to be done, every component alike, beside the cluster, the images and the lab's own pods.
    The declared time holds for two cores: the part of it that is no CPU time is spent waiting on any machine.

    Args:
        lab: which.
        stands: components that stand already; None where the cluster has to be made too.
        cores: of this machine.

    """
    budget = lab.budget
    steps = 3 + len(lab.components)
    left = steps if stands is None else 2 + len(set(lab.components) - set(stands))
    waiting = max(0.0, budget.seconds - budget.cpu_seconds / _DECLARED_CORES)
    seconds = waiting + budget.cpu_seconds / max(1, cores)
    whole = {PEAK: budget.peak_mib, DISK: budget.disk_mib, IMAGES: budget.images_mib}
    return {**whole, CPU: budget.cpu_seconds * left / steps, SECONDS: seconds * left / steps}


def standing(course: Course, way: str) -> set[str] | None:
    """Return the components that stand before a lab comes in a way; None where the cluster does not run."""
    if way in (NOTHING, STOPPED):
        return None
    if way in (RESET, KEPT):
        return lasting(course)
    code = way.removeprefix("lab ")
    return set(course.lab(code).components) if code in course.codes() else set()


def lasting(course: Course) -> set[str]:
    """Return the components that a reset leaves standing."""
    return {name for name, component in course.components.items() if component.namespace == _LASTING}
