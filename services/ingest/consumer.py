"""The consumer: polls, applies, writes dead letters, commits; in that order, so that any crash can be made good.

applied, not committed      the partition is restored from its last commit and the same events are applied again
dead letter, not committed  the letter is found in the dead-letter topic and not written again
committed                   offset, counts and marks became durable together; windows are rebuilt from the log
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from opentelemetry.trace import SpanKind

from contracts import Event
from contracts.topics import EVENTS
from contracts.validation import Invalid
from ingest.figures import ConsumerFigures
from ingest.partition import Partition
from ingest.settings import ConsumerSettings
from ingest.view import View
from runtime.broker import Committed, Place, Subscription
from runtime.health import Health
from runtime.letters import Letterbox
from runtime.patience import BrokerUnavailable
from runtime.process import Stop
from runtime.tracing import Tracing, sampled, traceparent

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
FLUSH_SECONDS = 10.0
RESTORED = "partitions"


class Effects(Protocol):
    """What applied events bring about elsewhere."""

    def touch(self, topic: str, events: Iterable[Event]) -> None:
        """Take note of events that were applied."""

    def flush(self, *, now: bool = False) -> bool:
        """Bring it about, at once or when it is time; whether nothing is left to be done."""


class Consumer:
    """Keeps a view up to date with the log.

    Args:
        settings: how often to commit.
        subscription: where records come from and offsets go to.
        letterbox: where refused records go.
        view: what it keeps.
        figures: what it measures.
        effects: what else has to happen before an offset may be committed.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the parts of the consumer meet here
        self,
        settings: ConsumerSettings,
        subscription: Subscription,
        letterbox: Letterbox,
        view: View,
        figures: ConsumerFigures,
        health: Health,
        tracing: Tracing,
        effects: Effects | None = None,
    ) -> None:
        self._settings = settings
        self._effects = effects
        self._subscription = subscription
        self._letterbox = letterbox
        self._view = view
        self._figures = figures
        self._health = health
        self._tracing = tracing
        self._kinds: Counter[tuple[str, str]] = Counter()
        self._counted: dict[Place, Counter[str]] = {}
        self._uncommitted = 0
        self._due = 0.0
        self._stale = True
        health.wait_for(RESTORED, "no partitions are assigned yet")

    def run(self, stop: Stop) -> None:
        """Consume until asked to stop, then commit what was applied."""
        while not stop:
            self._health.beat("consumer")
            self.turn()
        self.commit()

    def turn(self) -> None:
        """One poll and what follows from it."""
        batches = self._subscription.poll(POLL_SECONDS)
        self._stale = self._subscription.changed() or self._stale or self._replaced()
        if self._stale:
            self._stale = not self.restore()
            return  # what was polled stood at places that are sought anew
        begun = time.perf_counter()
        self._apply(batches)
        if batches:
            self._figures.batch.observe(time.perf_counter() - begun)
        self._measure()
        if self._effects:
            self._effects.flush()
        if self._uncommitted >= self._settings.commit_events or time.monotonic() >= self._due:
            self.commit()

    def _replaced(self) -> bool:
        """Whether a topic was deleted and made again since its partitions were restored."""
        return any(
            (heard := self._subscription.identity(place.topic)) and heard != partition.identity
            for place, partition in self._view.partitions.items()
        )

    def _apply(self, batches: Mapping[Place, list[Any]]) -> None:
        for place, records in batches.items():
            partition = self._view.partitions[place]
            with self._view.lock:
                outcomes = partition.apply(records, self._refused, self._traced)
            self._uncommitted += outcomes.total()
            if self._effects:
                self._effects.touch(place.topic, partition.taken)
        if batches and all(partition.whole for partition in self._view.partitions.values()):
            self._health.met(RESTORED)

    def _refused(self, record: Any, refusal: Invalid) -> None:  # noqa: ANN401  the client's record
        self._letterbox.put(record, refusal)
        self._kinds[record.topic, refusal.kind] += 1

    def _traced(self, record: Any, event: Event) -> None:  # noqa: ANN401  the client's record
        parent = traceparent(record.headers)
        if not sampled(parent):
            return
        told = {
            "event.id": event.id,
            "messaging.kafka.offset": record.offset,
            "messaging.destination.name": record.topic,
        }
        with self._tracing.continued(f"apply {record.topic}", parent, SpanKind.CONSUMER, **told):
            pass

    def restore(self) -> bool:
        """Find the state of every assigned partition again; whether it was found."""
        places = sorted(self._subscription.assigned())
        if not places:
            return False
        self._health.wait_for(RESTORED, "partitions are being restored")
        try:
            self._letterbox.flush(FLUSH_SECONDS)
        except BrokerUnavailable as failure:
            log.warning("dead letters wait", extra={"cause": str(failure)})
            return False
        partitions = self._found(places)
        self._letterbox.look({place: (each.offset, each.letters) for place, each in partitions.items()})
        if not self._begun(partitions):
            return False
        for place, partition in partitions.items():
            self._subscription.seek(place, partition.read_from)
        with self._view.lock:
            self._view.partitions = partitions
        self._forget_uncommitted()
        self._figures.position.clear()
        if all(partition.whole for partition in partitions.values()):
            self._health.met(RESTORED)
        log.info(
            "restored",
            extra={"offsets": {f"{place.topic}-{place.partition}": each.offset for place, each in partitions.items()}},
        )
        return True

    def _found(self, places: list[Place]) -> dict[Place, Partition]:
        bounds = self._subscription.bounds(places)
        return {
            place: Partition.restored(
                place, self._subscription.committed(place), bounds[place], self._subscription.identity(place.topic)
            )
            for place in places
        }

    def _begun(self, partitions: Mapping[Place, Partition]) -> bool:
        """Commit the beginning of partitions that continue no note, so that a crash finds their dead letters."""
        new = {place: each.note(self._letterbox.ends) for place, each in partitions.items() if not each.noted}
        return not new or self._subscription.commit(new)

    def _forget_uncommitted(self) -> None:
        self._counted = {place: Counter(each.counts) for place, each in self._view.partitions.items()}
        self._kinds.clear()
        self._uncommitted = 0

    def commit(self) -> None:
        """Make what was applied durable, dead letters first; what cannot be is tried again later."""
        self._due = time.monotonic() + self._settings.commit_seconds
        if not self._uncommitted:
            return
        try:
            self._letterbox.flush(FLUSH_SECONDS)
        except BrokerUnavailable as failure:
            log.warning("dead letters wait", extra={"cause": str(failure)})
            return
        if self._effects and not self._effects.flush(now=True):
            return
        with self._view.lock:
            notes = self._notes()
        if self._subscription.commit(notes):
            self._count()
            self._uncommitted = 0

    def _notes(self) -> dict[Place, Committed]:
        return {
            place: each.note(self._letterbox.ends)
            for place, each in self._view.partitions.items()
            if each.counts != self._counted[place]
        }

    def _count(self) -> None:
        """Count what became durable."""
        for place, partition in self._view.partitions.items():
            for outcome, total in (partition.counts - self._counted[place]).items():
                self._figures.events.labels(place.topic, outcome).inc(total)
            self._counted[place] = Counter(partition.counts)
        for (topic, kind), number in self._kinds.items():
            self._figures.dead_letters.labels(topic, kind).inc(number)
        self._kinds.clear()

    def _measure(self) -> None:
        now = time.time()
        lag: Counter[str] = Counter(dict.fromkeys(EVENTS, 0))
        oldest = dict.fromkeys(EVENTS, 0.0)
        for place, partition in self._view.partitions.items():
            self._figures.position.labels(place.topic, place.partition).set(partition.offset)
            waiting = max((self._subscription.written(place) or 0) - partition.offset, 0)
            lag[place.topic] += waiting
            if waiting and partition.last_stamp:
                oldest[place.topic] = max(oldest[place.topic], now - partition.last_stamp)
        for topic in EVENTS:
            self._figures.lag.labels(topic).set(lag[topic])
            self._figures.staleness.labels(topic).set(oldest[topic])
