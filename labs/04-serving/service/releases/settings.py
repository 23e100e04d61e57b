"""What the release controller can be told; what a release does is told in its plan."""

from dataclasses import dataclass

from runtime.settings import ServiceSettings, between


@dataclass(frozen=True, kw_only=True)
class ReleaseSettings(ServiceSettings):
    """Where everything is, and under which names it is measured."""

    route: str = "serving"
    """Name of the HTTPRoute that leads to the versions."""

    namespace: str = "chain"
    """Its namespace, and that of the events about it."""

    api: str = "https://kubernetes.default.svc"
    """The Kubernetes API."""

    account: str = "/var/run/secrets/kubernetes.io/serviceaccount"
    """Folder of the pod's service account."""

    prometheus: str = "http://prometheus.platform.svc:9090"
    """Base address of Prometheus."""

    registry: str = "http://mlflow.data.svc:5000"
    """Base address of MLflow."""

    poll_seconds: float = between(1, 0.1, 60)
    """Seconds between two glances at whether something is to be done."""

    variant_header: str = "x-tarmac-variant"
    """Header with which a caller asks for B in an A/B test, by the value `b`; the route tells servers by it who got
    what."""

    unit_header: str = "x-tarmac-unit"
    """Header with which a caller says who asks, as contracts/units.py has it: by it the route deals units in an A/B
    test."""

    requests_metric: str = "serving_requests_total"
    """Counter of requests, by status."""

    status_label: str = "status"
    """Its label that holds the HTTP status."""

    failed: str = "5xx,422"
    """Statuses that count as errors, and hundreds of them: 422 is a version that fails on values or cannot be loaded;
    other 4xx are the caller's own."""

    latency_metric: str = "serving_request_duration_seconds"
    """Histogram of seconds to the answer."""

    outputs_metric: str = "serving_prediction"
    """Histogram of predictions, in the label's unit."""

    labels_metric: str = "serving_label_error"
    """Counters of the absolute errors of predictions whose label has come: `_values_total`, `_sum_total` and
    `_squares_total`."""

    pairs_metric: str = "serving_label_difference"
    """Counters of the canary's absolute error minus the stable version's, on predictions that both made:
    `_values_total`, `_above_total` and `_below_total` (sums of what is above and below 0) and `_squares_total`."""
