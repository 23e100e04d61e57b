"""Settings of the entry points; the README lists the same variables for those who start them."""

import importlib
from dataclasses import dataclass, field

from contracts.views import Definitions
from feature.errors import BadDefinitions
from runtime.online import OnlineSettings
from runtime.settings import ServiceSettings, between, choice


@dataclass(frozen=True, kw_only=True)
class ServeSettings(OnlineSettings):
    """What `serve` can be told."""

    port: int = between(6566, 0, 65535)
    """TCP port: Feast's own."""

    redis_seconds: float = between(1, 0.01, 60)
    """Seconds to wait for an answer of Redis before the caller is told to try again."""

    key_ttl_seconds: int = between(0, 0)
    """Seconds after which an entity that nobody writes goes away (Feast's setting of that name); 0: never."""

    statuses: str = choice("exact", "exact", "feast")
    """`exact`: NOT_FOUND, NULL_VALUE and OUTSIDE_MAX_AGE where they hold; `feast`: PRESENT for all, as Feast's own
    server says over Redis."""

    clock: str = choice("event", "event", "wall")
    """By what a view's age is judged: the newest event time in the store (a replay of 2013 is fresh), or the wall."""

    definitions: str = "contracts.views_flights:DEFINITIONS"
    """`module:name` of the definitions."""


@dataclass(frozen=True, kw_only=True)
class ApplySettings(ServiceSettings):
    """What `apply` can be told."""

    registry: str = "postgresql+psycopg://feast@postgres.data.svc:5432/feast"
    """Feast's registry: an SQLAlchemy address, or the path of a file."""

    registry_password: str = field(default="", repr=False)
    """Password of that address; empty for none."""

    offline: str = "/data/lake"
    """Folder or address (`s3://lake`) under which the batch layer keeps the offline features, a table per view."""

    retire: str = ""
    """Feature services, separated by commas, that may break or go: whoever reads them has been told."""

    definitions: str = "contracts.views_flights:DEFINITIONS"
    """`module:name` of the definitions."""


FAMILY = (ServeSettings, ApplySettings)
"""All of them: entry points may share one ConfigMap."""


def definitions(text: str) -> Definitions:
    """The definitions that `module:name` names.

    Raises:
        BadDefinitions: there are none, or they contradict each other.
    """
    module, _, name = text.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, LookupError, ValueError) as failure:
        raise BadDefinitions(f"definitions {text}: {failure}", "name them as module:name and correct them") from failure
    if not isinstance(found, Definitions):
        raise BadDefinitions(f"definitions {text} are a {type(found).__name__}", "name a contracts.views.Definitions")
    return found
