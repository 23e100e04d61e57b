"""What the trainee works on in lab 01."""

from __future__ import annotations

from lab.checks import Exercises, Place, Text

NAMESPACE = "lab-01"

WORK = Exercises(
    "01",
    "01-patterns",
    {
        "processing-modes": Place("Deployment", "analyst", {"window_seconds": "TARMAC_WINDOW_SECONDS"}),
        "lambda-kappa": Place(
            "Deployment",
            "analyst",
            {
                "batch_on_time_minutes": "TARMAC_BATCH_ON_TIME_MINUTES",
                "speed_on_time_minutes": "TARMAC_SPEED_ON_TIME_MINUTES",
            },
        ),
        "event-sourcing": Place(
            "Deployment",
            "analyst",
            {"cleanup": "TARMAC_JOURNAL_CLEANUP", "retention_ms": "TARMAC_JOURNAL_RETENTION_MS"},
        ),
        "circuit-breaker": Place(
            "Deployment",
            "gateway",
            {
                "failures": "TARMAC_BREAKER_FAILURES",
                "pause_seconds": "TARMAC_BREAKER_PAUSE_SECONDS",
                "timeout_seconds": "TARMAC_CALL_TIMEOUT_SECONDS",
            },
        ),
        "bulkhead": Place(
            "Deployment",
            "gateway",
            {"pool_threads": "TARMAC_POOL_THREADS", "delays_threads": "TARMAC_DELAYS_THREADS"},
        ),
        "scale-to-zero": Place(
            "Deployment",
            "scaler",
            {
                "signal": "TARMAC_SIGNAL",
                "min_replicas": "TARMAC_MIN_REPLICAS",
                "max_replicas": "TARMAC_MAX_REPLICAS",
                "cooldown_seconds": "TARMAC_COOLDOWN_SECONDS",
            },
        ),
        "edge-offline": Place(
            "StatefulSet",
            "edge",
            {"store": "TARMAC_STORE", "store_readings": "TARMAC_STORE_READINGS", "answer_from": "TARMAC_ANSWER_FROM"},
        ),
        "federated-learning": Place("Deployment", "centre", {"weights": "TARMAC_WEIGHTS", "rounds": "TARMAC_ROUNDS"}),
    },
)

settings, result, measured = WORK.settings, WORK.result, WORK.measured
edit, measure = WORK.edit, WORK.measure


def decide(en: str, fr: str) -> Text:
    """Return the remedy that changes the decision, and applies it."""
    return WORK.decide("choose-patterns", en, fr)
