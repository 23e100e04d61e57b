"""The bronze writer: polls, collects, commits rows and places in one step; what is not committed is read again.

    killed before a commit     the table says the old place: the same records are read again
    killed after it            the table says the new place: they are not
    the commit's answer lost   nobody knows: what was collected is dropped and the table is asked

The table is the only truth about what is written. There is one writer; a second one, started by mistake or left over
behind a broken network, is found out by the commit itself: both move the same places.
"""

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from opentelemetry.trace import SpanKind

from ingest.bronze.batch import Batch
from ingest.bronze.compaction import Upkeep
from ingest.bronze.feed import Feed
from ingest.bronze.figures import BronzeFigures
from ingest.bronze.table import Table
from ingest.settings import BronzeSettings
from runtime.broker import Place
from runtime.errors import Temporary
from runtime.health import Health
from runtime.process import Stop
from runtime.tracing import Tracing, sampled, traceparent
from runtime.web import Answer

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
READY = "lake"
_PAUSE = 1.0  # seconds between two attempts to reach the store


class BronzeWriter:
    """Keeps the bronze tables up to date with the log.

    Args:
        settings: how often to commit, and when to compact.
        feed: where records come from.
        open_table: makes or opens the table of a topic.
        figures: what it measures.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the parts of the writer meet here
        self,
        settings: BronzeSettings,
        feed: Feed,
        open_table: Callable[[str], Table],
        figures: BronzeFigures,
        health: Health,
        tracing: Tracing,
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._open = open_table
        self._figures = figures
        self._health = health
        self._tracing = tracing
        self._tables: dict[str, Table] = {}
        self._upkeep: dict[str, Upkeep] = {}
        self._batches: dict[str, Batch] = {}
        self._begun: dict[str, float] = {}
        self._parents: dict[str, bytes] = {}
        self.durable: dict[Place, int] = {}
        """Partition -> next offset, as the tables have it."""
        self._identities: dict[str, str] = {}
        self._stale = True
        health.wait_for(READY, "the places in the log are not known yet")

    def run(self, stop: Stop) -> None:
        """Write until asked to stop, then commit what was collected."""
        while not stop:
            self._health.beat("lake")
            try:
                self.turn()
            except Temporary as failure:
                self._begin_anew(failure)
                stop.wait(_PAUSE)
        self.flush()

    def turn(self) -> None:
        """One poll and what follows from it.

        Raises:
            StoreAway: the store does not answer; the next turn begins at what is durable.
            Contended: another writer has the partitions.
        """
        polled = self._feed.poll(POLL_SECONDS)
        self._stale = self._stale or self._replaced() or self._feed.grown()
        if self._stale:
            self._stale = not self.restore()
            return  # what was polled stood at places that are sought anew
        for place, records in polled.items():
            self._collect(place, records)
        now = time.monotonic()
        for topic in [topic for topic in self._batches if self._due(topic, now)]:
            self._commit(topic)
        self._measure(now)

    def _collect(self, place: Place, records: list[Any]) -> None:
        batch = self._batches.setdefault(place.topic, Batch(place.topic))
        self._expired(place, batch.next.get(place, self.durable[place]), records[0].offset)
        self._begun.setdefault(place.topic, time.monotonic())
        batch.take(place, records)
        parent = traceparent(records[-1].headers)
        if sampled(parent) and parent is not None:
            self._parents[place.topic] = parent

    def _due(self, topic: str, now: float) -> bool:
        full = len(self._batches[topic]) >= self._settings.lake_batch_events
        return full or now - self._begun[topic] >= self._settings.lake_batch_seconds

    def flush(self) -> None:
        """Commit all that was collected.

        Raises:
            StoreAway: the store does not answer; the log still has what is not committed.
        """
        for topic in list(self._batches):
            self._commit(topic)

    def _commit(self, topic: str) -> None:
        batch, table = self._batches[topic], self._tables[topic]
        begun = time.perf_counter()
        with self._tracing.continued(
            f"lake {topic}", self._parents.pop(topic, None), SpanKind.CONSUMER, rows=len(batch)
        ):
            table.append(batch.values(), {self._application(place): offset for place, offset in batch.next.items()})
        del self._batches[topic], self._begun[topic]
        self.durable.update(batch.next)
        self._figures.committed(topic, len(batch), batch.dead, time.perf_counter() - begun)
        self._look_after(topic, table)

    def _look_after(self, topic: str, table: Table) -> None:
        upkeep = self._upkeep[topic]
        replaced, removed = upkeep.replaced, upkeep.removed
        upkeep.look()
        self._figures.compacted.labels(topic).inc(upkeep.replaced - replaced)
        self._figures.vacuumed.labels(topic).inc(upkeep.removed - removed)
        self._figures.files.labels(topic).set(table.files())

    def _application(self, place: Place) -> str:
        """Names one partition of one log: a topic that was made anew begins at nought, under another name."""
        return f"{place.topic}-{place.partition}@{self._identities[place.topic]}"

    def restore(self) -> bool:
        """Seek every partition to what its table says; whether all were found.

        Raises:
            StoreAway: the store does not answer.
        """
        self._forget()
        places = self._feed.follow()
        self._identities = {place.topic: self._feed.identity(place.topic) for place in places}
        if not all(self._identities.values()):
            return False
        for topic in self._identities:
            self._find(topic)
        bounds = self._feed.bounds(places)
        self.durable = {place: self._begin(place, *bounds[place]) for place in places}
        for place, offset in self.durable.items():
            self._feed.seek(place, offset)
        self._health.met(READY)
        log.info("restored", extra={"offsets": {f"{at.topic}-{at.partition}": n for at, n in self.durable.items()}})
        return True

    def _find(self, topic: str) -> None:
        if topic in self._tables:
            self._tables[topic].refresh()
            return
        table = self._tables[topic] = self._open(topic)
        self._upkeep[topic] = Upkeep(table, self._settings.compact_files, self._settings.keep_hours)

    def _begin(self, place: Place, first: int, next_: int) -> int:
        committed = self._tables[place.topic].position(self._application(place))
        if committed is None:
            return first
        if committed > next_:
            log.warning("the log lost its end; what it holds is read again", extra={"place": str(place)})
            return first
        self._expired(place, committed, first)
        return max(committed, first)

    def _expired(self, place: Place, expected: int, found: int) -> None:
        """Say aloud what the log dropped before it was read."""
        if found > expected:
            where = {"topic": place.topic, "partition": place.partition}
            log.error("events expired unread", extra={**where, "events": found - expected})
            self._figures.expired.labels(place.topic).inc(found - expected)

    def _replaced(self) -> bool:
        """Whether a topic was deleted and made again since its place was found."""
        heard = {topic: self._feed.identity(topic) for topic in self._identities}
        return any(identity and identity != self._identities[topic] for topic, identity in heard.items())

    def _begin_anew(self, failure: Exception) -> None:
        log.warning("the lake does not take events", extra={"cause": str(failure)})
        self._health.wait_for(READY, str(failure))
        self._forget()
        self._stale = True

    def _forget(self) -> None:
        self._batches.clear()
        self._begun.clear()
        self._parents.clear()

    def _measure(self, now: float) -> None:
        lag = dict.fromkeys(self._tables, 0)
        for place, offset in self.durable.items():
            lag[place.topic] += max((self._feed.written(place) or 0) - offset, 0)
        for topic, waiting in lag.items():
            self._figures.lag.labels(topic).set(waiting)
            self._figures.staleness.labels(topic).set(now - self._begun.get(topic, now))

    def positions(self, _path: tuple[str, ...] = ()) -> Answer:
        """`/positions`: by topic, the table's version and each partition's next offset."""
        durable = dict(self.durable)
        found: dict[str, Any] = {
            topic: {"version": table.version, "next": {}} for topic, table in dict(self._tables).items()
        }
        for place, offset in sorted(durable.items()):
            found[place.topic]["next"][str(place.partition)] = offset
        return HTTPStatus.OK, found
