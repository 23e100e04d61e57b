"""What a new version of a data product does to those who read it, and whether its promise is worth something to them.

The owner of the weather wants to publish version 2. The change is made to a copy of the definitions, and to a copy of
the product's table in the scratch lake; then each consumer reads from both what it has always read. How fresh the
product really is comes from the flights: how old the newest reading was when each of them left.
"""

import statistics
from collections.abc import Iterable
from typing import Any

import polars as pl

from contracts.views import Definitions, Field, View
from contracts.views_flights import DEFINITIONS
from contracts.views_flights import WEATHER as VIEW
from lake import offline
from lake.store import Lake, Origin
from pipelines import products
from pipelines.products import Break, Change
from pipelines.stage import Stage
from runtime.errors import BadSetting
from runtime.figures import Result, percentile, row, timed

PRODUCT = VIEW.tags[products.PRODUCT]
TABLE = f"data-contract/{VIEW.name}"
NONE = "none"
"""How a setting says that there is nothing: Kubernetes forgets a variable's empty value."""
_OLD, _FLIGHTS = offline.table(VIEW), "silver/flights"
_KINDS = ("int64", "int32", "float64", "float32", "string")
"""Types that the lake's tables of features have."""
_PROMISES = (900, 1800, 3600, 7200, 21600, 86400)
_TIMES = 5


def data_contract(stage: Stage) -> Result:
    """Publish the product's next version into a copy, and see what its consumers still get.

    Raises:
        BadSetting: a feature to drop is not there, or one to add cannot be.
    """
    settings, lake = stage.settings, stage.lake()
    change = asked(settings.weather_drop, settings.weather_add)
    after = products.published(change, settings.freshness_seconds)
    copied(lake, after)
    seconds = {name: [_read(lake, name) for _ in range(_TIMES)] for name in (_OLD, TABLE)}
    ages = reading_ages(lake)
    oldest = percentile(ages, 0.95)
    return {
        "settings": {
            "weather_drop": settings.weather_drop,
            "weather_add": settings.weather_add,
            "freshness_seconds": settings.freshness_seconds,
        },
        **told(change, after),
        "consumers": {name: kept(lake, name, after) for name in products.products()[PRODUCT].consumers},
        "freshness": fresh(ages, settings.freshness_seconds),
        "figures": [
            row(f"weather, version {number}", "weather", seconds=seconds[name], staleness=oldest)
            for number, name in ((1, _OLD), (2, TABLE))
        ],
    }


def asked(drop: str, add: str, view: View = VIEW, definitions: Definitions = DEFINITIONS) -> Change:
    """The change that the settings describe.

    Args:
        drop: features that are to go, separated by commas.
        add: `name:type` of features that are to come.
        view: the view that it is about.
        definitions: all definitions: a feature's name is its own in all views.

    Raises:
        BadSetting: a feature to drop is not there, or one to add cannot be.
    """
    own = dict(view.columns)
    gone = tuple(_listed(drop))
    for name in gone:
        if name not in own:
            raise BadSetting(
                f"environment variable TARMAC_WEATHER_DROP: product {PRODUCT} has no feature {name}",
                f"give it some of {', '.join(own)}, or {NONE}",
            )
    others = {name for each in definitions.views if each.name != view.name for name, _ in each.columns}
    return Change(view.name, gone, tuple(_added(text, others) for text in _listed(add)))


def _listed(text: str) -> Iterable[str]:
    return [each.strip() for each in text.split(",") if each.strip() not in ("", NONE)]


def _added(text: str, others: Iterable[str]) -> Field:
    name, _, kind = (part.strip() for part in text.partition(":"))
    if not name.isidentifier() or kind not in _KINDS:
        raise BadSetting(
            f"environment variable TARMAC_WEATHER_ADD: {text!r} is no name:type",
            f"give it such as weather_feels:float64; types are {', '.join(_KINDS)}",
        )
    if name in others:
        raise BadSetting(
            f"environment variable TARMAC_WEATHER_ADD: another view has a feature {name}",
            "give the new feature a name of its own",
        )
    return Field(name, kind, "new in this version")


