"""The project's features of flights.

Views of delays follow `contracts.features`: one per side (departure, arrival) and kind of key (origin, carrier, route),
each with number and mean over each window. Names of features are unique over all views, so that no client needs the
long form `view__feature`.
"""

from contracts import views_ondemand as compute
from contracts.features import FEATURES, SIDES, WINDOWS, Feature
from contracts.views import BATCH, DAY, STREAM, Definitions, Entity, Field, OnDemand, Service, View

PROJECT = "tarmac"
_SIDE_OF = {topic: side for side, topic in SIDES.items()}

ENTITIES = (
    Entity("origin", "string", "airport of departure, IATA code"),
    Entity("route", "string", "origin and destination, e.g. JFK-LAX"),
    Entity("carrier", "string", "airline, IATA code"),
    Entity("tailnum", "string", "registration of the plane"),
)


def _delay_fields(side: str, kind: str) -> tuple[Field, ...]:
    return tuple(
        each
        for window in WINDOWS
        for each in (
            Field(
                f"{kind}_{side}_count_{window}", "int64", f"{side}s of the {kind} in the last {window} of event time"
            ),
            Field(f"{kind}_{side}_mean_{window}", "float64", "their mean delay in minutes; null where there were none"),
        )
    )


def _delays(feature: Feature) -> View:
    side = _SIDE_OF[feature.topic]
    return View(
        name=feature.name,
        entities=(feature.kind,),
        features=_delay_fields(side, feature.kind),
        ttl=2 * DAY,
        source=STREAM,
        owner="flights",
        description=feature.meaning,
        tags={"product": "flights", "topic": feature.topic},
    )


DELAYS = tuple(_delays(feature) for feature in FEATURES)

WEATHER = View(
    name="weather_by_origin",
    entities=("origin",),
    features=(
        Field("weather_temp", "float64", "degrees Fahrenheit"),
        Field("weather_dewp", "float64", "dew point, degrees Fahrenheit"),
        Field("weather_humid", "float64", "relative humidity, percent"),
        Field("weather_wind_dir", "int64", "degrees"),
        Field("weather_wind_speed", "float64", "miles per hour"),
        Field("weather_wind_gust", "float64", "miles per hour"),
        Field("weather_precip", "float64", "inches"),
        Field("weather_pressure", "float64", "millibars"),
        Field("weather_visib", "float64", "miles"),
    ),
    ttl=6 * 3600,
    source=STREAM,
    owner="weather",
    description="the newest reading of the station at the origin",
    tags={"product": "weather", "topic": "weather.read.v1"},
)


def _punctuality(kind: str) -> View:
    return View(
        name=f"punctuality_30d_by_{kind}",
        entities=(kind,),
        features=(
            Field(f"{kind}_flights_30d", "int64", "arrivals in the 30 days before the day of the event time"),
            Field(f"{kind}_on_time_30d", "float64", "share of them at most 15 minutes late"),
            Field(f"{kind}_arrival_mean_30d", "float64", "their mean arrival delay in minutes"),
        ),
        ttl=40 * DAY,
        source=BATCH,
        owner="flights",
        description=f"punctuality of a {kind} over 30 days, made once a day",
        tags={"product": "flights"},
    )


PUNCTUALITY = tuple(_punctuality(kind) for kind in ("route", "carrier"))

TURN = View(
    name="turn_by_tailnum",
    entities=("tailnum",),
    features=(
        Field("tail_last_arrival_at", "int64", "the plane's last arrival, seconds since the epoch"),
        Field("tail_last_arrival_delay", "int64", "how late that was, in minutes"),
        Field("tail_median_turn_30d", "float64", "median minutes on the ground between two flights, over 30 days"),
    ),
    ttl=40 * DAY,
    source=BATCH,
    owner="flights",
    description="how a plane turns around",
    tags={"product": "flights"},
)

SCHEDULED = Field("scheduled_departure", "int64", "when the flight should leave, seconds since the epoch")

AT_DEPARTURE = OnDemand(
    name="at_departure",
    features=(
        (Field("departure_hour_sine", "float64", "time of day on a circle: sine"), compute.departure_hour_sine),
        (Field("departure_hour_cosine", "float64", "time of day on a circle: cosine"), compute.departure_hour_cosine),
        (Field("departure_weekday", "int64", "0 is Monday"), compute.departure_weekday),
        (
            Field("origin_congestion", "float64", "departures of the last hour, 1 is as usual"),
            compute.origin_congestion,
        ),
    ),
    inputs=(
        "departure_delay_by_origin:origin_departure_count_1h",
        "departure_delay_by_origin:origin_departure_count_24h",
    ),
    request=(SCHEDULED,),
    owner="flights",
    description="what is known once the scheduled departure is",
)

TURN_AROUND = OnDemand(
    name="turn_around",
    features=((Field("turn_minutes", "float64", "minutes between arrival and departure"), compute.turn_minutes),),
    inputs=("turn_by_tailnum:tail_last_arrival_at",),
    request=(SCHEDULED,),
    owner="flights",
    description="how long the plane has to turn around",
)


def _listed(view: str, *features: str) -> tuple[str, ...]:
    return tuple(f"{view}:{name}" for name in features)


def _rolling(side: str, kind: str) -> tuple[str, ...]:
    names = [f"{kind}_{side}_{what}_{window}" for window in ("1h", "3h", "24h") for what in ("count", "mean")]
    return _listed(f"{side}_delay_by_{kind}", *names)


# A published service names each of its features: whatever a view gains later must not slip into a model of before.
DELAY_V1 = Service(
    name="delay_v1",
    features=(
        *_rolling("departure", "origin"),
        *_rolling("departure", "carrier"),
        *_rolling("departure", "route"),
        *_listed(
            "at_departure",
            "departure_hour_sine",
            "departure_hour_cosine",
            "departure_weekday",
            "origin_congestion",
        ),
    ),
    owner="models",
    description="departure delay, first version: rolling delays and time of day",
    tags={"model": "delay", "version": "1"},
)

DELAY_V2 = Service(
    name="delay_v2",
    features=(
        *DELAY_V1.features,
        *_rolling("arrival", "origin"),
        *_listed(
            "weather_by_origin",
            "weather_temp",
            "weather_dewp",
            "weather_humid",
            "weather_wind_dir",
            "weather_wind_speed",
            "weather_wind_gust",
            "weather_precip",
            "weather_pressure",
            "weather_visib",
        ),
        *_listed("punctuality_30d_by_route", "route_flights_30d", "route_on_time_30d", "route_arrival_mean_30d"),
        *_listed(
            "punctuality_30d_by_carrier", "carrier_flights_30d", "carrier_on_time_30d", "carrier_arrival_mean_30d"
        ),
        *_listed("turn_by_tailnum", "tail_last_arrival_at", "tail_last_arrival_delay", "tail_median_turn_30d"),
        *_listed("turn_around", "turn_minutes"),
    ),
    owner="models",
    description="departure delay, second version: weather, punctuality and turn-around as well",
    tags={"model": "delay", "version": "2"},
)

DEFINITIONS = Definitions(
    project=PROJECT,
    entities=ENTITIES,
    views=(*DELAYS, WEATHER, *PUNCTUALITY, TURN),
    on_demand=(AT_DEPARTURE, TURN_AROUND),
    services=(DELAY_V1, DELAY_V2),
)
