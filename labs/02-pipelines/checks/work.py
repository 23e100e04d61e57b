"""What the trainee works on in lab 02."""

from __future__ import annotations

from lab.checks import Exercises, Place


def _pipelines(**variables: str) -> Place:
    return Place("Deployment", "pipelines", variables)


WORK = Exercises(
    "02",
    "02-pipelines",
    {
        "online-freshness": Place("Deployment", "speed", {"online_seconds": "TARMAC_ONLINE_SECONDS"}),
        "late-events": _pipelines(writes="TARMAC_WRITES"),
        "serving-view": _pipelines(serving="TARMAC_SERVING", handover="TARMAC_HANDOVER"),
        "point-in-time": _pipelines(join="TARMAC_JOIN"),
        "leakage": _pipelines(extra_columns="TARMAC_EXTRA_COLUMNS"),
        "time-travel": _pipelines(kept_hours="TARMAC_KEPT_HOURS"),
        "data-versions": _pipelines(dvc_push="TARMAC_DVC_PUSH", rebuild="TARMAC_REBUILD"),
        "schema-evolution": _pipelines(schema_mode="TARMAC_SCHEMA_MODE"),
        "etl-elt": _pipelines(transform="TARMAC_TRANSFORM"),
        "quality-monitors": _pipelines(monitors="TARMAC_MONITORS"),
        "data-contract": _pipelines(
            weather_drop="TARMAC_WEATHER_DROP",
            weather_add="TARMAC_WEATHER_ADD",
            freshness_seconds="TARMAC_FRESHNESS_SECONDS",
        ),
    },
)
