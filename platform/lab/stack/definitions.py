"""Kinds that a component brings to the cluster (CustomResourceDefinitions).

Their text is megabytes and somebody else's: it is not in the repository but in the Go module of the program that serves
the kinds, at the version that stack.yaml pins. It is taken out once, into the cache.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import yaml

from lab import process, reading
from lab.api import Api, Object
from lab.errors import BadInput, NotConverged
from lab.process import run
from lab.progress import Say
from lab.settings import Settings
from lab.spec import Definitions
from lab.text import Text
from lab.tools import golang, once

_KIND = "CustomResourceDefinition"
_OURS = "app.kubernetes.io/part-of"
_SECONDS = 60
_PAUSE_SECONDS = 0.2


def served(api: Api, wanted: Definitions) -> bool:
    """Say whether the cluster knows every kind; one small question for each group."""
    return all(set(kinds) <= api.kinds(version) for version, kinds in wanted.kinds.items())


def ensure(api: Api, wanted: Definitions, helm: Path, settings: Settings, say: Say) -> None:
    """Make the cluster know the kinds; definitions that somebody else brought stay as they are.

    Raises:
        BadInput: the module does not hold a kind; names it.
        CommandFailed: the module cannot be fetched, or its chart does not render.
        NotConverged: the API server does not serve them in time.

    """
    found = taken(wanted, helm, settings, say)
    say(Text(en="defining kinds", fr="définition des types d'objets"))
    api.apply(each for each in found if _may_change(api, each))
    deadline = time.monotonic() + _SECONDS
    while not served(api, wanted):
        if time.monotonic() > deadline:
            raise _unserved(api, wanted)
        process.go_on(Text(en="waiting for new kinds", fr="attente de nouveaux types d'objets"))
        time.sleep(_PAUSE_SECONDS)


def taken(wanted: Definitions, helm: Path, settings: Settings, say: Say) -> list[Object]:
    """Return the definitions of the wanted kinds, taken out of the module once.

    Raises:
        BadInput: the module does not hold a kind; names it.
        CommandFailed: the module cannot be fetched, or its chart does not render.

    """
    digest = hashlib.sha256(wanted.model_dump_json().encode()).hexdigest()[:12]
    place = settings.cache / "definitions" / f"{wanted.module.rsplit('/', 1)[-1]}-{wanted.version}-{digest}.json"

    def take(scratch: Path) -> Path:
        chart = golang.module(settings, say, wanted.module, wanted.version) / wanted.chart
        target = scratch / place.name
        target.write_text(json.dumps(_chosen(_rendered(helm, chart, wanted), wanted)))
        return target

    found: list[Object] = json.loads(once.made(place, take).read_text())
    return found


def _rendered(helm: Path, chart: Path, wanted: Definitions) -> list[Object]:
    text = run(
        [helm, "template", "definitions", chart, "--values", "-"],
        what=Text(en=f"reading kinds of {wanted.module}", fr=f"lecture des types d'objets de {wanted.module}"),
        input=yaml.safe_dump(wanted.values),
        timeout=120,
    )
    return reading.documents(text)


def _chosen(found: list[Object], wanted: Definitions) -> list[Object]:
    """Return the definitions of the wanted kinds, labelled as ours; refuse where one is missing."""
    missing = {(version, kind) for version, kinds in wanted.kinds.items() for kind in kinds}
    chosen = []
    for each in found:
        told = _told(each) if each["kind"] == _KIND else set()
        if told & missing:
            missing -= told
            each["metadata"].setdefault("labels", {})[_OURS] = "tarmac"
            chosen.append(each)
    if missing:
        raise _absent(wanted, sorted(missing))
    return chosen


def _told(definition: Object) -> set[tuple[str, str]]:
    """Return each version and kind that a definition makes known."""
    spec = definition["spec"]
    return {(f"{spec['group']}/{version['name']}", spec["names"]["kind"]) for version in spec["versions"]}


def _may_change(api: Api, definition: Object) -> bool:
    live = api.get(_KIND, definition["metadata"]["name"])
    return live is None or (live["metadata"].get("labels") or {}).get(_OURS) == "tarmac"


def _absent(wanted: Definitions, missing: list[tuple[str, str]]) -> BadInput:
    names = ", ".join(f"{kind} ({version})" for version, kind in missing)
    where = f"{wanted.module} {wanted.version}: {wanted.chart}"
    return BadInput(
        Text(en=f"{where} does not define {names}", fr=f"{where} ne définit pas {names}"),
        Text(
            en="correct `definitions` in platform/stack.yaml: version, chart, values or kinds",
            fr="corrigez `definitions` dans platform/stack.yaml : version, chart, values ou kinds",
        ),
    )


def _unserved(api: Api, wanted: Definitions) -> NotConverged:
    lacking = [
        f"{kind} ({version})"
        for version, kinds in wanted.kinds.items()
        for kind in sorted(set(kinds) - api.kinds(version))
    ]
    names = ", ".join(lacking)
    return NotConverged(
        Text(
            en=f"the API server does not serve {names} after {_SECONDS} s",
            fr=f"le serveur d'API ne sert pas {names} après {_SECONDS} s",
        ),
        Text(
            en="`lab kubectl get crd` shows what is defined, and `describe` why one is not served; then run again",
            fr="`lab kubectl get crd` montre ce qui est défini, `describe` pourquoi il n'est pas servi ; puis relancez",
        ),
    )
