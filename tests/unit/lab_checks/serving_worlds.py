"""A state of lab 04 in which everything is solved, made by hand as its experiments write it, with plausible figures."""

from typing import Any

import yaml

from lab.spec import Course

TRIALS = {
    "TARMAC_REFERENCE": "alias", "TARMAC_CACHE_FIELDS": "origin,dest,carrier,hour", "TARMAC_CONNECTIONS": "kept",
    "TARMAC_TENSORS": "binary", "TARMAC_VARIANT": "delay-network-int8", "TARMAC_PUSHBACK": "http",
    "TARMAC_REBOOKING": "topic", "TARMAC_REPORT": "job", "TARMAC_CASCADE_MINUTES": "12",
    "TARMAC_CANARY_STEPS": "20,50", "TARMAC_CRITERIA": "errors,latency,outputs", "TARMAC_WAY_BACK": "route",
    "TARMAC_ASSIGNMENT": "passenger", "TARMAC_STOPPING": "planned", "TARMAC_REHEARSAL": "shadow",
}  # fmt: skip
SERVER = {"TARMAC_MODELS_LIMIT": "32", "TARMAC_BATCH_ROWS": "64", "TARMAC_THREADS": "1"}
DECISION = {"platform": "server", "gate-terminal": "edge", "phone-app": "tflite", "gpu-fleet": "triton"}
SEED = "178919"
"""It makes of v2 to v5: slow, good, wrong, failing; the recorded states have it too."""
MIB = 2**20


def solved() -> dict[str, Any]:
    """Return the state."""
    return {
        "lab": "04",
        "objects": [
            _deployment("trials", TRIALS | {"TARMAC_SEED": SEED}, {"tarmac.dev/versions": "slow,good,wrong,failing"}),
            _deployment("server", SERVER),
            {"kind": "ConfigMap", "metadata": {"name": "decision", "namespace": "lab-04"}, "data": dict(DECISION)},
        ],
        "answers": {name: {"status": 200, "body": {"name": name, **body}} for name, body in _bodies().items()},
    }


def started(course: Course) -> dict[str, Any]:
    """Return the same with the settings of the start, each measured."""
    state = solved()
    folder = course.folder("04") / "manifests" / "start"
    for file in folder.glob("*.yaml"):
        patch = yaml.safe_load(file.read_text("utf-8"))
        if patch["kind"] == "Deployment":
            _apply(state, patch)
        elif patch["kind"] == "ConfigMap":
            _named(state, "decision")["data"] |= patch["data"]
    return state


def _apply(state: dict[str, Any], patch: dict[str, Any]) -> None:
    (given,) = patch["spec"]["template"]["spec"]["containers"]
    (container,) = _named(state, given["name"])["spec"]["template"]["spec"]["containers"]
    for variable in given["env"]:
        for each in container["env"]:
            if each["name"] == variable["name"]:
                each["value"] = variable["value"]
        field = variable["name"].removeprefix("TARMAC_").lower()
        for answer in state["answers"].values():
            if field in answer["body"].get("settings", {}):
                answer["body"]["settings"][field] = variable["value"]


