"""How long an event takes from the log to the online store, through the lab's own speed layer."""

import datetime as dt
import time
from typing import Any

from contracts import WeatherRead, encode
from contracts.layout import decode_time, entity_key, nanos_of, time_field
from contracts.topics import WEATHER
from contracts.views_flights import PROJECT
from contracts.views_flights import WEATHER as VIEW
from pipelines.stage import SPEED, Stage
from runtime.errors import Temporary
from runtime.figures import Result, percentile, rounded, row, wait_for
from runtime.peer import Peer

STATION = "ZZY"
"""A station that the data set does not have."""
_EVENTS, _PACE, _PATIENCE = 15, 0.35, 20.0


class SpeedSilent(Temporary):
    """The speed layer's rows do not come."""


def online_freshness(stage: Stage) -> Result:
    """Send readings, one after the other, and see when the online store has each.

    Raises:
        PeerFailure: the speed layer does not answer.
        SpeedSilent: a reading does not come.
    """
    settings = _settings(stage)
    key, field = entity_key(PROJECT, {"origin": ("string", STATION)}), time_field(VIEW.name)
    sent: list[tuple[int, float]] = []
    seen: dict[int, float] = {}
    with stage.online(SPEED) as online, stage.publisher() as publisher:

        def look() -> bool | None:
            held = online.hget(key, field)
            newest = decode_time(held) if held else 0
            for nanos, _ in sent:
                if nanos <= newest:
                    seen.setdefault(nanos, time.monotonic())
            return True if len(seen) == _EVENTS else None

        for number in range(_EVENTS):
            reading = _reading(number)
            publisher.send(WEATHER, encode(reading), STATION.encode(), [])
            sent.append((nanos_of(reading.time), time.monotonic()))
            wait_for(look, _PACE, stage.stop, step=0.01)
        if not wait_for(look, _PATIENCE, stage.stop, step=0.01):
            raise SpeedSilent(
                f"{_EVENTS - len(seen)} of {_EVENTS} readings did not come to the online store in {_PATIENCE:.0f} s",
                "read `lab kubectl logs -n lab-02 deploy/speed`",
            )
    seconds = [seen[nanos] - begun for nanos, begun in sent]
    return {
        "settings": settings,
        "events": _EVENTS,
        "seconds_p50": rounded(percentile(seconds, 0.5)),
        "seconds_p95": rounded(percentile(seconds, 0.95)),
        "figures": [row("speed layer", "recommendation", seconds=seconds, staleness=percentile(seconds, 0.95))],
    }


def _settings(stage: Stage) -> dict[str, Any]:
    """What the speed layer runs with, as it says itself."""
    told = Peer(stage.settings.speed).get("/settings", 5)
    return {name: told[name] for name in ("online_seconds",)}


def _reading(number: int) -> WeatherRead:
    now = dt.datetime.now(dt.UTC)
    identity = f"wx-{STATION}-{now:%y%m%d%H%M%S%f}"
    return WeatherRead(id=identity, time=now, station=STATION, temp=float(number))
