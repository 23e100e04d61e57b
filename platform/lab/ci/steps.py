"""The steps that prove a lab, and what each command has to answer."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.process import CommandFailed, run
from lab.progress import Say
from lab.text import Text

Answer = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One command, and what it has to come to.

    Attributes:
        name: of the step.
        command: of the tool; the lab's number follows.
        wrong: says what is wrong with its answer, one line each; nothing where it is right.
        judges: whether its exit code 1 is an answer too: what it judged is not right.
        always: whether it runs after a failure as well: what was brought up is to be taken back.

    """

    name: str
    command: str
    wrong: Callable[[Answer, str], list[str]]
    judges: bool = False
    always: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a step of a lab went.

    Attributes:
        lab: the lab's number.
        step: its name.
        seconds: how long it took.
        wrong: what went wrong, one line each; None: it was left out, since one before it failed.

    """

    lab: str
    step: str
    seconds: float
    wrong: tuple[str, ...] | None

    @property
    def passed(self) -> bool:
        """Say whether it came to what it has to."""
        return self.wrong == ()


def _converged(answer: Answer, _: str) -> list[str]:
    return [] if answer["verdict"] == "converged" else [f"verdict: {answer['verdict']}"]


def _within(answer: Answer, _: str) -> list[str]:
    """Hold that nothing exceeds its budget; where images had to be built first, the time is not known."""
    return [
        f"budget.{name}: {each['measured']} measured, {each['declared']} declared"
        for name, each in answer["figures"].items()
        if each["verdict"] == "exceeded"
    ]


def _open(answer: Answer, _: str) -> list[str]:
    """Hold that no check passes on the start: one that does proves nothing."""
    return [f"{each['exercise']}: done before anybody did it" for each in answer["results"] if each["passed"]]


def _done(answer: Answer, _: str) -> list[str]:
    return [f"{each['exercise']}: {each['reason']['en']}" for each in answer["results"] if not each["passed"]]


def _killed(answer: Answer, code: str) -> list[str]:
    told = answer[code]
    wrong = [f"{each['id']} survives" for each in told["survivors"]]
    wrong += [f"{each['id']} is right and refused by {', '.join(each['refused_by'])}" for each in told["refused"]]
    wrong += [f"{each}: done at the recorded start" for each in told["done_at_start"]]
    return wrong or ([] if told["sound"] else ["nothing is proven: no mutant"])


def _solved(answer: Answer, _: str) -> list[str]:
    return [] if answer["verdict"] == "solved" else [f"verdict: {answer['verdict']}"]


def _clean(answer: Answer, _: str) -> list[str]:
    return [f"left behind: {each}" for each in answer["residue"]]


STEPS = (
    Step("converge", "up", _converged),
    Step("budget holds", "budget", _within, judges=True),
    Step("start is open", "check", _open, judges=True),
    Step("solve", "solve", _solved),
    Step("solution passes", "check", _done, judges=True),
    Step("mutants are killed", "mutants", _killed, judges=True),
    Step("reset leaves nothing", "reset", _clean, always=True),
    Step("start is open again", "check", _open, judges=True),
)


def prove(code: str, say: Say, program: tuple[str, ...] = (sys.executable, "-m", "lab")) -> Iterator[Outcome]:
    """Run every step on a lab; each is told as it begins.

    A step that fails leaves out those after it, but for the reset.

    Args:
        code: the lab's number.
        say: told each step.
        program: the command line of the tool.

    Yields:
        How each step went, in their order.

    """
    failed = False
    for step in STEPS:
        if failed and not step.always:
            yield Outcome(code, step.name, 0.0, None)
            continue
        say(Text(en=f"lab {code}: {step.name}", fr=f"lab {code} : {step.name}"))
        begun = time.monotonic()
        wrong = _run(step, code, program)
        failed = failed or bool(wrong)
        yield Outcome(code, step.name, time.monotonic() - begun, tuple(wrong))


def _run(step: Step, code: str, program: tuple[str, ...]) -> list[str]:
    """Run a step's command; return what is wrong with its end."""
    what = Text.plain(f"lab {step.command} {code}")
    words = [*program, step.command, code, "--output", "json"]
    try:
        answer: Answer = json.loads(run(words, what=what, accept=(0, 1) if step.judges else (0,)))
        return step.wrong(answer, code)
    except CommandFailed as failure:
        return failure.what.en.splitlines()
    except (ValueError, KeyError, TypeError) as failure:
        return [f"{what.en}: no answer that can be read ({failure!r})"]
