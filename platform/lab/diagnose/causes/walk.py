"""The walk along the chain: the first link that is broken explains what lies downstream of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from lab.diagnose.causes import cluster, data, images, models, refused, running, watching
from lab.diagnose.causes.chain import LAB
from lab.diagnose.causes.gone import gone
from lab.diagnose.causes.model import Blame, Cause
from lab.diagnose.causes.scene import Json, Scene

PODS = (*refused.CAUSES, *running.CAUSES)
"""What can be wrong with the pods of any component, those that never began before those that do not stay."""

_UP = "lab up {lab}"


class Link(NamedTuple):
    """A link of the chain.

    Attributes:
        name: as documents call it.
        component: whose workloads it is about; empty: everybody's.
        causes: in the order in which they are asked.

    """

    name: str
    component: str
    causes: tuple[Cause, ...]


def _component(name: str, *own: Cause) -> Link:
    return Link(name, name, (*refused.CAUSES, gone(name), *running.CAUSES, *own))


CHAIN = (
    Link("cluster", "", cluster.CAUSES),
    Link("images", "", images.CAUSES),
    Link("storage", "", images.STORAGE),
    _component("kafka", data.SILENT, data.TOPIC),
    _component("objectstore", data.BUCKET),
    _component("postgres"),
    _component("redis", data.FULL),
    _component("ingest", data.LAG, data.POISON),
    _component("lake"),
    _component("feature", models.AHEAD, models.STALE),
    _component("mlflow", models.NONE, models.ALIAS),
    _component("serving", models.MISFIT, models.REFUSED),
    _component("gateway", models.NOWHERE),
    _component("follow"),
    _component("prometheus", watching.UNREAD),
    _component("jaeger", watching.BLOCKED),
    _component("page"),
    Link(LAB, LAB, (*refused.CAUSES, data.BUCKET, *running.CAUSES)),
)
"""Every link, the one on which all others stand first: what is broken upstream explains what lies downstream."""


def every() -> list[Cause]:
    """Return each cause once, in the order of the chain."""
    return list({cause.code: cause for link in CHAIN for cause in link.causes}.values())


def blames(state: Json) -> Iterator[Blame]:
    """Go through all that a state shows, the root cause first; what follows is most often its consequence."""
    scene = Scene(state)
    for link in CHAIN:
        if not link.component or link.component == LAB or link.component in scene.components:
            for cause in link.causes:
                found = cause.find(scene, link.component)
                yield from (Blame(_mended(cause, link), each, scene.lab) for each in found)


def _mended(cause: Cause, link: Link) -> Cause:
    """Return a cause with what mends it in its link: a trainee's own files may hold what is wrong with a lab's pods."""
    return replace(cause, mend=f"{_UP} || lab reset {{lab}}") if link.component == LAB and cause.mend == _UP else cause


def root(state: Json) -> Blame | None:
    """Return the one root cause that a recorded state shows, None where it shows none.

    Something mild is it only where nothing worse is shown, be that upstream of it or downstream.
    """
    found = list(blames(state))
    return next((each for each in found if not each.cause.mild), found[0] if found else None)
