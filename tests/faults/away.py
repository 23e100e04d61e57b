"""Something of the stack is gone for a while: a workload without pods, or a process that stands still."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from driver import Driver


class Away:
    """A workload that is scaled to nothing, and back.

    Args:
        lab: the cluster.
        workload: kind and name, as kubectl has them.
        namespace: of the workload.
        seconds: that it is gone at least, whatever was seen meanwhile.

    """

    def __init__(self, lab: Driver, workload: str, namespace: str = "data", seconds: float = 30) -> None:
        self._lab = lab
        self._workload = workload
        self._namespace = namespace
        self._seconds = seconds

    def __enter__(self) -> None:
        self._scale(0)
        self._gone = time.monotonic()

    def __exit__(self, *_: object) -> None:
        time.sleep(max(0.0, self._gone + self._seconds - time.monotonic()))
        self._scale(1)
        self._lab.kubectl("rollout", "status", self._workload, "-n", self._namespace, "--timeout=180s")

    def _scale(self, number: int) -> None:
        self._lab.kubectl("scale", self._workload, "-n", self._namespace, f"--replicas={number}")


@contextmanager
def frozen(lab: Driver, namespace: str, label: str, container: str) -> Iterator[None]:
    """Let the first process of a container stand still: it takes connections, and answers none."""
    number = str(lab.first_process(namespace, label, container))
    lab.in_node("kill", "-STOP", number)
    try:
        yield
    finally:
        lab.in_node("kill", "-CONT", number)
