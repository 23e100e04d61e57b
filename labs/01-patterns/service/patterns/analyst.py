"""The analyst: punctuality three ways, Lambda and Kappa, and the journal of bookings.

GET  /punctuality/UA                  the year's months of one airline
POST /experiments/processing-modes    } run the experiment; the answer is its result
POST /experiments/lambda-kappa        }
POST /experiments/event-sourcing      }
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from patterns import lake
from patterns.desk import Desk
from patterns.journal_experiment import JournalExperiment, configure
from patterns.layers import Layers
from patterns.modes_experiment import processing_modes
from patterns.punctuality import Table
from runtime.errors import ServiceError, Temporary
from runtime.role import Role
from runtime.settings import ServiceSettings, between, choice
from runtime.web import Answer

log = logging.getLogger(__name__)

_NIGHT = 20.0  # seconds after the start: the pass takes a core for seconds, which the lab's other pods start with
_SAMPLE_EVERY = 40  # of the year's 327,346 arrivals: about 8,180, two megabytes


@dataclass(frozen=True, kw_only=True)
class AnalystSettings(ServiceSettings):
    """What the analyst can be told."""

    data: str = lake.DATA
    """The packed file with the year's events."""

    window_seconds: float = between(2, 0.1, 3600)
    """Seconds of events that one micro-batch takes together."""

    batch_on_time_minutes: int = between(15, 0, 240)
    """Lambda's batch layer: greatest delay that still counts as on time."""

    speed_on_time_minutes: int = between(15, 0, 240)
    """Lambda's speed layer, and Kappa: greatest delay that still counts as on time."""

    journal_cleanup: str = choice("delete", "delete", "compact")
    """What Kafka does with old records of the journal."""

    journal_retention_ms: int = between(-1, -1)
    """Milliseconds after which they may go; -1: never."""


class Analyst:
    """Answers the analyst's questions and runs its experiments."""

    def __init__(self, role: Role[AnalystSettings]) -> None:
        self._settings = role.settings
        self._stop = role.stop
        self._lake = lake.Lake(Path(role.settings.data))
        self._reading = threading.Lock()
        self._year: tuple[Table, list[bytes]] | None = None
        self.desk = Desk(
            "analyst",
            {
                "processing-modes": self._processing_modes,
                "lambda-kappa": self._lambda_kappa,
                "event-sourcing": self._event_sourcing,
            },
        )

    def punctuality(self, path: tuple[str, ...]) -> Answer:
        """GET /punctuality/CARRIER."""
        if len(path) != 1:
            return HTTPStatus.NOT_FOUND, {"error": "name one airline: /punctuality/UA"}
        table, _ = self._whole_year()
        carrier = path[0].upper()
        months = table.of(carrier)
        if not months:
            known = sorted({key.carrier for key in table.cells})
            return HTTPStatus.NOT_FOUND, {"error": f"no arrival of airline {carrier}", "known": known}
        return HTTPStatus.OK, {"carrier": carrier, "on_time_minutes": table.on_time_minutes, "months": months}

    def _processing_modes(self) -> dict[str, Any]:
        _, sample = self._whole_year()
        return processing_modes(self._settings.kafka, self._stop, sample, self._settings.window_seconds)

    def _lambda_kappa(self) -> dict[str, Any]:
        _, sample = self._whole_year()
        given = self._settings
        layers = Layers(given.kafka, self._stop, given.batch_on_time_minutes, given.speed_on_time_minutes)
        return layers.experiment(sample)

    def _event_sourcing(self) -> dict[str, Any]:
        given = self._settings
        run = JournalExperiment(given.kafka, self._stop, given.journal_cleanup, given.journal_retention_ms)
        try:
            return run.experiment()
        finally:
            run.close()

    def read_the_year(self) -> None:
        """The nightly batch: whoever asks later does not wait for the pass over the file."""
        try:
            self._whole_year()
        except ServiceError as failure:
            log.warning("the year cannot be read; it is tried again when asked for", extra={"cause": failure.what})

    def _whole_year(self) -> tuple[Table, list[bytes]]:
        """The year's punctuality and a sample of its arrivals, from one pass over the file."""
        with self._reading:
            if self._year is None:
                table, sample = Table(), []
                for number, (line, event) in enumerate(self._lake.arrivals()):
                    table.add(event)
                    if number % _SAMPLE_EVERY == 0:
                        sample.append(line)
                self._year = table, sample
            return self._year


def main(env: Mapping[str, str]) -> None:
    """Run the analyst until it is asked to end."""
    with Role("lab-01-analyst", AnalystSettings, env) as role:
        analyst = Analyst(role)
        role.health.wait_for("journal", "topic lab-01.journal has not got its configuration yet")
        role.serve(questions={"punctuality": analyst.punctuality}, orders={"experiments": analyst.desk.answer})
        _configure_journal(role)
        role.health.met("journal")
        if not role.stop.wait(_NIGHT):
            threading.Thread(target=analyst.read_the_year, name="nightly", daemon=True).start()
        while not role.stop.wait(60):
            pass


def _configure_journal(role: Role[AnalystSettings]) -> None:
    """The topic's configuration is this role's: tried until the broker takes it."""
    given = role.settings
    while not role.stop:
        try:
            return configure(given.kafka, role.stop, given.journal_cleanup, given.journal_retention_ms)
        except Temporary as failure:
            log.warning("the journal has no configuration yet", extra={"cause": failure.what})
            role.stop.wait(failure.delay)
    return None
