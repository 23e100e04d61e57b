"""One convergence, measured: what its lab takes until it stands."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from lab.api import Api
from lab.budget import node
from lab.budget.figures import BARE, CPU, DISK, IMAGES, KEPT, NOTHING, RESET, SECONDS, STOPPED
from lab.budget.ledger import Entry, Ledger
from lab.budget.node import MIB, Use
from lab.budget.prediction import expected, standing
from lab.budget.sampler import Sampler
from lab.cluster import Cluster, Status
from lab.errors import LabError
from lab.settings import Settings
from lab.spec import Course, LabSpec


@dataclass
class Watch:
    """Measures while a lab comes up, and keeps what it found; a lab that stood already is left alone.

    Attributes:
        course: declares what stands beforehand.
        lab: which comes up.
        cluster: where.
        before: how the cluster stood beforehand.
        way: how the lab comes; None where it stood already.
        built: set where images had to be pulled or built: time and CPU time then say nothing, for the
            node waits.

    """

    course: Course
    lab: LabSpec
    cluster: Cluster
    before: Status = Status.ABSENT
    way: str | None = None
    built: bool = False
    _begun: float = field(default_factory=time.monotonic)
    _measured: dict[str, float] = field(default_factory=dict)

    def comes(self, before: Status, stood: str | None, *, anew: bool, kept: bool) -> None:
        """Say from where the lab comes.

        Args:
            before: how the cluster stands.
            stood: the lab that stood last.
            anew: whether what stood was taken away.
            kept: whether a state that was kept is put back.

        """
        self.before = before
        if kept:
            self.way = KEPT
        elif before is not Status.RUNNING:
            self.way = NOTHING if before is Status.ABSENT else STOPPED
        elif anew:
            self.way = RESET
        elif stood == self.lab.code:
            self.way = None
        else:
            self.way = f"lab {stood}" if stood else BARE

    @contextmanager
    def over(self, api: Api, references: Collection[str]) -> Iterator[None]:
        """Measure until the block ends; only a block that ends well is a measurement.

        Args:
            api: the cluster's.
            references: the lab's images by the names that nodes know.

        """
        if self.way is None:
            yield
            return
        # Only a kind node's counters begin when the tool starts it; elsewhere a node is a machine that ran before.
        zero = self.cluster.backend == "kind" and self.before in (Status.ABSENT, Status.STOPPED)
        with Sampler(_look(api, self.cluster), zero=zero) as sampler:
            yield
            seconds = time.monotonic() - self._begun
        self._measured = sampler.figures() | {SECONDS: seconds}
        for name in (CPU, SECONDS) if self.built else ():
            self._measured.pop(name, None)
        # A reset has to be quick, and takes neither other images nor more disk than its lab had from nothing.
        if self.way not in (RESET, KEPT):
            self._measured |= self._stored(references)

    def keep(self, settings: Settings) -> None:
        """Write down what was measured, and beside it what was expected."""
        if self.way is None:
            return
        cores = os.cpu_count() or 1
        # The lab stands: neither a full disk nor a mistake in another lab's declaration may say that it does not.
        with suppress(OSError, LabError):
            predicted = expected(self.lab, standing(self.course, self.way), cores)
            entry = Entry(self.way, self.built, cores, time.time(), _rounded(self._measured), _rounded(predicted))
            Ledger(settings).keep(self.lab.code, entry)

    def _stored(self, references: Collection[str]) -> dict[str, float]:
        """Return images and disk in MiB, as far as they are told."""
        try:
            told = {IMAGES: node.images(self.cluster, references), DISK: node.held(self.cluster)}
        except Exception:  # noqa: BLE001  a figure that is missing must not keep a lab from coming up
            return {}
        return {name: found / MIB for name, found in told.items() if found is not None}


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(figure, 1) for name, figure in figures.items()}


def _look(api: Api, cluster: Cluster) -> Callable[[], Use | None]:
    """Return what asks the nodes, whose names are asked for once: one of kind itself, any others by their kubelets."""
    names: list[str] = []

    def look() -> Use | None:
        names.extend(() if names else node.names(api.nodes()))
        return (node.counted(cluster) if len(names) == 1 else None) or node.use(api, names)

    return look
