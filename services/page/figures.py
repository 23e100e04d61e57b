"""What the page shows, gathered: every figure now, the courses of the last minutes, and the latest traces."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from page.errors import Away
from page.jaeger import Jaeger, Trace
from page.prometheus import Course, Prometheus, Value
from page.questions import ALERTS, COURSES, EVERY, EVIDENCE, GATEWAY, LOST, PHASE, STEP, VERSIONS, WEIGHTS

SPAN_SECONDS, STEP_SECONDS = 900, 15
"""How far back a course goes, and between two of its points."""
_AT_ONCE = 8

T = TypeVar("T")


@dataclass(frozen=True)
class Version:
    """One model's version in one track, with its figures by key of `questions.VERSIONS`; None: there is none."""

    track: str
    model: str
    version: str
    figures: Mapping[str, float | None]


@dataclass(frozen=True)
class Passed:
    """What Envoy measured of one track, by key of `questions.GATEWAY`; without a track, of what callers got."""

    track: str
    figures: Mapping[str, float | None]


@dataclass(frozen=True)
class Figures:
    """Everything of one moment.

    Attributes:
        at: seconds since 1970.
        away: why Prometheus could not be asked; None: it answered.
        versions: in the order of model, track and version.
        gateway: in the order of tracks, callers last; empty: Envoy has counted nothing yet.
        weights: Service -> per cent of the requests by the route.
        phase: of the release; None: there is none, or nobody tells.
        stage: of the release, 0 is its baseline.
        evidence: criterion -> per cent of what an alarm needs.
        lost: requests per second that reached no model; None: nobody counts any.
        alerts: labels of those that fire.
    """

    at: float
    away: Away | None
    versions: Sequence[Version] = ()
    gateway: Sequence[Passed] = ()
    weights: Mapping[str, float] | None = None
    phase: str | None = None
    stage: int | None = None
    evidence: Mapping[str, float] | None = None
    lost: float | None = None
    alerts: Sequence[Mapping[str, str]] = ()


def gathered(prometheus: Prometheus, clock: Callable[[], float] = time.time) -> Figures:
    """The figures of now; where Prometheus does not answer, that it does not."""
    at = clock()
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip([each.key for each in EVERY], pool.map(prometheus.now, EVERY), strict=True))
    except Away as failure:
        return Figures(at, failure)
    phases, stages = _by(found[PHASE.key], "phase"), found[STEP.key]
    return Figures(
        at=at,
        away=None,
        versions=_versions(found),
        gateway=_gateway(found),
        weights=_by(found[WEIGHTS.key], "service"),
        phase=next(iter(phases), None),
        stage=int(stages[0].value or 0) if stages and phases else None,
        evidence=_by(found[EVIDENCE.key], "criterion") if phases else {},
        lost=found[LOST.key][0].value if found[LOST.key] else None,
        alerts=[each.labels for each in found[ALERTS.key]],
    )


def courses(prometheus: Prometheus, clock: Callable[[], float] = time.time) -> dict[str, list[Course]]:
    """Key of `questions.COURSES` -> one course for each track, over the last minutes.

    Raises:
        Away: Prometheus does not say.
    """
    until = clock() // STEP_SECONDS * STEP_SECONDS
    with ThreadPoolExecutor(len(COURSES)) as pool:
        found = pool.map(
            lambda question: prometheus.course(question, until - SPAN_SECONDS, until, STEP_SECONDS), COURSES
        )
        return {question.key: each for question, each in zip(COURSES, found, strict=True)}


def tried(ask: Callable[[], T]) -> T | Away:
    """What was asked for, or why it could not be had: one source that is away leaves the rest of the page."""
    try:
        return ask()
    except Away as failure:
        return failure


def over_time(prometheus: Prometheus, now: Figures) -> dict[str, list[Course]] | Away:
    """The courses that belong to these figures, or why there are none to be had."""
    return now.away if now.away is not None else tried(lambda: courses(prometheus))


def traces(jaeger: Jaeger, service: str) -> list[Trace] | Away:
    """The latest traces of a service, or why there are none to be had."""
    return tried(lambda: jaeger.latest(service))


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures for programs, with the question behind each."""
    return {
        "at": figures.at,
        "prometheus": {"answers": figures.away is None, "error": str(figures.away or "")},
        "versions": [
            {"track": each.track, "model": each.model, "version": each.version, **each.figures}
            for each in figures.versions
        ],
        "gateway": [
            {"track": each.track, **{key.removeprefix("gateway_"): value for key, value in each.figures.items()}}
            for each in figures.gateway
        ],
        "weights": dict(figures.weights or {}),
        "release": None if figures.phase is None else {"phase": figures.phase, "stage": figures.stage},
        "evidence": dict(figures.evidence or {}),
        "lost": figures.lost,
        "alerts": [dict(each) for each in figures.alerts],
        "queries": {each.key: each.query for each in EVERY},
        "units": {each.key: each.unit.en for each in EVERY},
    }


def _versions(found: Mapping[str, Sequence[Value]]) -> list[Version]:
    told: dict[tuple[str, str, str], dict[str, float | None]] = {}
    for question in VERSIONS:
        for labels, value in found[question.key]:
            place = (labels.get("model", ""), labels.get("track", ""), labels.get("version", ""))
            told.setdefault(place, dict.fromkeys(each.key for each in VERSIONS))[question.key] = value
    return [Version(track, model, version, told[model, track, version]) for model, track, version in sorted(told)]


def _gateway(found: Mapping[str, Sequence[Value]]) -> list[Passed]:
    told: dict[str, dict[str, float | None]] = {}
    for question in GATEWAY:
        for labels, value in found[question.key]:
            figures = told.setdefault(labels.get("track", ""), dict.fromkeys(each.key for each in GATEWAY))
            figures[question.key] = value
    return [Passed(track, told[track]) for track in sorted(told, key=lambda track: (not track, track))]


def _by(values: Sequence[Value], label: str) -> dict[str, float]:
    return {each.labels.get(label, ""): each.value for each in values if each.value is not None}
