"""What the trainee works on in lab 02."""

from __future__ import annotations

from lab.checks import Exercises, Place

WORK = Exercises(
    "02",
    "02-pipelines",
    {
        "online-freshness": Place("Deployment", "speed", {"online_seconds": "TARMAC_ONLINE_SECONDS"}),
        "late-events": Place("Deployment", "pipelines", {"writes": "TARMAC_WRITES"}),
    },
)
