"""What the conductor can be told: one setting or two for each exercise.

Exercises about the server itself (several-models, dynamic-batching, session-threads) set variables of
Deployment/server, which tells at /settings what it runs with.
"""

from dataclasses import dataclass

from runtime.online import OnlineSettings
from runtime.settings import between, choice

VERSION, ALIAS = "version", "alias"
EACH, KEPT = "each", "kept"
JSON, BINARY = "json", "binary"
HTTP, TOPIC, JOB = "http", "topic", "job"
CANARY, SHADOW = "canary", "shadow"
DEPLOY, ROUTE = "deploy", "route"
REQUEST, PASSENGER = "request", "passenger"
PEEK, PLANNED, SEQUENTIAL = "peek", "planned", "sequential"


@dataclass(frozen=True, kw_only=True)
class TrialsSettings(OnlineSettings):
    """What the conductor can be told."""

    seed: str = ""
    """The trainee's seed, which decides facts of exercises; empty: none."""

    mlflow: str = "http://mlflow.data.svc:5000"
    """The registry of models."""

    server: str = "http://server:8080"
    """The lab's own server of models."""

    gateway: str = "http://gateway.platform.svc:8080"
    """The way in to the stack's servers, past which nobody asks them."""

    stable: str = "http://serving-stable.chain.svc:8080"
    """The stack's server of the version in use."""

    canary: str = "http://serving-canary.chain.svc:8080"
    """The stack's server of the version that a release tests."""

    releases: str = "http://releases:8080"
    """The release controller."""

    reference: str = choice(VERSION, VERSION, ALIAS)
    """By what callers name the model that they want: a version's number, or an alias."""

    cache_fields: str = "origin,dest"
    """What a cache key is made of, separated by commas: of origin, dest, carrier, hour and passenger."""

    connections: str = choice(EACH, EACH, KEPT)
    """Whether a caller connects for each request, or keeps its connection."""

    tensors: str = choice(JSON, JSON, BINARY)
    """How large inputs are sent."""

    variant: str = "delay-network"
    """The variant of the network that goes to the gates: delay-network, -int8 or -pruned."""

    pushback: str = choice(HTTP, HTTP, TOPIC, JOB)
    """How the prediction at push-back is asked for: a person waits for it."""

    rebooking: str = choice(HTTP, HTTP, TOPIC, JOB)
    """How the predictions for a wave of rebookings are asked for: none may be lost."""

    report: str = choice(HTTP, HTTP, TOPIC, JOB)
    """How the predictions of the nightly report are made: a hundred thousand rows."""

    cascade_minutes: float = between(-1000, -1000, 1000)
    """Rows for which the small model predicts a delay of so many minutes or more are answered by the big one."""

    canary_steps: str = "50"
    """Weights of the canary's steps, per cent, separated by commas."""

    criteria: str = "errors"
    """What the release is judged by, separated by commas: of errors, latency and outputs."""

    way_back: str = choice(DEPLOY, DEPLOY, ROUTE)
    """How a bad version is got rid of: the old one is deployed again, or the route goes back to it."""

    assignment: str = choice(REQUEST, REQUEST, PASSENGER)
    """What is drawn for A or B: each request, or each passenger."""

    stopping: str = choice(PEEK, PEEK, PLANNED, SEQUENTIAL)
    """When an A/B test ends: as soon as it looks significant (peek), once the planned number of passengers is there, or
    by a test that may be looked at at any time (sequential)."""

    rehearsal: str = choice(CANARY, CANARY, SHADOW)
    """How a new version meets real requests for the first time: its answers are used, or it gets copies."""
