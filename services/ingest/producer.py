"""The producer: sends what is missing of the plan, in event time at a speed-up; the log tells it where it is."""

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

from contracts.topics import EVENTS
from ingest import resume
from ingest.figures import ProducerFigures
from ingest.replay import Planned, Replay
from ingest.resume import Shares
from ingest.settings import ProducerSettings
from runtime.broker import Publisher
from runtime.health import Health
from runtime.process import Stop
from runtime.tracing import Tracing
from runtime.web import Answer

log = logging.getLogger(__name__)

RESUMED = "place"
_LEEWAY = 0.02  # seconds that an event may be sent early, so that a busy minute does not wake the process for each one
_LINGER = 500
"""Milliseconds. At the usual pace an event comes every 75 ms: sent one by one, each would wake broker and readers."""
_LOOK_SECONDS = 0.2


class Progress:
    """How far the replay is; safe to ask from several threads.

    Args:
        total: events in all; None: no end.
    """

    def __init__(self, total: int | None) -> None:
        self._total = total
        self.sent = 0
        self.time: float | None = None
        """Event time of the newest event sent, seconds since the epoch."""
        self.done = False

    def position(self, _path: tuple[str, ...] = ()) -> Answer:
        """`/position`."""
        time = None if self.time is None else dt.datetime.fromtimestamp(self.time, dt.UTC).isoformat()
        return HTTPStatus.OK, {"sent": self.sent, "all": self._total, "time": time, "done": self.done}


class Timetable:
    """When each event is due: event time since the first one sent in its turn, divided by the speed-up.

    Args:
        speedup: seconds of event time per second; 0: everything is due at once.
        reached: place that the replay had come to: what is missing before it was due long ago.
    """

    def __init__(self, speedup: float, reached: int = -1, clock: Callable[[], float] = time.monotonic) -> None:
        self._speedup = speedup
        self._reached = reached
        self._clock = clock
        self._begun: tuple[float, float] | None = None

    def wait(self, planned: Planned) -> float:
        """Seconds until an event is due; negative: since it was."""
        if not self._speedup or planned.place <= self._reached:
            return 0.0
        now = self._clock()
        begun, first = self._begun = self._begun or (now, planned.time)
        return begun + (planned.time - first) / self._speedup - now


class TopicReplaced(Exception):
    """An event topic was deleted and made again while the replay ran."""


class Producer:
    """Sends what is missing.

    Args:
        settings: speed-up.
        replay: the plan.
        figures: what it measures.
        progress: what it tells.
    """

    def __init__(  # noqa: PLR0913, PLR0917  the parts of the producer meet here
        self,
        settings: ProducerSettings,
        replay: Replay,
        figures: ProducerFigures,
        progress: Progress,
        health: Health,
        tracing: Tracing,
    ) -> None:
        self._settings = settings
        self._replay = replay
        self._figures = figures
        self._progress = progress
        self._health = health
        self._tracing = tracing
        self._looked = 0.0
        self._identities: dict[str, str] = {}
        self._replaced: set[str] = set()
        """Topics that were made anew since the process began."""
        self._place = -1
        """Of the newest event handed over."""
        self._told: Counter[str] = Counter()
        self._numbers: Counter[tuple[str, int]] = Counter()
        health.wait_for(RESUMED, "the place in the replay is being looked for")

    def run(self, stop: Stop) -> None:
        """Send until all is sent or the process is asked to stop; what a topic that was made anew has lost, again."""
        while not stop:
            publisher = Publisher(self._settings.kafka, stop, _LINGER)
            try:
                self._replay_into(publisher, stop)
            except TopicReplaced as replaced:
                log.warning("a topic was made anew; what it held is sent again", extra={"topic": str(replaced)})
                publisher.close(0)
            else:
                publisher.close(self._settings.drain_seconds)
                return

    def _replay_into(self, publisher: Publisher, stop: Stop) -> None:
        self._health.beat("producer")
        for topic in EVENTS:
            publisher.partitions(topic)
        self._told, self._numbers = Counter(), Counter()
        known, self._identities = self._identities, {topic: publisher.topic_identity(topic) for topic in EVENTS}
        self._replaced |= {topic for topic, identity in known.items() if identity not in ("", self._identities[topic])}
        shares = resume.find(self._settings.kafka, EVENTS, stop, self._replaced)
        self._send_all(publisher, shares, stop)
        if stop:
            return
        self._finish(publisher)
        while not self._settings.exit_when_done and not stop.wait(_LOOK_SECONDS):
            self._look(publisher)

    def _send_all(self, publisher: Publisher, shares: Shares, stop: Stop) -> None:
        # The log alone tells the place some hundred events late; one without any place in it begins the replay anew.
        told = shares.reached()
        self._place = max(told, self._place) if told >= 0 else -1
        timetable = Timetable(self._settings.speedup, self._place)
        floor, resumed = shares.floor(), False
        self._progress.sent, self._progress.done = self._replay.before(floor), False
        for planned in self._replay.plan(floor):
            if shares.missing(planned):
                if not resumed:
                    self._health.met(RESUMED)
                    resumed = True
                if not self._on_time(publisher, timetable, planned, stop):
                    return
                self._send(publisher, shares, planned)
                self._place = max(self._place, planned.place)
            self._progress.sent += 1
            self._progress.time = planned.time
            if not self._progress.sent % 256:
                self._look(publisher)

    def _on_time(self, publisher: Publisher, timetable: Timetable, planned: Planned, stop: Stop) -> bool:
        """Wait until an event is due; False once asked to stop."""
        if self._settings.speedup:
            while (wait := timetable.wait(planned)) > _LEEWAY and not stop.wait(min(wait, _LOOK_SECONDS)):
                self._look(publisher)
            self._figures.behind.set(max(-wait, 0.0))
        return not stop

    def _look(self, publisher: Publisher) -> None:
        """Beat, and notice topics that were made anew; costs next to nothing when called often."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        self._health.beat("producer")
        publisher.check()
        self._figures.acknowledged(publisher.acknowledged, self._told)
        for topic, identity in self._identities.items():
            if (heard := publisher.topic_identity(topic)) and heard != identity:
                raise TopicReplaced(topic)

    def _send(self, publisher: Publisher, shares: Shares, planned: Planned) -> None:
        topic, key = planned.topic, planned.key
        number = shares.partition(topic, key)
        nth = self._numbers[topic, number]
        self._numbers[topic, number] = nth + 1
        headers = [] if nth % resume.EVERY else [resume.header(planned.place)]
        if self._tracing.drawn():
            with self._tracing.root(f"send {topic}", **{"event.place": planned.place}) as context:
                publisher.send(topic, planned.value, key.encode(), headers + context, number)
        else:
            publisher.send(topic, planned.value, key.encode(), headers, number)

    def _finish(self, publisher: Publisher) -> None:
        publisher.flush()
        self._figures.acknowledged(publisher.acknowledged, self._told)
        self._health.met(RESUMED)
        self._progress.done = True
        log.info("all events are sent", extra={"events": self._progress.sent})
