"""Asynchronous inference: a topic in, a topic out.

Polled, computed together, written, acknowledged, committed; in that order. A crash leaves requests that are answered
but not committed: they are answered again, under the same id. What is no request becomes a dead letter and stops
nothing; the letter is written before its place is committed, and a crash in between finds it in the dead-letter topic.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from contracts.validation import Invalid
from runtime.broker import Committed, Place, Publisher, Subscription
from runtime.health import Health
from runtime.letters import Letterbox
from runtime.patience import BrokerUnavailable
from runtime.process import Stop
from serving.workers.answerer import Answer, Answerer
from serving.workers.figures import ANSWERED, DEAD, REFUSED, StreamFigures

log = logging.getLogger(__name__)

T = TypeVar("T")
Outcome = Answer | Invalid
PARTITIONS = "partitions"
"""Condition of readiness: that it has partitions, and knows where it stands in them."""
TOGETHER = 512
"""Requests that are computed at a time: each of them has the whole time that a request may take."""
_POLL_SECONDS = 0.25
_FLUSH_SECONDS = 10.0


class Note(msgspec.Struct, omit_defaults=True):
    """What stands beside a committed offset."""

    log: str = ""
    """Which log the offset belongs to: a topic that was made anew has another."""
    letters: list[int] = []
    """Next offset of each partition of the dead-letter topic when the note was written."""


class Worker:
    """Answers what is asked in a topic. Kafka's client is used by one thread, its own.

    Args:
        subscription: where requests come from and offsets go to.
        publisher: sends answers.
        letterbox: takes what is no request.
        answerer: computes.
        figures: counts.
        health: what the probes tell.
        topic: of the answers.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the parts of the worker meet here
        self,
        subscription: Subscription,
        publisher: Publisher,
        letterbox: Letterbox,
        answerer: Answerer,
        figures: StreamFigures,
        health: Health,
        topic: str,
    ) -> None:
        self._subscription = subscription
        self._publisher = publisher
        self._letterbox = letterbox
        self._answerer = answerer
        self._figures = figures
        self._health = health
        self._topic = topic
        self._desk = ThreadPoolExecutor(1, "kafka")
        self._stale = True
        self._identities: dict[Place, str] = {}
        self._positions: dict[Place, int] = {}
        """Partition -> next offset to answer."""
        self._uncommitted: dict[Place, int] = {}
        """Partition -> next offset, of what was answered."""
        health.wait_for(PARTITIONS, "no partitions are assigned yet")

    async def run(self, stop: Stop) -> None:
        """Answer until asked to stop."""
        try:
            while not stop:
                self._health.beat("stream")
                await self.turn()
        finally:
            self._desk.shutdown()

    async def turn(self) -> None:
        """One poll and what follows from it."""
        batches = await self._at_desk(self._polled)
        for place, records in batches.items():
            for begin in range(0, len(records), TOGETHER):
                await self._answer(place, records[begin : begin + TOGETHER])
        if self._uncommitted:
            await self._at_desk(self._commit)

    async def _answer(self, place: Place, records: Sequence[Any]) -> None:
        outcomes = await asyncio.gather(*[self._answerer.answer(each) for each in records])
        await self._at_desk(lambda: self._told(place, records, outcomes))

    async def _at_desk(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._desk, act)

    def _polled(self) -> Mapping[Place, list[Any]]:
        """Records by partition; none where places have to be found anew."""
        batches = self._subscription.poll(_POLL_SECONDS)
        self._stale = self._subscription.changed() or self._stale or self._replaced()
        if self._stale:
            self._stale = not self._restored()
            return {}
        waiting = {place: (self._subscription.written(place) or 0) - at for place, at in self._positions.items()}
        self._figures.lag = sum(max(each, 0) for each in waiting.values())
        return batches

    def _replaced(self) -> bool:
        """Whether a topic was deleted and made again."""
        return any(
            (heard := self._subscription.identity(place.topic)) and heard != identity
            for place, identity in self._identities.items()
        )

    def _restored(self) -> bool:
        """Find where to go on in every partition; whether it was found."""
        places = sorted(self._subscription.assigned())
        if not places:
            return False
        self._health.wait_for(PARTITIONS, "places are being sought")
        try:
            self._letterbox.flush(_FLUSH_SECONDS)
        except BrokerUnavailable as failure:
            log.warning("dead letters wait", extra={"cause": str(failure)})
            return False
        self._identities = {place: self._subscription.identity(place.topic) for place in places}
        bounds = self._subscription.bounds(places)
        found = {place: self._standing(place, bounds[place]) for place in places}
        self._letterbox.look({place: (offset, note.letters if note else []) for place, (offset, note) in found.items()})
        # Committed where no note stands, so that a crash finds the letters of what comes first.
        new = {place: self._noted(place, offset) for place, (offset, note) in found.items() if note is None}
        if new and not self._subscription.commit(new):
            return False
        self._positions = {place: offset for place, (offset, _) in found.items()}
        self._uncommitted = {}
        for place, offset in self._positions.items():
            self._subscription.seek(place, offset)
        self._health.met(PARTITIONS)
        log.info(
            "restored", extra={"offsets": {f"{it.topic}-{it.partition}": at for it, at in self._positions.items()}}
        )
        return True

    def _standing(self, place: Place, bounds: tuple[int, int]) -> tuple[int, Note | None]:
        """Next offset to answer, and the note beside it; None: no note of this log stands there."""
        first, end = bounds
        committed = self._subscription.committed(place)
        note = _read(committed.note) if committed else None
        if committed is None or note is None:
            return first if committed is None else max(committed.offset, first), None
        if committed.offset > end or note.log != self._identities[place]:
            log.warning("the log was replaced; beginning anew", extra={"topic": place.topic})
            return first, None
        return max(committed.offset, first), note

    def _told(self, place: Place, records: Sequence[Any], outcomes: Sequence[Outcome]) -> None:
        """Write what came of records, and wait until all of it is acknowledged."""
        for record, outcome in zip(records, outcomes, strict=True):
            if isinstance(outcome, Invalid):
                self._letterbox.put(record, outcome)
                self._figures.outcomes[DEAD] += 1
            else:
                self._publisher.send(self._topic, outcome.value, record.key, outcome.headers)
                self._figures.outcomes[ANSWERED if outcome.status == HTTPStatus.OK else REFUSED] += 1
        self._positions[place] = self._uncommitted[place] = records[-1].offset + 1

    def _commit(self) -> None:
        """Make durable that it was answered; what cannot be now is tried again with the next turn."""
        try:
            self._publisher.flush(_FLUSH_SECONDS)
            self._letterbox.flush(_FLUSH_SECONDS)
        except BrokerUnavailable as failure:
            log.warning("answers wait", extra={"cause": str(failure)})
            return
        if self._subscription.commit({place: self._noted(place, at) for place, at in self._uncommitted.items()}):
            self._uncommitted = {}

    def _noted(self, place: Place, offset: int) -> Committed:
        note = Note(self._identities.get(place, ""), list(self._letterbox.ends))
        return Committed(offset, msgspec.json.encode(note).decode())


def _read(text: str) -> Note | None:
    """The note beside an offset; None where somebody else committed."""
    try:
        return msgspec.json.decode(text, type=Note)
    except msgspec.DecodeError:
        return None