def told(change: Change, after: Definitions, before: Definitions = DEFINITIONS) -> dict[str, Any]:
    """What the definitions alone say of a change."""
    old, new = before.stored(change.view), after.stored(change.view)
    breaks = products.broken(products.products(before)[PRODUCT], change, before)
    return {
        "dropped": [name for name, _ in old.columns if name not in dict(new.columns)],
        "added": [name for name, _ in new.columns if name not in dict(old.columns)],
        "broken": [each._asdict() for each in breaks],
        "refused": _refusal(breaks),
        "unread": [name for name, _ in old.columns if not products.readers(f"{old.name}:{name}", before)],
        "slips_in": slips_in(new, before),
        "fingerprint_before": before.fingerprint()[:16],
        "fingerprint_after": after.fingerprint()[:16],
    }


def _refusal(breaks: Iterable[Break]) -> str | None:
    """What `feature apply` would say; None where it would go ahead."""
    lines = [
        f"{each.consumer} reads {each.feature}, which would "
        + ("go" if each.becomes is None else f"turn from {each.kind} into {each.becomes}")
        for each in breaks
    ]
    return f"feature services would break: {'; '.join(lines)}" if lines else None


def slips_in(new: View, before: Definitions = DEFINITIONS) -> dict[str, list[str]]:
    """Consumer -> features that it would get unasked, as it names all of the view and not each of its features."""
    names = {f"{new.name}:{name}" for name, _ in new.columns if name not in dict(before.stored(new.name).columns)}
    return {each.name: sorted(names) for each in before.services if names and new.name in each.features}


def copied(lake: Lake, after: Definitions) -> None:
    """Write the product's table as its next version has it; what is new is empty until the owner's code fills it."""
    view = after.stored(VIEW.name)
    held = lake.scan(_OLD)
    there = held.collect_schema().names()
    new = [pl.lit(None).alias(name) for name, _ in view.columns if name not in there]
    rows = lake.collect(TABLE, offline.shaped(view, held.with_columns(new)))
    origin = Origin((lake.reference(_OLD),), after.fingerprint())
    lake.write(TABLE, rows, origin, partition="date", about=f"{view.description}, next version")


def kept(lake: Lake, consumer: str, after: Definitions, before: Definitions = DEFINITIONS) -> dict[str, Any]:
    """Whether a consumer still gets the same columns: by the definitions in their order, and by the stored rows."""
    had = before.features_of(before.service(consumer))
    has = after.features_of(after.service(consumer))
    own = [name for view, _, name in (each.partition(":") for each in had) if view == VIEW.name]
    rows = lake.collect(_OLD, _columns(lake, _OLD, own))
    same = had == has and _same(lake, rows, own)
    return {"columns_before": len(had), "columns_after": len(has), "rows": rows.height, "same_columns": same}


def _same(lake: Lake, rows: pl.DataFrame, names: Iterable[str]) -> bool:
    """Whether the next version's table gives these rows; an equal value of another type is not the same."""
    if not set(names) <= set(lake.scan(TABLE).collect_schema().names()):
        return False
    new = lake.collect(TABLE, _columns(lake, TABLE, names))
    return new.schema == rows.schema and new.equals(rows)


def _columns(lake: Lake, table: str, names: Iterable[str]) -> pl.LazyFrame:
    keys = (*VIEW.entities, offline.STAMP)
    return lake.scan(table).select(*keys, *names).sort(keys)


def _read(lake: Lake, table: str) -> float:
    """Seconds that it takes to read a version's table."""
    return timed(lambda: lake.collect(table, lake.scan(table)))[0]


def reading_ages(lake: Lake) -> list[float]:
    """For each flight, how many seconds old the newest reading at its origin was when it left; endless without one."""
    age = (pl.col("departed") - pl.col("weather_time")).dt.total_seconds().cast(pl.Float64)
    rows = lake.collect(_FLIGHTS, lake.scan(_FLIGHTS).select(age=age.fill_null(float("inf"))))
    return rows.get_column("age").to_list()


def fresh(ages: list[float], promised: int) -> dict[str, Any]:
    """What the product promises, what its readers need, and which share of the flights would have found it kept."""
    needed = products.products()[PRODUCT].needed_seconds
    return {
        "promised": promised,
        "needed": needed,
        "ttl": VIEW.ttl,
        "departures": len(ages),
        "kept": _share(ages, promised),
        "kept_by_promise": {str(seconds): _share(ages, seconds) for seconds in _PROMISES},
    }


def _share(ages: list[float], promised: int) -> float | None:
    return round(statistics.fmean(age <= promised for age in ages), 4) if ages else None
