"""A lab's state, from the cluster: what `check`, `support` and `doctor --deep` look at."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast

from lab.api import Api
from lab.broker import Broker
from lab.cluster import choose
from lab.diagnose.machine import figures
from lab.errors import LabError
from lab.settings import Settings
from lab.spec import Course, LabSpec
from lab.state.bundle import State
from lab.state.collect import Log, Objects, Wanted, collect
from lab.state.health import Declared
from lab.state.web import Web

_PATIENCE = 5
"""Seconds in which a broker has to answer a diagnosis: it may be what is broken."""


def observe(settings: Settings, lab: LabSpec) -> State:
    """Return the lab's state as it is now, without secrets."""
    with Broker(settings) as broker:
        return collect(_wanted(lab), Api(settings), broker, Web(settings))


def examine(settings: Settings, lab: LabSpec) -> State:
    """Return the lab's state with all that a diagnosis looks at; whatever is away leaves its part of it empty."""
    declared = Declared.of(Course(settings.root), lab, _cluster(settings), figures(settings))
    with ExitStack() as opened:
        api = _Late(lambda: Api(settings))
        broker = _Late(lambda: opened.enter_context(Broker(settings, _PATIENCE)))
        return collect(_wanted(lab, declared), cast("Objects", api), cast("Log", broker), Web(settings))


class _Late:
    """A connection that is made when it is first asked for something: failing then, it fails for that question.

    Args:
        connect: makes it.

    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._made: Any = None
        self._failure: LabError | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a question of what is behind it; the connection is made when it is asked."""
        # Not the bound method itself: that would connect now.
        return lambda *words, **more: getattr(self._connected(), name)(*words, **more)  # noqa: PLW0108

    def _connected(self) -> Any:  # noqa: ANN401  whatever it is
        """Return the connection; one that failed once is not waited for again."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._made is None:
                try:
                    self._made = self._connect()
                except LabError as failure:
                    self._failure = failure
                    raise
            return self._made


def _wanted(lab: LabSpec, health: Declared | None = None) -> Wanted:
    evidence = lab.evidence
    return Wanted(
        lab=lab.code,
        namespace=lab.namespace,
        metrics=evidence.metrics,
        http=evidence.http,
        groups=evidence.groups,
        traces=evidence.traces,
        models="mlflow" in lab.components,
        health=health,
    )


def _cluster(settings: Settings) -> dict[str, object]:
    """Return how the cluster stands, and what keeps the tool from knowing."""
    told: dict[str, object] = {"asked": settings.cluster, "backend": "", "status": "", "error": ""}
    try:
        cluster = choose(settings)
        return {**told, "backend": cluster.backend, "status": cluster.status().value}
    except LabError as failure:
        # Made with another backend or context than the one that is asked for.
        return {**told, "status": "other", "error": failure.what.en}
