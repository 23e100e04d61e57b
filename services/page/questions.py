"""Every figure of the page as a question to Prometheus: what it is called, in which unit, and how it is asked."""

from typing import NamedTuple

from page.words import Words

_BY = "track, model, version"
_SEEN = 'model!=""'
"""Requests that reached a model."""
_FAILED = 'status=~"5..|422"'
"""Servers' failures, and values on which a model failed; what callers did wrong is not counted."""


class Question(NamedTuple):
    """One figure.

    Attributes:
        key: its name in `/figures`.
        title: what it is called.
        unit: of the value that is shown, in words of the page.
        query: PromQL.
        factor: from Prometheus' unit to the one that is shown.
        digits: behind the point.
    """

    key: str
    title: Words
    unit: Words
    query: str
    factor: float = 1.0
    digits: int = 1


def _rate(more: str = "", by: str = _BY, wide: str = "1m") -> str:
    return f"sum by ({by}) (rate(serving_requests_total{{{_SEEN}{more}}}[{wide}]))"


def _failures(by: str = _BY) -> str:
    """A series of failures is there once there was one: without one the share is 0, not unknown."""
    every = _rate(by=by)
    return f"({_rate(',' + _FAILED, by)} or 0 * {every}) / {every}"


def _quantile(share: float, by: str = _BY) -> str:
    buckets = f"sum by (le, {by}) (rate(serving_request_duration_seconds_bucket{{{_SEEN}}}[1m]))"
    return f"histogram_quantile({share:g}, {buckets})"


def _grown(name: str) -> str:
    return f"sum by ({_BY}) (increase({name}[30m]))"


_COPIES = "(httproute|grpcroute)/[^/]+/serving/rule/[0-9]+-mirror-[0-9]+"
_CLUSTERS = {"stable": "service/[^/]+/serving-stable/.+", "canary": f"(service/[^/]+/serving-canary/.+|{_COPIES})"}
"""Track -> names that Envoy has for it: a Service's, and that of whoever gets copies."""
_HTTP = 'envoy_http_conn_manager_prefix=~"http-.+"'
"""Envoy's listeners for callers, and not those for its own figures."""
_SERVER_FAILED = 'envoy_response_code_class="5"'


def _tracks(metric: str, more: str = "", by: str = "track") -> str:
    """The growth per second of a metric that Envoy has for each cluster, by track."""
    found = f'rate({metric}{{envoy_cluster_name=~"{"|".join(_CLUSTERS.values())}"{more}}}[1m])'
    for track, names in _CLUSTERS.items():
        found = f'label_replace({found}, "track", "{track}", "envoy_cluster_name", "{names}")'
    return f"sum by ({by}) ({found})"


def _callers(metric: str, more: str = "", by: str = "") -> str:
    """The same for what callers got, whoever answered them: a server, or Envoy itself."""
    return f"sum by ({by}) (rate(envoy_http_downstream_{metric}{{{_HTTP}{more}}}[1m]))"


def _share_failed(failed: str, every: str) -> str:
    return f"({failed} or 0 * {every}) / {every}"


_MILLISECONDS, _MINUTES = Words("ms", "ms"), Words("min", "min")
_PER_SECOND, _PERCENT = Words("per s", "par s"), Words("%", "%")

VERSIONS = (
    Question("rate", Words("requests", "requêtes"), _PER_SECOND, _rate(), digits=1),
    Question("errors", Words("failed", "en échec"), _PERCENT, _failures(), 100.0, 2),
    Question("p50", Words("half answered within", "la moitié en moins de"), _MILLISECONDS, _quantile(0.5), 1000.0),
    Question("p95", Words("95 % within", "95 % en moins de"), _MILLISECONDS, _quantile(0.95), 1000.0),
    Question("p99", Words("99 % within", "99 % en moins de"), _MILLISECONDS, _quantile(0.99), 1000.0),
    Question(
        "prediction",
        Words("mean prediction", "prédiction moyenne"),
        _MINUTES,
        f"sum by ({_BY}) (rate(serving_prediction_sum[5m])) / sum by ({_BY}) (rate(serving_prediction_count[5m]))",
    ),
    Question(
        "error",
        Words("mean absolute error, 30 min", "erreur absolue moyenne, 30 min"),
        _MINUTES,
        f"{_grown('serving_label_error_sum_total')} / {_grown('serving_label_error_values_total')}",
    ),
    Question(
        "labels",
        Words("labels that came, 30 min", "labels arrivés, 30 min"),
        Words("", ""),
        _grown("serving_label_error_values_total"),
        digits=0,
    ),
)
"""Figures of each track, model and version, in the order of the page's columns."""

_ANSWERS, _CODES = "envoy_cluster_upstream_rq_xx", "rq_xx"
_TIMES = _tracks("envoy_cluster_upstream_rq_time_bucket", by="le, track")
GATEWAY = (
    Question("gateway_rate", Words("requests", "requêtes"), _PER_SECOND, f"{_tracks(_ANSWERS)} or {_callers(_CODES)}"),
    Question(
        "gateway_errors",
        Words("failed (5xx)", "en échec (5xx)"),
        _PERCENT,
        f"{_share_failed(_tracks(_ANSWERS, ',' + _SERVER_FAILED), _tracks(_ANSWERS))} or "
        f"{_share_failed(_callers(_CODES, ',' + _SERVER_FAILED), _callers(_CODES))}",
        100.0,
        2,
    ),
    Question(
        "gateway_p95",
        Words("95 % within", "95 % en moins de"),
        _MILLISECONDS,
        f"histogram_quantile(0.95, {_TIMES}) or histogram_quantile(0.95, {_callers('rq_time_bucket', by='le')})",
    ),
)
"""What Envoy measures: of each track, and, without a track, of what callers got."""

WEIGHTS = Question(
    "weights",
    Words("share of the requests by the route", "part des requêtes selon la route"),
    _PERCENT,
    "max by (service) (release_route_weight)",
    digits=0,
)
PHASE = Question("phase", Words("phase", "phase"), Words("", ""), "max by (phase) (release_phase) == 1", digits=0)
STEP = Question("step", Words("stage", "étape"), Words("", ""), "max(release_step)", digits=0)
EVIDENCE = Question(
    "evidence",
    Words("evidence against the canary, as a share of an alarm", "preuves contre le canari, en part d'une alerte"),
    _PERCENT,
    "max by (criterion) (release_evidence)",
    100.0,
    0,
)
LOST = Question(
    "lost",
    Words("requests that reached no model", "requêtes qui n'ont atteint aucun modèle"),
    _PER_SECOND,
    'sum(rate(serving_requests_total{model=""}[1m]))',
)
ALERTS = Question("alerts", Words("alerts", "alertes"), Words("", ""), 'ALERTS{alertstate="firing"}', digits=0)
EVERY = (*VERSIONS, *GATEWAY, WEIGHTS, PHASE, STEP, EVIDENCE, LOST, ALERTS)
"""All that is asked of one moment."""

COURSES = (
    Question("rate", Words("Requests", "Requêtes"), _PER_SECOND, _rate(by="track")),
    Question("errors", Words("Failed", "En échec"), _PERCENT, _failures("track"), 100.0, 2),
    Question("p99", Words("99 % answered within", "99 % en moins de"), _MILLISECONDS, _quantile(0.99, "track"), 1000.0),
)
"""Courses over time, one line for each track."""
