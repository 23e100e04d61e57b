"""The steps that prove a lab, and what each command has to answer."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.cluster import Status
from lab.process import CommandFailed, run
from lab.progress import Say
from lab.text import Text

Answer = dict[str, Any]
Answers = Mapping[str, Answer]
"""Step -> what its command answered."""


def _always(_: Answers) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """One command, and what it has to come to.

    Attributes:
        name: of the step.
        command: of the tool; the lab's number follows.
        wrong: says what is wrong with its answer, one line each; nothing where it is right.
        judges: whether its exit code 1 is an answer too: what it judged is not right.
        always: whether it runs after a failure as well: what was brought up is to be taken back.
        numbered: whether the command takes the lab's number.
        against: the step whose answer the command is given, to compare with.
        needed: says, from the answers so far, whether there is anything to do; else the step is passed over.

    """

    name: str
    command: str
    wrong: Callable[[Answer, str], list[str]]
    judges: bool = False
    always: bool = False
    numbered: bool = True
    against: str | None = None
    needed: Callable[[Answers], bool] = _always


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


def _recorded(answer: Answer, _: str) -> list[str]:
    return [] if any(answer["sections"].values()) else ["nothing that a lab holds was found"]


def _equal(answer: Answer, _: str) -> list[str]:
    """Hold that the reset brought back what was there at first: `+` is only there now, `-` was only there then."""
    return list(answer["differences"])


def _seen(answer: Answer, _: str) -> list[str]:
    return [] if answer["status"] else ["the cluster has no status"]


def _stood(told: Answers) -> bool:
    """Say whether a cluster was there already: what labs left in it is no part of a start."""
    return told.get(_LOOK, {}).get("status") != Status.ABSENT.value


_LOOK, _START = "look", "start is recorded"
STEPS = (
    Step(_LOOK, "status", _seen, numbered=False),
    Step("converge", "up", _converged),
    Step("begin anew", "reset", _clean, needed=_stood),
    Step("budget holds", "budget", _within, judges=True),
    Step("start is open", "check", _open, judges=True),
    Step(_START, "fingerprint", _recorded),
    Step("solve", "solve", _solved),
    Step("solution passes", "check", _done, judges=True),
    Step("mutants are killed", "mutants", _killed, judges=True),
    Step("reset leaves nothing", "reset", _clean, always=True),
    Step("start is open again", "check", _open, judges=True),
    Step("start is as before", "fingerprint", _equal, judges=True, against=_START),
)


def prove(code: str, say: Say, program: tuple[str, ...] = (sys.executable, "-m", "lab")) -> Iterator[Outcome]:
    """Run every step on a lab; each is told as it begins.

    A step that fails leaves out those after it, but for the last reset. Where there was no cluster, nothing has to be
    taken away before the start is looked at; where there was one, both starts that are compared follow a reset.

    Args:
        code: the lab's number.
        say: told each step.
        program: the command line of the tool.

    Yields:
        How each step went, in their order.

    """
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        proof = _Proof(code, program, Path(folder))
        for step in STEPS:
            if not step.needed(proof.told):
                continue
            if failed and not step.always:
                yield Outcome(code, step.name, 0.0, None)
                continue
            say(Text(en=f"lab {code}: {step.name}", fr=f"lab {code} : {step.name}"))
            begun = time.monotonic()
            wrong = proof.run(step)
            failed = failed or bool(wrong)
            yield Outcome(code, step.name, time.monotonic() - begun, tuple(wrong))


@dataclass
class _Proof:
    """Runs the steps of one lab.

    Attributes:
        code: the lab's number.
        program: the command line of the tool.
        folder: where an answer is laid that a later step compares with.
        told: what was answered so far.

    """

    code: str
    program: tuple[str, ...]
    folder: Path
    told: dict[str, Answer] = field(default_factory=dict)

    def run(self, step: Step) -> list[str]:
        """Run a step's command; return what is wrong with its end."""
        words = [step.command, *([self.code] if step.numbered else [])]
        what = Text.plain(" ".join(["lab", *words]))
        try:
            given = run(
                [*self.program, *words, *self._options(step)], what=what, accept=(0, 1) if step.judges else (0,)
            )
            answer: Answer = json.loads(given)
            wrong = step.wrong(answer, self.code)
        except CommandFailed as failure:
            return failure.what.en.splitlines()
        except (ValueError, KeyError, TypeError, AttributeError) as failure:
            return [f"{what.en}: no answer that can be read ({failure!r})"]
        self.told[step.name] = answer
        return wrong

    def _options(self, step: Step) -> list[str | Path]:
        options: list[str | Path] = ["--output", "json"]
        if step.against is None:
            return options
        file = self.folder / "against.json"
        file.write_text(json.dumps(self.told[step.against]), "utf-8")
        return [*options, "--against", file]
