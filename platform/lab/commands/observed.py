"""A lab's state, from the cluster or from a file: what `check` and `support` look at."""

from __future__ import annotations

from lab.api import Api
from lab.broker import Broker
from lab.settings import Settings
from lab.spec import LabSpec
from lab.state.bundle import State
from lab.state.collect import Wanted, collect
from lab.state.web import Web


def observe(settings: Settings, lab: LabSpec) -> State:
    """Return the lab's state as it is now, without secrets."""
    evidence = lab.evidence
    wanted = Wanted(
        lab=lab.code,
        namespace=lab.namespace,
        metrics=evidence.metrics,
        http=evidence.http,
        groups=evidence.groups,
        traces=evidence.traces,
        models="mlflow" in lab.components,
    )
    with Broker(settings) as broker:
        return collect(wanted, Api(settings), broker, Web(settings))
