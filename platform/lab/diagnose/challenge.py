"""A challenge: one fault, drawn by seed, done to the cluster and undone; a file keeps what it takes to judge it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab import files
from lab.api import Api
from lab.broker import Broker
from lab.diagnose.faults import FAULTS, Fault
from lab.diagnose.faults.acts import Act, Make, Patch, Remove, RemoveTopic, Renew, Send
from lab.errors import LabError
from lab.spec import Course, LabSpec

Json = dict[str, Any]
Opener = Callable[[], Broker]
_SERVERS = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "selfLink", "ownerReferences")


@dataclass
class Challenge:
    """What is kept while a fault is to be found.

    Attributes:
        lab: the lab's two digits.
        seed: what the fault was drawn by; its name is kept nowhere.
        started: seconds since 1970.
        tries: answers so far.
        undo: what takes it back, oldest first.

    """

    lab: str
    seed: int
    started: float = field(default_factory=time.time)
    tries: int = 0
    undo: list[Json] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> Challenge | None:
        """Return the challenge that is under way, None where none is."""
        return cls(**json.loads(file.read_text("utf-8"))) if file.exists() else None

    def write(self, file: Path) -> None:
        """Keep it, for its owner's eyes only: it may hold what a Secret was."""
        files.write(file, json.dumps(asdict(self)), private=True)


def draw(lab: LabSpec, seed: int) -> Fault:
    """Return the fault that a seed means in a lab: always the same one."""
    fit = sorted((each for each in FAULTS if each.acts and each.drawn and each.fits(lab.components)), key=_by_name)
    return random.Random(f"{lab.code} {seed}").choice(fit)  # noqa: S311  no secret


def _by_name(fault: Fault) -> str:
    return fault.name


def inject(challenge: Challenge, fault: Fault, file: Path, api: Api, broker: Opener) -> None:
    """Do a fault to the cluster; what undoes an act is kept before it is done, so that nothing can be left behind."""
    for act in fault.acts:
        done = _resolved(act, api)
        challenge.undo += _undoing(done, api)
        challenge.write(file)
        _do(done, api, broker)


def undo(challenge: Challenge, course: Course, api: Api, broker: Opener) -> list[LabError]:
    """Take back what was done, the last first; pods that read it when they start are started again at the end.

    Every step is tried, whatever became of the others; the challenge keeps those that failed.

    Returns:
        Why they failed, oldest last.

    """
    renewed = [each for each in challenge.undo if "renew" in each]
    failed, failures = [], []
    for each in [*reversed([each for each in challenge.undo if "renew" not in each]), *renewed]:
        try:
            _taken_back(each, challenge.lab, course, api, broker)
        except LabError as failure:
            failed.append(each)
            failures.append(failure)
    challenge.undo = [each for each in challenge.undo if each in failed]
    return failures


def beyond(steps: Iterable[Json], namespaces: Collection[str]) -> list[Json]:
    """Return those steps that concern nothing in these namespaces, nor topics: what a reset does not make anew."""

    def place(step: Json) -> str | None:
        if "renew" in step:
            return str(step["renew"]["namespace"])
        there: Json = step.get("restore") or step["delete"]
        space = there["metadata"].get("namespace")
        return str(space) if space else None

    return [each for each in steps if "topic" not in each and place(each) not in namespaces]


def _taken_back(step: Json, lab: str, course: Course, api: Api, broker: Opener) -> None:
    if "restore" in step:
        api.restore(step["restore"])
    elif "delete" in step:
        api.delete([step["delete"]])
    elif "topic" in step:
        with broker() as opened:
            opened.declare(topic for topic in course.topics(course.lab(lab)) if topic.name == step["topic"])
    elif "renew" in step:
        _renew(Renew(**step["renew"]), api)


def _resolved(act: Act, api: Api) -> Act:
    """Return an act with the name of the node where it means whichever there is."""
    if isinstance(act, Patch) and act.kind == "Node":
        return Patch("Node", None, str(api.find("Node")[0]["metadata"]["name"]), act.body)
    return act


def _undoing(act: Act, api: Api) -> list[Json]:
    match act:
        case Patch(kind, namespace, name) | Remove(kind, namespace, name):
            there = api.get(kind, name, namespace)
            return [{"restore": _kept(kind, there)}] if there else []
        case Make(body):
            return [{"delete": body}]
        case Renew():
            return [{"renew": asdict(act)}]
        case RemoveTopic(topic):
            return [{"topic": topic}]
    return []


def _kept(kind: str, there: Json) -> Json:
    metadata = {key: value for key, value in there["metadata"].items() if key not in _SERVERS}
    return {**{key: value for key, value in there.items() if key != "status"}, "kind": kind, "metadata": metadata}


def _do(act: Act, api: Api, broker: Opener) -> None:
    match act:
        case Patch(kind, namespace, name, body):
            api.patch(kind, name, namespace, body)
        case Remove(kind, namespace, name):
            api.delete([{"kind": kind, "metadata": {"name": name, "namespace": namespace}}])
        case Make(body):
            api.apply([body])
        case Renew():
            _renew(act, api)
        case Send(topic, values):
            with broker() as opened:
                for value in values:
                    opened.send(topic, b"challenge", value.encode())
        case RemoveTopic(topic):
            with broker() as opened:
                opened.delete_topics([topic])


def _renew(act: Renew, api: Api) -> None:
    # Not waited for: a pod of a StatefulSet comes back under its own name, and others may not come back at all.
    api.delete(api.find("Pod", act.namespace, act.labels), wait=0)
