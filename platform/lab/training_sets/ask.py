"""A question to the lake's workspace: a job of the CronJob that is there for it, and what its pod prints.

The pod's log holds both of its outputs, line by line, all of them JSON: `{"answer": …}` is what was asked for, and a
line of level `error` with a `kind` is why it failed. Whatever else is there is nobody's answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.api import Api
from lab.errors import BadInput, LabError, NotConverged
from lab.progress import Say
from lab.spec import Course
from lab.stack import jobs
from lab.stack.jobs import Ended
from lab.text import Text
from lab.training_sets.reasons import REASONS, UNKNOWN

COMPONENT, CRON = "lake", "lake-data"
_REFUSED = 2
"""Exit code of a service that somebody has to help; 1 is worth another try."""


@dataclass(frozen=True)
class Answer:
    """What came of a question.

    Attributes:
        told: the answer; None where there is none.
        failure: what is to be said after it; a set that was made again with other bytes has both.

    """

    told: dict[str, Any] | None
    failure: LabError | None = None


def require(course: Course, code: str) -> str:
    """Return the namespace of the lake that a lab stands on.

    Raises:
        BadInput: the lab has none; names those that do.

    """
    if COMPONENT in course.lab(code).components:
        return course.components[COMPONENT].namespace
    with_lake = [each for each in course.codes() if COMPONENT in course.lab(each).components]
    first = with_lake[0] if with_lake else "02"
    raise BadInput(
        Text(en=f"lab {code} has no lake", fr=f"le lab {code} n'a pas de lac"),
        Text(
            en=f"bring one up that has: `lab up {first}` (make lab-{first})",
            fr=f"démarrez un lab qui en a un : `lab up {first}` (make lab-{first})",
        ),
    )


def ask(api: Api, namespace: str, words: Sequence[str], say: Say) -> Answer:
    """Ask the workspace, and return its answer.

    Args:
        api: the cluster.
        namespace: where the lake is.
        words: arguments of `lake data`.
        say: told what is waited for.

    Raises:
        Busy: another question is under way.
        BadInput: what was asked cannot be used; says why.
        LabError: a store is away; says so, exit code 1.
        NotConverged: it did not end, or ended without a word.

    """
    ended = jobs.ask(api, CRON, namespace, ["lake", "data", *words], say)
    lines = _lines(ended.log)
    told: dict[str, Any] | None = next((line["answer"] for line in lines if set(line) == {"answer"}), None)
    failure = None if ended.code == 0 else _failure(ended, lines)
    if told is None:
        raise failure or _speechless(namespace, ended)
    return Answer(told, failure)


def _lines(log: str) -> list[dict[str, Any]]:
    """Return the lines of a log that are JSON objects, newest first."""
    found = []
    for line in reversed(log.splitlines()):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _failure(ended: Ended, lines: list[dict[str, Any]]) -> LabError | None:
    """Return the error that a service named itself; None where it had no time to."""
    line = next((each for each in lines if each.get("level") == "error" and "kind" in each), None)
    if line is None:
        return None
    reason = REASONS.get(line["kind"], UNKNOWN)
    return (BadInput if ended.code == _REFUSED else LabError)(reason.told(line.get("event")), reason.remedy)


def _last_word(log: str) -> list[str]:
    """Return the last line of a log; of a failure that nobody named, the last line of its traceback."""
    traced = next((str(line["error"]) for line in _lines(log) if "error" in line), log)
    return traced.splitlines()[-1:]


def _speechless(namespace: str, ended: Ended) -> NotConverged:
    why = "; ".join([ended.reason or "?", *_last_word(ended.log)])
    return NotConverged(
        Text(
            en=f"Job/{CRON}-now in {namespace} ended without an answer: {why}",
            fr=f"Job/{CRON}-now dans {namespace} a fini sans réponse : {why}",
        ),
        Text(
            en=f"`lab kubectl logs -n {namespace} job/{CRON}-now` shows all of it; then run again",
            fr=f"`lab kubectl logs -n {namespace} job/{CRON}-now` montre tout ; puis relancez",
        ),
    )
