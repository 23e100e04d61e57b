"""Runs compositions: asks the members that it is told to ask, as requests of their own among all others.

Members are found anew for each request, by one look into the repository's table. So a member is swapped as any model
is, without a failed request, and what it is asked is batched with what others ask it.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from contracts.compositions import Ask, BadParameter, Floats, Given
from contracts.inference import Parameters
from contracts.models import INPUT
from serving.compositions.composing import fit
from serving.errors import CompositionWrong, NotComputed, Refused
from serving.figures import Figures
from serving.inference.asking import work
from serving.model.batch import Work
from serving.model.cache import Cache
from serving.model.outline import Outline
from serving.model.session import Array
from serving.model.version import Served
from serving.naming import Aim, aim
from serving.source.artifact import Artifact
from serving.tally import Tally

DEEPEST = 8
"""Compositions within one another."""
_NONE: Parameters = {}


class Finds(Protocol):
    """Where members are found."""

    @property
    def find(self) -> Callable[[Aim], Served | None]:
        """What answers at once."""

    async def want(self, aim: Aim, deadline: float) -> Served:
        """What answers, loaded first where it has to be."""


class Composer:
    """Runs the requests of one version of one composition.

    Args:
        title: of it, for messages.
        outline: what it is.
        models: where its members are.
        tally: counts its rows and predictions.
        figures: counts its members' rows.
    """

    def __init__(self, title: str, outline: Outline, models: Finds, tally: Tally, figures: Figures) -> None:
        self._title = title
        self._outline = outline
        self._models = models
        self._tally = tally
        self._figures = figures
        self._aims = {each: aim(each, "") for each in outline.composition.members()}
        self._fit: dict[str, str] = {}
        """Member -> the version of it that was last found to fit."""

    @property
    def members(self) -> tuple[str, ...]:
        """Every member with the version that answers for it now, `?` where none does."""
        return tuple(_shown(name, self._models.find((name, version))) for name, version in self._aims.values())

    async def run(self, work: Work, deadline: float) -> list[Array]:
        """The prediction, float32 [N, 1].

        Args:
            work: what is to be computed.
            deadline: time of the loop after which nobody waits for it any more.

        Raises:
            Refused: a parameter of the request names no member.
            CompositionWrong: a member fits no longer, or members lead around in a circle.
            ServiceError: as the members' own.
        """
        if work.depth >= DEEPEST:
            told = f"{self._title}: members lead around in a circle, or are more than {DEEPEST} deep"
            raise CompositionWrong(told, "let a member be a plain model")
        given = Given(work.feed[INPUT], self._outline.card.features, work.parameters or _NONE)
        found = await self._through(given, work, deadline)
        self._tally.rows += work.rows
        self._tally.predicted(self._outline.names, [found])
        return [found]

    async def _through(self, given: Given, work: Work, deadline: float) -> Floats:
        steps = self._outline.composition.steps(given)
        try:
            asks = next(steps)
            while True:
                asks = steps.send(await self._all(asks, work, deadline))
        except StopIteration as end:
            found: Floats = end.value
            return found
        except BadParameter as failure:
            raise Refused(f"{self._title}: {failure}", "name one of these, or leave the parameter out") from None

    async def _all(self, asks: Sequence[Ask], work: Work, deadline: float) -> Sequence[Floats]:
        if len(asks) == 1:
            return [await self._asked(asks[0], work, deadline)]
        return await asyncio.gather(*[self._asked(each, work, deadline) for each in asks])

    async def _asked(self, ask: Ask, whole: Work, deadline: float) -> Floats:
        member = await self._member(ask.model, deadline)
        feed = whole.feed if ask.rows is None else {INPUT: whole.feed[INPUT][ask.rows]}
        wanted = work(dict(feed), member.session.names, member)
        if member.batcher.members:
            wanted = wanted._replace(parameters=whole.parameters, depth=whole.depth + 1)
        (found,) = await member.batcher.run(wanted, deadline)
        if found.shape != (wanted.rows, 1):
            told = f"{self._title}: its member {ask.model} gives {list(found.shape)} for {wanted.rows} rows"
            raise NotComputed(told, "compose models that give one prediction for each row")
        self._figures.members[self._tally.model, self._tally.version, member.name, member.version] += wanted.rows
        return found

    async def _member(self, name: str, deadline: float) -> Served:
        at = self._aims[name]
        member = self._models.find(at) or await self._models.want(at, deadline)
        if self._fit.get(name) != member.version:
            fit(self._title, self._outline.card, f"{name}, version {member.version}", member.card)
            self._fit[name] = member.version
        member.used = time.perf_counter()
        return member


def composed(artifact: Artifact, outline: Outline, models: Finds, figures: Figures, entries: int) -> Served:
    """The parts of a composition's version put together; `entries` answers are kept in its cache."""
    tally = figures.tally(artifact.name, artifact.version)
    tally.watch(outline.names[0])
    title = f"composition {artifact.name} version {artifact.version}"
    return Served(artifact, outline, Composer(title, outline, models, tally, figures), tally, Cache(entries))


def _shown(name: str, member: Served | None) -> str:
    return f"{name}/{member.version if member else '?'}"
