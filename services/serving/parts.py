"""The parts that a server has only where it is told to: what answers about flights, and the journal."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from runtime.errors import BadSetting
from runtime.process import Stop
from serving.figures import JournalFigures, LookupFigures
from serving.flights.lookup import Lookup
from serving.flights.people import People
from serving.flights.timetable import Timetable
from serving.inference.journal import Journal, Sends
from serving.settings import ServeSettings


def written(settings: ServeSettings, registry: CollectorRegistry) -> Journal | None:
    """The journal of predictions; None where no broker is named."""
    if not settings.kafka:
        return None

    def connect(stop: Stop) -> Sends:
        # Imported here: a server without a journal goes without Kafka's client.
        from runtime.broker import Publisher  # noqa: PLC0415

        return Publisher(settings.kafka, stop)

    made = Journal(connect, settings.track, settings.log_ratio, settings.log_room)
    JournalFigures(made, registry)
    return made


def people(settings: ServeSettings, kept: Journal | None, registry: CollectorRegistry) -> People:
    """What answers about flights; it refuses where no feature service is named.

    Raises:
        BadSetting: the address or the timetable is none.
    """
    if not settings.feature:
        return People()
    if not settings.feature.startswith(("http://", "https://")):
        told = f"environment variable TARMAC_FEATURE={settings.feature!r} is no address"
        raise BadSetting(told, "give it one such as http://feature.chain.svc:6566")
    timetable = Timetable.load(Path(settings.timetable)) if settings.timetable else None
    return People(Lookup(settings.feature, settings.feature_seconds, LookupFigures(registry)), timetable, kept)
