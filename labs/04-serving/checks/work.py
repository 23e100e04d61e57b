"""What the trainee works on in lab 04."""

from __future__ import annotations

from lab.checks import Exercises, Place


def _trials(**variables: str) -> Place:
    return Place("Deployment", "trials", variables)


def _server(**variables: str) -> Place:
    return Place("Deployment", "server", variables)


WORK = Exercises(
    "04",
    "04-serving",
    {
        "model-aliases": _trials(reference="TARMAC_REFERENCE"),
        "several-models": _server(models_limit="TARMAC_MODELS_LIMIT"),
        "dynamic-batching": _server(batch_rows="TARMAC_BATCH_ROWS"),
        "prediction-cache": _trials(cache_fields="TARMAC_CACHE_FIELDS"),
        "session-threads": _server(threads="TARMAC_THREADS"),
        "connection-reuse": _trials(connections="TARMAC_CONNECTIONS", tensors="TARMAC_TENSORS"),
        "quantised-model": _trials(variant="TARMAC_VARIANT"),
        "sync-async": _trials(pushback="TARMAC_PUSHBACK", rebooking="TARMAC_REBOOKING", report="TARMAC_REPORT"),
        "cascade": _trials(cascade_minutes="TARMAC_CASCADE_MINUTES"),
        "canary-steps": _trials(canary_steps="TARMAC_CANARY_STEPS", criteria="TARMAC_CRITERIA"),
        "blue-green": _trials(way_back="TARMAC_WAY_BACK"),
        "ab-test": _trials(assignment="TARMAC_ASSIGNMENT", stopping="TARMAC_STOPPING"),
        "shadow": _trials(rehearsal="TARMAC_REHEARSAL"),
    },
)
