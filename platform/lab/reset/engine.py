"""Taking a lab away: its objects, volumes, topics and positions, and whatever a trainee made beside them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab.api import Api
from lab.broker import Broker
from lab.errors import NotConverged, Residue
from lab.progress import Say
from lab.reset import fingerprint
from lab.reset.fingerprint import Found
from lab.settings import Settings
from lab.spec import Course
from lab.stack.manifests import Manifests
from lab.text import Text

_KEPT = ("platform",)
"""Namespaces whose releases stay: the broker, the metrics and the traces are the stack, not a lab's state."""
_BROKER = ("kafka", "platform")
"""Name and namespace of its StatefulSet."""
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


def clear(settings: Settings, code: str, say: Say, *, state: str = "start", topics: bool = True) -> Cleared:
    """Take a lab's state away and prove that nothing is left of it; the platform stays.

    Args:
        settings: which cluster.
        code: the lab's number.
        say: told each step.
        state: whose manifests the working copy becomes, `start` or `solved`.
        topics: whether the broker's topics and positions go; they need not where its volume is replaced afterwards.

    Raises:
        Residue: something is still there; lists it.

    """
    course = Course(settings.root)
    lab = course.lab(code)
    api = Api(settings)
    standing = sorted(namespaces(course) & {each["metadata"]["name"] for each in api.find("Namespace")})
    with _broker(settings, api, topics=topics) as broker:
        there = fingerprint.found(api, broker, standing)
        cleared = Cleared(there.lines())
        say(Text(en="removing the lab and its data", fr="suppression du lab et de ses données"))
        _empty(api, there)
        _forget(broker)
        _prove(api, broker, standing)
    kept = Manifests(settings, course.folder(code), lab).replace(state)
    cleared.kept = [kept] if kept else []
    return cleared


def namespaces(course: Course) -> set[str]:
    """Return the namespaces that a reset empties, those of all labs and components but the platform's.

    Topics and positions belong to all labs alike: none of them may go on working with what is taken away.
    """
    labs = {course.lab(each).namespace for each in course.codes()}
    return labs | {component.namespace for component in course.components.values()} - set(_KEPT)


@contextmanager
def _broker(settings: Settings, api: Api, *, topics: bool) -> Iterator[Broker | None]:
    """Give the broker whose topics are to go; None where they need not, or go together with its volume."""
    standing = api.get("StatefulSet", *_BROKER)
    if not topics:
        yield None
    elif standing is None or standing["spec"].get("replicas") == 0:
        # Somebody took it away, or stopped it, as a jump does that is killed halfway. Brought up again on the volume
        # that it left, it would remember everything.
        claims = api.find("PersistentVolumeClaim", _BROKER[1], f"app.kubernetes.io/name={_BROKER[0]}")
        api.delete(claims)
        yield None
    else:
        with Broker(settings) as broker:
            yield broker


def _empty(api: Api, there: Found) -> None:
    """Delete all objects that are there, Helm's record of its releases too: first what would make the rest anew.

    Charts outside the platform hold nothing that stands in no namespace, so Helm itself, a second for each release, is
    not needed for that.
    """
    # What they made stays for a moment: a pod that was once given all the time it asks for takes it. Once their end has
    # begun, they make nothing anew.
    for kinds in _MAKERS:
        api.delete((each for each in there.objects if each["kind"] in kinds), wait=0, orphan=True)
    makers = [kind for kinds in _MAKERS for kind in kinds]
    # A pod has nothing to finish any more: its topics and positions go as well. A controller that saw late that its
    # workload is gone may have made one more, which holds a claim: it goes in the next round (`_prove`).
    with suppress(NotConverged):
        rest = (each for each in there.objects if each["kind"] not in makers)
        api.delete(rest, wait=_ROUND_SECONDS, grace=_GRACE_SECONDS)


def _forget(broker: Broker | None) -> None:
    """Delete positions and topics."""
    if broker is None:
        return
    broker.delete_groups(broker.group_names())
    broker.delete_topics(sorted(broker.topics()))


def _prove(api: Api, broker: Broker | None, spaces: list[str]) -> None:
    """Look until nothing is left, or say what is: volumes are wiped by the cluster a moment after their claims."""
    deadline = time.monotonic() + _GONE_SECONDS
    while left := (there := fingerprint.found(api, broker, spaces)).lines():
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
        _empty(api, there)
        _forget(broker)
