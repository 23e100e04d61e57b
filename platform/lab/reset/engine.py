"""Taking a lab away: its objects, volumes, topics and positions, and whatever a trainee made beside them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab import tools
from lab.api import Api
from lab.broker import Broker
from lab.errors import NotConverged, Residue
from lab.progress import Say
from lab.reset import fingerprint
from lab.settings import Settings
from lab.spec import Course
from lab.stack.manifests import Manifests
from lab.stack.release import Release
from lab.text import Text

_KEPT = ("platform",)
"""Namespaces whose releases stay: the broker, the metrics and the traces are the stack, not a lab's state."""
_GONE_SECONDS = 45
_ROUND_SECONDS = 5
_GRACE_SECONDS = 1
_MAKERS = (("Deployment", "StatefulSet", "DaemonSet", "CronJob"), ("ReplicaSet", "Job"))
"""Kinds that make others anew as long as they are there themselves, in the order in which they have to go."""


@dataclass
class Cleared:
    """What a reset found and proved.

    Attributes:
        before: what was there, one line each.
        kept: where the trainee's own manifests were put aside, if they were worth it.

    """

    before: list[str]
    kept: list[Path] = field(default_factory=list)


def clear(settings: Settings, code: str, say: Say) -> Cleared:
    """Take a lab's state away and prove that nothing is left of it; the platform stays.

    Args:
        settings: which cluster.
        code: the lab's number.
        say: told each step.

    Raises:
        Residue: something is still there; lists it.

    """
    course = Course(settings.root)
    lab = course.lab(code)
    api = Api(settings)
    releases = [
        Release(name, component, tools.helm(settings, say), {}, settings)
        for name, component in course.components.items()
        if component.namespace not in _KEPT and Release.noted(api, name, component.namespace)
    ]
    # Topics and positions belong to all labs alike: none of them may go on working with what is taken away.
    labs = {course.lab(each).namespace for each in course.codes()}
    ours = labs | {component.namespace for component in course.components.values()} - set(_KEPT)
    namespaces = sorted(ours & {each["metadata"]["name"] for each in api.find("Namespace")})
    with Broker(settings) as broker:
        cleared = Cleared(fingerprint.residue(api, broker, namespaces))
        say(Text(en="removing the lab and its data", fr="suppression du lab et de ses données"))
        with ThreadPoolExecutor() as pool:
            for job in [pool.submit(_remove, api, namespace, releases) for namespace in namespaces]:
                job.result()
        _forget(broker)
        _prove(api, broker, namespaces)
    kept = Manifests(settings, course.folder(code), lab).replace("start")
    cleared.kept = [kept] if kept else []
    return cleared


def _remove(api: Api, namespace: str, releases: list[Release]) -> None:
    """Take a namespace's releases away, then whatever else is in it: Helm has to find its own record."""
    for release in releases:
        if release.component.namespace == namespace:
            release.remove()
    _empty(api, namespace)


def _empty(api: Api, namespace: str) -> None:
    """Delete all that is in a namespace: first what would make the rest anew."""
    found = fingerprint.objects(api, namespace)
    for kinds in _MAKERS:
        api.delete(each for each in found if each["kind"] in kinds)
    makers = [kind for kinds in _MAKERS for kind in kinds]
    # A pod has nothing to finish any more: its topics and positions go as well. A controller that saw late that its
    # workload is gone may have made one more, which holds a claim: it goes in the next round (`_prove`).
    with suppress(NotConverged):
        rest = (each for each in found if each["kind"] not in makers)
        api.delete(rest, wait=_ROUND_SECONDS, grace=_GRACE_SECONDS)


def _forget(broker: Broker) -> None:
    """Delete positions and topics."""
    broker.delete_groups(broker.group_names())
    broker.delete_topics(sorted(broker.topics()))


def _prove(api: Api, broker: Broker, namespaces: list[str]) -> None:
    """Look until nothing is left, or say what is: volumes are wiped by the cluster a moment after their claims."""
    deadline = time.monotonic() + _GONE_SECONDS
    while left := fingerprint.residue(api, broker, namespaces):
        if time.monotonic() > deadline:
            listed = "\n".join(f"  {line}" for line in left)
            raise Residue(
                Text(en=f"the reset left something behind:\n{listed}", fr=f"la remise à zéro a laissé :\n{listed}"),
                Text(
                    en="run `lab reset` again; what stays, `lab kubectl describe` explains",
                    fr="relancez `lab reset` ; ce qui reste, `lab kubectl describe` l'explique",
                ),
            )
        time.sleep(0.3)
        # A controller may have made a pod while its own end was under way, and that pod its group.
        for namespace in namespaces:
            _empty(api, namespace)
        _forget(broker)
