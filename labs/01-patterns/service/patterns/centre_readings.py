"""The centre's reading of topic lab-01.edge: at every start it builds its ledger again from what the topic holds.

The committed place says only how far the group is, for those who look at its lag. The truth is the topic, which keeps a
week: a minute of reading at most.
"""

import logging
import time

from prometheus_client import CollectorRegistry, Counter

from patterns.broker import Reader, Record
from patterns.centre_ledger import Ledger
from patterns.edge_site import TOPIC, Reading
from runtime.errors import Temporary
from runtime.health import Health
from runtime.process import Stop

log = logging.getLogger(__name__)

GROUP = "lab-01-centre"

_COMMIT_SECONDS = 1.0
_WAIT = 0.3  # seconds that a poll waits for records
_CAUGHT_UP = 200  # a poll that brings fewer has come to the end


class Readings:
    """Applies what the sites send, until asked to stop.

    Args:
        ledger: takes the readings.
    """

    def __init__(self, servers: str, stop: Stop, ledger: Ledger, health: Health, registry: CollectorRegistry) -> None:
        self._servers = servers
        self._stop = stop
        self._ledger = ledger
        self._health = health
        self._outcomes = Counter(
            "lab_centre_readings", "Readings by site and by what came of them.", ["site", "outcome"], registry=registry
        )
        self._uncommitted = False
        self._due = 0.0

    def run(self) -> None:
        """Read until asked to stop; a broker that is away is waited for."""
        while not self._stop:
            try:
                self._read()
            except Temporary as failure:
                log.warning("readings cannot be read", extra={"cause": failure.what})
                self._health.beat("readings")
                self._stop.wait(failure.delay)

    def _read(self) -> None:
        reader = Reader(self._servers, [TOPIC], self._stop, GROUP, alone=True)
        try:
            reader.seek_to_beginning()
            while not self._stop:
                records = reader.poll(_WAIT)
                self._health.beat("readings")
                for record in records:
                    self.apply(record)
                if len(records) < _CAUGHT_UP:
                    self._health.met("readings")
                self._uncommitted = self._uncommitted or bool(records)
                self._commit(reader)
        finally:
            reader.close()

    def apply(self, record: Record) -> None:
        """Take one record into account; one that is no reading is left out, and counted."""
        try:
            reading = Reading.decoded(record.value)
            outcome = self._ledger.apply(reading)
        except (ValueError, TypeError):
            log.warning("no reading", extra={"partition": record.partition, "offset": record.offset})
            self._outcomes.labels("unknown", "refused").inc()
            return
        self._outcomes.labels(reading.site, outcome).inc()

    def _commit(self, reader: Reader) -> None:
        if self._uncommitted and time.monotonic() >= self._due:
            reader.commit()
            self._uncommitted, self._due = False, time.monotonic() + _COMMIT_SECONDS
