"""`lab break [NN]`: something is broken, and the trainee finds out what."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lab.api import Api
from lab.broker import Broker
from lab.cluster import Status, choose
from lab.commands.common import number, standing, teller, wanted
from lab.diagnose import challenge
from lab.diagnose.causes import every
from lab.diagnose.challenge import Challenge
from lab.errors import BadInput, LabError
from lab.reset import namespaces
from lab.settings import Settings
from lab.spec import Course
from lab.state.record import lock
from lab.text import Text

_NOT_YET = 1
_SEEDS = 10_000
_STORY = Text(
    en="Something on the cluster of lab {lab} is no longer as it was (seed {seed}). Look around with `lab status`, "
    "`lab kubectl`, Prometheus and Jaeger; the causes that there are stand in docs/causes.md. Once you know the root "
    "cause: `lab break {lab} --answer CODE`. The clock runs; `lab break {lab} --mend` ends it.",
    fr="Quelque chose sur le cluster du lab {lab} n'est plus comme avant (graine {seed}). Regardez avec `lab status`, "
    "`lab kubectl`, Prometheus et Jaeger ; les causes possibles sont dans docs/causes.fr.md. Une fois la cause "
    "première trouvée : `lab break {lab} --answer CODE`. Le temps court ; `lab break {lab} --mend` y met fin.",
)
_RIGHT = Text(
    en="✓ {code}, found in {minutes:.1f} min at try {tries}. Mend it yourself, or `lab break {lab} --mend`.",
    fr="✓ {code}, trouvée en {minutes:.1f} min à l'essai {tries}. Réparez vous-même, ou `lab break {lab} --mend`.",
)
_WRONG = Text(
    en="✗ {code} is not the root cause (try {tries}, {minutes:.1f} min so far).",
    fr="✗ {code} n'est pas la cause première (essai {tries}, {minutes:.1f} min jusqu'ici).",
)
_MENDED = Text(en="What was broken is as it was before.", fr="Ce qui était cassé est comme avant.")


@click.command("break")
@number
@click.option("--seed", type=click.IntRange(0), help="Which fault: the same seed breaks the same thing.")
@click.option("--answer", help="The code of the root cause, as docs/causes.md names it.")
@click.option("--mend", is_flag=True, help="Undo it.")
@click.pass_obj
def break_(settings: Settings, number: str | None, seed: int | None, answer: str | None, *, mend: bool) -> None:
    """Break something for a trainee to find. / Casser quelque chose, à trouver par le stagiaire."""
    code = wanted(settings, number)
    Course(settings.root).lab(code)
    if answer is not None:
        _judge(settings, code, answer)
        return
    if mend:
        _under_way(settings, code)
    standing(settings)
    with lock(settings, f"break {code}", teller(settings)):
        if mend:
            end(settings)
            click.echo(_MENDED.in_(settings.lang))
        else:
            _begin(settings, code, secrets.randbelow(_SEEDS) if seed is None else seed)


def end(settings: Settings, *, before: bool = False) -> None:
    """Undo the challenge that is under way, if one is.

    Args:
        settings: which cluster.
        before: what follows makes the labs' namespaces and topics anew: of what cannot be taken back now only the rest
            is kept, for another `end` afterwards.

    Raises:
        LabError: the cluster does not take something back; it is kept, and `--mend` can be tried again.

    """
    file = _file(settings)
    running = Challenge.read(file)
    if running is None:
        return
    status = choose(settings).status()
    if status is Status.ABSENT:  # what was broken went with it
        file.unlink()
        return
    course, failures = Course(settings.root), list[LabError]()
    if status is Status.RUNNING:
        failures = challenge.undo(running, course, Api(settings), lambda: Broker(settings))
    if before:
        running.undo = challenge.beyond(running.undo, namespaces(course))
    if running.undo:
        running.write(file)
    else:
        file.unlink()
    if failures and not before:
        raise failures[0]


@contextmanager
def ended(settings: Settings) -> Iterator[None]:
    """Undo the challenge around work that makes the labs' namespaces and topics anew.

    Raises:
        LabError: neither before nor afterwards the cluster takes back what was broken elsewhere.

    """
    end(settings, before=True)
    yield
    end(settings)


def _begin(settings: Settings, code: str, seed: int) -> None:
    file = _file(settings)
    if (running := Challenge.read(file)) is not None:
        raise BadInput(
            Text(
                en=f"something is broken already (lab {running.lab}, seed {running.seed})",
                fr=f"quelque chose est déjà cassé (lab {running.lab}, graine {running.seed})",
            ),
            Text(
                en=f"find it: `lab break {running.lab} --answer CODE`, or undo it: `lab break {running.lab} --mend`",
                fr=f"trouvez : `lab break {running.lab} --answer CODE`, ou défaites : `lab break {running.lab} --mend`",
            ),
        )
    fault = challenge.draw(Course(settings.root).lab(code), seed)
    challenge.inject(Challenge(code, seed), fault, file, Api(settings), lambda: Broker(settings))
    click.echo(_STORY.in_(settings.lang).format(lab=code, seed=seed))


def _judge(settings: Settings, code: str, answer: str) -> None:
    given = answer.upper() if answer.upper().startswith("TD-") else f"TD-{answer.upper()}"
    if given not in {cause.code for cause in every()}:
        raise BadInput(
            Text(en=f"--answer {answer}: there is no such code", fr=f"--answer {answer} : ce code n'existe pas"),
            Text(en="docs/causes.md lists them all", fr="docs/causes.fr.md les donne tous"),
        )
    running = _under_way(settings, code)
    running.tries += 1
    running.write(_file(settings))
    right = given == challenge.draw(Course(settings.root).lab(code), running.seed).code
    minutes = (time.time() - running.started) / 60
    told = (_RIGHT if right else _WRONG).in_(settings.lang)
    click.echo(told.format(code=given, lab=code, tries=running.tries, minutes=minutes))
    if not right:
        sys.exit(_NOT_YET)


def _under_way(settings: Settings, code: str) -> Challenge:
    running = Challenge.read(_file(settings))
    if running is None or running.lab != code:
        raise BadInput(
            Text(en=f"nothing was broken in lab {code}", fr=f"rien n'a été cassé dans le lab {code}"),
            Text(en=f"begin with `lab break {code}`", fr=f"commencez par `lab break {code}`"),
        )
    return running


def _file(settings: Settings) -> Path:
    return settings.folder / "challenge.json"
