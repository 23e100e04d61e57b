"""What the page can be told."""

from dataclasses import dataclass

from runtime.settings import ServiceSettings, between


@dataclass(frozen=True, kw_only=True)
class PageSettings(ServiceSettings):
    """Where its figures come from, and where its links lead."""

    prometheus: str = "http://prometheus.platform.svc:9090"
    """Base address of Prometheus, from inside the cluster."""

    jaeger: str = "http://jaeger.platform.svc:16686"
    """Base address of Jaeger's query API, from inside the cluster."""

    prometheus_link: str = "http://127.0.0.1:9090"
    """Base address of Prometheus as the reader's browser finds it."""

    jaeger_link: str = "http://127.0.0.1:16686"
    """Base address of Jaeger as the reader's browser finds it."""

    traced: str = "serving"
    """Service whose traces are listed."""

    wait_seconds: float = between(4, 0.1, 30)
    """Seconds that Prometheus and Jaeger have for an answer."""

    renew_seconds: int = between(15, 5, 3600)
    """Seconds after which a browser asks for the page again, unless its reader has stopped that."""
