"""What the trainee works on: each exercise's file, the settings it sets in the cluster, and how to change them."""

from __future__ import annotations

from collections.abc import Mapping

from lab.checks import Bundle, Missing, Text, View

NAMESPACE = "lab-01"

# exercise -> kind and name of the workload (its container is called the same), and the name of each setting
# in the experiment's result -> the environment variable that it comes from.
_SETTINGS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "processing-modes": ("Deployment", "analyst", {"window_seconds": "TARMAC_WINDOW_SECONDS"}),
    "lambda-kappa": (
        "Deployment",
        "analyst",
        {
            "batch_on_time_minutes": "TARMAC_BATCH_ON_TIME_MINUTES",
            "speed_on_time_minutes": "TARMAC_SPEED_ON_TIME_MINUTES",
        },
    ),
    "event-sourcing": (
        "Deployment",
        "analyst",
        {"cleanup": "TARMAC_JOURNAL_CLEANUP", "retention_ms": "TARMAC_JOURNAL_RETENTION_MS"},
    ),
    "circuit-breaker": (
        "Deployment",
        "gateway",
        {
            "failures": "TARMAC_BREAKER_FAILURES",
            "pause_seconds": "TARMAC_BREAKER_PAUSE_SECONDS",
            "timeout_seconds": "TARMAC_CALL_TIMEOUT_SECONDS",
        },
    ),
    "bulkhead": (
        "Deployment",
        "gateway",
        {"pool_threads": "TARMAC_POOL_THREADS", "delays_threads": "TARMAC_DELAYS_THREADS"},
    ),
    "scale-to-zero": (
        "Deployment",
        "scaler",
        {
            "signal": "TARMAC_SIGNAL",
            "min_replicas": "TARMAC_MIN_REPLICAS",
            "max_replicas": "TARMAC_MAX_REPLICAS",
            "cooldown_seconds": "TARMAC_COOLDOWN_SECONDS",
        },
    ),
    "edge-offline": (
        "StatefulSet",
        "edge",
        {"store": "TARMAC_STORE", "store_readings": "TARMAC_STORE_READINGS", "answer_from": "TARMAC_ANSWER_FROM"},
    ),
    "federated-learning": ("Deployment", "centre", {"weights": "TARMAC_WEIGHTS", "rounds": "TARMAC_ROUNDS"}),
}


def settings(bundle: Bundle, exercise: str) -> dict[str, View]:
    """Return an exercise's settings as the cluster has them now, by the name that its experiment gives them.

    Raises:
        Missing: the workload, its container or a variable is not there.

    """
    kind, name, variables = _SETTINGS[exercise]
    try:
        workload = bundle.object(kind, name, NAMESPACE)
        values = {field: bundle.env(workload, name, variable).value for field, variable in variables.items()}
    except Missing as missing:
        raise Missing(missing.reason, _put_back(exercise)) from missing
    return {field: View(value, f"{kind}/{name}: {variables[field]}") for field, value in values.items()}


def edit(exercise: str, en: str, fr: str) -> Text:
    """Return the remedy that changes an exercise's file, applies it and measures again."""
    return Text(
        en=f"in {_file(exercise)}: {en}; then `make lab-01` and `lab compare 01 --only {exercise}`",
        fr=f"dans {_file(exercise)} : {fr} ; puis `make lab-01` et `lab compare 01 --only {exercise}`",
    )


def decide(en: str, fr: str) -> Text:
    """Return the remedy that changes the decision, which needs no new measurement, and applies it."""
    return Text(
        en=f"{en}; write the choice into {_file('choose-patterns')}, then `make lab-01`",
        fr=f"{fr} ; inscrivez le choix dans {_file('choose-patterns')}, puis `make lab-01`",
    )


def measure(exercise: str) -> Text:
    """Return the remedy that applies what is in the file and measures again."""
    return Text(
        en=f"apply {_file(exercise)} with `make lab-01`, then run `lab compare 01 --only {exercise}`",
        fr=f"appliquez {_file(exercise)} avec `make lab-01`, puis lancez `lab compare 01 --only {exercise}`",
    )


def _put_back(exercise: str) -> Text:
    where = _file(exercise)
    return Text(
        en=f"put it back into {where} (manifests/start has the original), then `make lab-01`",
        fr=f"remettez-le dans {where} (l'original est dans manifests/start), puis `make lab-01`",
    )


def _file(exercise: str) -> str:
    return f"labs/01-patterns/manifests/work/{exercise}.yaml"
