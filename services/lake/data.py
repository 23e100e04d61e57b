"""`lake data`: the training sets that are kept, for who asks from outside the pod.

The answer is one line of standard output, a JSON object with `answer` alone. A pod's log gives both outputs in one: no
line of the log has this form, so that whoever reads them together can tell.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lake.collection import Collection
from lake.errors import BadRequest, Differs
from lake.settings import LakeSettings
from lake.store import Lake
from lake.training import Wanted
from lake.versions import Workspace, keys
from runtime.store import Store

ANSWER = "answer"
_DVC = "dvc"


def act(settings: LakeSettings, asked: argparse.Namespace, wanted: tuple[Wanted, Sequence[str]] | None) -> None:
    """Carry one act out, and answer.

    Args:
        settings: where lake, workspace and remote are.
        asked: the command line.
        wanted: which training set `build` makes, and the leaks it may have.

    Raises:
        BadRequest: no workspace is set, or what was asked cannot be used.
        Differs: a set that was made again has other bytes; this is said after the answer.
    """
    sets = _collection(settings)
    with sets.held():
        answer = _done(sets, asked, wanted)
    sys.stdout.write(json.dumps({ANSWER: answer}, default=str) + "\n")
    sys.stdout.flush()
    if asked.act == "rebuild" and not answer["same"]:
        raise Differs(
            f"training set {asked.name}: made again it has sha256 {answer['rebuilt']}, its manifest says "
            f"{answer['sha256']}",
            "take the version of the code that it was made by",
        )


def _done(sets: Collection, asked: argparse.Namespace, wanted: tuple[Wanted, Sequence[str]] | None) -> dict[str, Any]:
    match asked.act:
        case "build" if wanted:
            return sets.build(asked.name, wanted[0], list(wanted[1]))
        case "lineage":
            return sets.lineage(asked.name)
        case "rebuild":
            return sets.rebuild(asked.name)
        case "diff":
            return sets.diff(asked.name, asked.before, asked.after)
        case "checkout":
            return sets.checkout(asked.name, asked.commit)
    return {"sets": sets.sets()}


def _collection(settings: LakeSettings) -> Collection:
    if not settings.workspace:
        raise BadRequest("environment variable TARMAC_WORKSPACE is not set", "give it the folder of the workspace")
    store = Store.of(settings)
    remote = store.path(_DVC)
    endpoint = settings.s3_endpoint if remote.startswith("s3://") else ""
    return Collection(Lake(store), Workspace(Path(settings.workspace), keys(settings)), remote, endpoint)
