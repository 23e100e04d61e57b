"""Commands that put the registry's aliases right: its state lies in a volume, which `lab up` leaves as it is."""

from __future__ import annotations

import json
import re

from lab.diagnose.causes.pods import part
from lab.diagnose.causes.scene import Scene

CHAMPION = "champion"
_UNDER_WAY = ("running", "paused", "promoting")
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")
_CLIENT = "mlflow.MlflowClient('http://mlflow.data.svc:5000')"


def point(scene: Scene, model: str, alias: str, refused: str = "") -> str:
    """Return the command that lets an alias name a model's newest version.

    Args:
        scene: the recorded state.
        model: name of the model.
        alias: to be moved.
        refused: the version that will not do: one from before it is named, so that several bad ones are left in turn.

    """
    there = sorted(int(each) for each in _versions(scene, model) - {refused} if each.isdecimal())
    # A line that somebody copies into a shell has no room for a name that means something there.
    if not there or not all(map(_PLAIN.fullmatch, (model, alias))):
        return f"lab reset {scene.lab}"
    before = [each for each in there if refused.isdecimal() and each < int(refused)]
    moves = f"import mlflow; {_CLIENT}.set_registered_model_alias('{model}', '{alias}', '{(before or there)[-1]}')"
    return f'lab kubectl -n data exec deployment/mlflow -- python3 -c "{moves}"'


def leave(scene: Scene, model: str, version: str) -> str:
    """Return the command after which a version of a model is asked for no more; empty where no alias names it."""
    if (model, version) in _released(scene):
        return "lab release back"
    aliases = sorted(alias for alias, named in _aliases(scene, model).items() if named == version)
    if not aliases:
        return ""
    return point(scene, model, CHAMPION if CHAMPION in aliases else aliases[0], version)


def _versions(scene: Scene, model: str) -> set[str]:
    return {str(each) for each in part(scene.models(), model, "versions") or []}


def _aliases(scene: Scene, model: str) -> dict[str, str]:
    return {alias: str(version) for alias, version in (part(scene.models(), model, "aliases") or {}).items()}


def _released(scene: Scene) -> list[tuple[str, str]]:
    """Return model and version of the releases that are under way."""
    records = [part(each, "metadata", "annotations", "tarmac.dev/release") for each in scene.of("HTTPRoute", "chain")]
    under_way = [each for each in map(_read, records) if part(each, "phase") in _UNDER_WAY]
    return [(str(part(each, "plan", "model")), str(part(each, "plan", "version"))) for each in under_way]


def _read(record: object) -> object:
    """Return a release's record, None where there is none or somebody wrote something else there."""
    try:
        return json.loads(str(record))
    except ValueError:
        return None
