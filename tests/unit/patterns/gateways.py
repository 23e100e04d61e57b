"""A gateway's parts around addresses, as `patterns.gateway` puts them together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from patterns.bulkhead import Pool
from patterns.gateway_dependency import Dependencies, Meters
from patterns.usecases import UseCases
from runtime.tracing import Tracing

STATIONS = ("EWR", "JFK", "LGA")


@dataclass(frozen=True)
class Gateway:
    """The use cases, and what they are measured by."""

    cases: UseCases
    registry: CollectorRegistry

    def figure(self, name: str, **labels: str) -> float:
        """A metric's value; 0 where it was never touched."""
        return self.registry.get_sample_value(name, labels) or 0.0


@contextmanager
def gateway(  # noqa: PLR0913  addresses and settings of a gateway
    *,
    delays: str,
    analyst: str = "http://127.0.0.1:9",
    site: str = "http://127.0.0.1:9",
    centre: str = "http://127.0.0.1:9",
    failures: int = 3,
    pause: float = 30.0,
    seconds: float = 2.0,
    threads: int = 8,
    places: int = 3,
) -> Iterator[Gateway]:
    """A gateway whose dependencies stand at these addresses."""
    registry = CollectorRegistry()
    pool = Pool(threads)
    make = Dependencies(
        pool=pool, failures=failures, pause=pause, seconds=seconds, meters=Meters(registry), tracing=Tracing.off()
    ).make
    cases = UseCases(
        make("delays", delays, places),
        make("analyst", analyst),
        {station: make(f"site-{station}", site) for station in STATIONS},
        make("centre", centre),
    )
    try:
        yield Gateway(cases, registry)
    finally:
        pool.close()