def _named(state: dict[str, Any], name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [each for each in state["objects"] if each["metadata"]["name"] == name]
    return found[0]


def _deployment(name: str, env: dict[str, str], annotations: dict[str, str] | None = None) -> dict[str, Any]:
    container = {
        "name": name,
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
    }
    spec = {"template": {"spec": {"containers": [container]}}}
    metadata = {"name": name, "namespace": "lab-04", "annotations": annotations or {}}
    return {"kind": "Deployment", "metadata": metadata, "spec": spec}


def _caller(bad_after: int, seconds: float | None) -> dict[str, Any]:
    return {
        "answers": 300, "failed": 0, "bad_before": 60, "bad_after": bad_after, "answers_after": 80,
        "seconds_to_good": seconds,
    }  # fmt: skip


def _candidate(phase: str, hurt: int) -> dict[str, Any]:
    return {"phase": phase, "seconds": 14.0, "requests": 560, "canary_requests": 60, "hurt": hurt, "why": "because"}


def _side(memory: int, installed: int) -> dict[str, Any]:
    return {"start_seconds": 1.5, "resident_bytes": memory * MIB, "answer_seconds": 0.001,
            "installed_bytes": installed * MIB}  # fmt: skip


def _bodies() -> dict[str, dict[str, Any]]:
    return _server_bodies() | _caller_bodies() | _release_bodies()


def _server_bodies() -> dict[str, dict[str, Any]]:
    return {
        "model-aliases": {
            "settings": {"reference": "alias"},
            "callers": {"version": _caller(80, None), "alias": _caller(0, 1.7)},
        },
        "several-models": {
            "settings": {"models_limit": 32}, "models": 3, "calls": 18, "failed": 0, "seconds_p50": 0.002,
            "seconds_p95": 0.006, "loaded": 0, "evicted": 0, "in_memory": 26_000_000, "resident": 190_000_000,
        },
        "dynamic-batching": {
            "settings": {"batch_rows": 64},
            "idle": {"seconds_p50": 0.013, "run_seconds": 0.0104, "waited_seconds": 0.0002},
            "load": {
                "offered_per_second": 154.0, "alone_per_second": 96.0, "requests": 1840, "answered": 1840,
                "refused": 0, "seconds_p50": 0.02, "seconds_p99": 0.06, "requests_per_run": 2.6,
            },
        },
        "session-threads": {
            "settings": {"threads": 1}, "requests": 600, "failed": 0, "seconds_p50": 0.013, "seconds_p99": 0.03,
            "cpu_seconds": 0.0105, "alone_seconds": 0.01,
        },
        "cascade": {
            "settings": {"cascade_minutes": 12.0}, "rows": 8000,
            "rmse": {"delay-linear": 52.6, "delay-boosting": 49.4},
            "chosen": {"minutes": 12.0, "share": 0.4, "rmse": 49.8, "gain": 0.88},
        },
    }  # fmt: skip


def _caller_bodies() -> dict[str, dict[str, Any]]:
    return {
        "prediction-cache": {
            "settings": {"cache_fields": "origin,dest,carrier,hour"}, "flights": 58, "questions": 300, "failed": 0,
            "wrong": 0, "hits": 242, "misses": 58, "hit_rate": 0.807, "stale": 0, "seconds_alone_p50": 0.013,
            "seconds_p50": 0.002,
        },
        "connection-reuse": {
            "settings": {"connections": "kept", "tensors": "binary"},
            "connections": {
                "each": {"requests": 200, "failed": 0, "opened": 200, "seconds_p50": 0.0022},
                "kept": {"requests": 200, "failed": 0, "opened": 1, "seconds_p50": 0.0012},
            },
            "tensors": {
                "json": {"bytes": 690_000, "seconds_p50": 0.02},
                "binary": {"bytes": 131_200, "seconds_p50": 0.003},
            },
            "same": True,
        },
        "quantised-model": {
            "settings": {"variant": "delay-network-int8"}, "rows": 20_000, "baseline_rmse": 56.0,
            "variants": {
                "delay-network": {"bytes": 10_016, "bytes_packed": 8935, "milliseconds": 0.04,
                                  "milliseconds_many": 0.17, "rmse": 49.81},
                "delay-network-int8": {"bytes": 8510, "bytes_packed": 4262, "milliseconds": 0.03,
                                       "milliseconds_many": 0.13, "rmse": 49.82},
                "delay-network-pruned": {"bytes": 10_016, "bytes_packed": 6078, "milliseconds": 0.04,
                                         "milliseconds_many": 0.19, "rmse": 50.15},
            },
            "served": {"version": "1", "same": True},
        },
        "sync-async": {
            "settings": {"pushback": "http", "rebooking": "topic", "report": "job"},
            "pushback": {"http": {"seconds_p95": 0.01}, "topic": {"seconds_p95": 0.3}, "job": {"seconds_p95": 1.4}},
            "rebooking": {
                "http": {"requests": 300, "lost": 120, "seconds_p50": 0.01, "seconds_p95": 0.02},
                "topic": {"requests": 300, "lost": 0, "seconds_p50": 0.3, "seconds_p95": 6.0},
            },
            "report": {
                "http": {"rows_per_second": 110.0}, "topic": {"rows_per_second": 480.0},
                "job": {"rows_per_second": 3100.0},
            },
        },
        "choose-runtime": {
            "settings": {}, "server": _side(110, 190), "edge": _side(38, 34), "difference": 0.0,
        },
    }  # fmt: skip


def _release_bodies() -> dict[str, dict[str, Any]]:
    way = {"bad_before": 30, "bad_after": 20, "failed": 0, "answers": 200}
    rehearsal = {"why": "", "seconds": 13.0, "requests": 520, "failed": 0, "index": 4.1, "seconds_p95_before": 0.01}
    split = {"requests": 400, "failed": 0, "passengers": 60, "misrouted": 0, "share_b": 0.48}
    return {
        "canary-steps": {
            "settings": {"canary_steps": "20,50", "criteria": "errors,latency,outputs", "seed": SEED},
            "candidates": {
                "v2": _candidate("rolled back", 50), "v3": _candidate("promoted", 0),
                "v4": _candidate("rolled back", 55), "v5": _candidate("rolled back", 12),
            },
        },
        "blue-green": {
            "settings": {"way_back": "route"},
            "ways": {"deploy": {**way, "seconds": 6.4}, "route": {**way, "seconds": 1.2}},
        },
        "ab-test": {
            "settings": {"assignment": "passenger", "stopping": "planned"}, "tests": 200, "people": 2000,
            "split": {"request": {**split, "mixed": 58}, "passenger": {**split, "mixed": 0}},
            "false_alarms": {"peek": 0.27, "planned": 0.05, "sequential": 0.01},
            "found_real": {"peek": 0.99, "planned": 0.97, "sequential": 0.85},
        },
        "shadow": {
            "settings": {"rehearsal": "shadow"},
            "ways": {
                "canary": {**rehearsal, "phase": "rolled back", "hurt": 110, "seen_by_new": 120, "seconds_p95": 0.012},
                "shadow": {**rehearsal, "phase": "rolled back", "hurt": 0, "seen_by_new": 240, "seconds_p95": 0.013},
            },
        },
    }  # fmt: skip
