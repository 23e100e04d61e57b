"""Functions of on-demand features: one row at a time, plain arithmetic, None where an input is missing.

Training and serving call these very functions, so that a model never sees in production what it did not see before.
"""

import datetime as dt
import math

_MINUTE = 60


def departure_hour_sine(scheduled_departure: int | None) -> float | None:
    """Time of day of the scheduled departure (seconds since the epoch, UTC) on a circle: its sine."""
    return None if scheduled_departure is None else math.sin(_angle(scheduled_departure))


def departure_hour_cosine(scheduled_departure: int | None) -> float | None:
    """Time of day of the scheduled departure (seconds since the epoch, UTC) on a circle: its cosine."""
    return None if scheduled_departure is None else math.cos(_angle(scheduled_departure))


def departure_weekday(scheduled_departure: int | None) -> int | None:
    """Day of the week of the scheduled departure, UTC: 0 is Monday."""
    if scheduled_departure is None:
        return None
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=scheduled_departure)).weekday()


def origin_congestion(origin_departure_count_1h: int | None, origin_departure_count_24h: int | None) -> float | None:
    """Departures of the last hour against the mean hour of the last day; 1 is as usual."""
    if origin_departure_count_1h is None or not origin_departure_count_24h:
        return None
    return origin_departure_count_1h * 24 / origin_departure_count_24h


def turn_minutes(scheduled_departure: int | None, tail_last_arrival_at: int | None) -> float | None:
    """Minutes between the plane's last arrival and its scheduled departure; negative: it has yet to come."""
    if scheduled_departure is None or tail_last_arrival_at is None:
        return None
    return (scheduled_departure - tail_last_arrival_at) / _MINUTE


def _angle(seconds: int) -> float:
    return 2 * math.pi * (seconds % 86400) / 86400
