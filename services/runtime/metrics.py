"""Prometheus metrics of one process, in a registry of its own so that tests can build two services side by side."""

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

__all__ = ["CONTENT_TYPE", "exposition", "registry"]


def registry() -> CollectorRegistry:
    """A registry that already knows memory, CPU and file descriptors of the process and the interpreter."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    made.register(PLATFORM_COLLECTOR)
    made.register(GC_COLLECTOR)
    return made


def exposition(source: CollectorRegistry) -> bytes:
    """The text that Prometheus scrapes."""
    return generate_latest(source)
