"""Settings come from environment variables alone, into frozen dataclasses.

The variable of the field `drain_seconds` is `TARMAC_DRAIN_SECONDS`. The prefix is ours alone: Kubernetes adds variables
such as `INGEST_PORT=tcp://…` for each Service to every pod, and they must never be taken for settings.
"""

import dataclasses
import datetime as dt
import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

from runtime.errors import BadSetting

PREFIX = "TARMAC_"
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

S = TypeVar("S")


def between(default: float, low: float, high: float = math.inf) -> Any:  # noqa: ANN401 (as dataclasses.field)
    """A numeric field that must lie in [low, high]."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


def choice(default: str, *values: str) -> Any:  # noqa: ANN401 (as dataclasses.field)
    """A text field that must be one of `values`."""
    return dataclasses.field(default=default, metadata={"choice": values})


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What every service can be told."""

    kafka: str = "kafka.platform.svc:9092"
    """`host:port` of a broker; several are separated by commas."""

    port: int = between(8080, 0, 65535)
    """TCP port of probes, metrics and questions; 0 picks a free one."""

    log_level: str = choice("info", "debug", "info", "warning", "error")
    """Least severity that is written."""

    traces: str = "http://jaeger.platform.svc:4318"
    """Base address of OTLP over HTTP; empty switches tracing off."""

    trace_ratio: float = between(0.01, 0, 1)
    """Share of root spans that are sampled."""

    drain_seconds: float = between(10, 0)
    """Seconds that SIGTERM leaves to finish what was begun."""


def load(kind: type[S], env: Mapping[str, str], family: tuple[type, ...] = ()) -> S:
    """Build `kind` from the environment.

    Args:
        kind: a frozen dataclass of settings.
        env: the environment.
        family: further settings whose variables may stand there too (services that share one ConfigMap).

    Raises:
        BadSetting: a variable with our prefix is unknown, or its value cannot be used.
    """
    own = {_variable(field): field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    known = set(own).union(*({_variable(field) for field in dataclasses.fields(other)} for other in family))
    _refuse_unknown(env, known)
    hints = get_type_hints(kind)
    given = {
        field.name: _parsed(name, env[name], hints[field.name], field) for name, field in own.items() if name in env
    }
    return kind(**given)


def shown(settings: Any) -> dict[str, Any]:  # noqa: ANN401  any dataclass of settings
    """What a service runs with, for those who ask: its settings by field, without secrets."""
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings) if field.repr}


def _variable(field: dataclasses.Field[Any]) -> str:
    return PREFIX + field.name.upper()


def _refuse_unknown(env: Mapping[str, str], known: set[str]) -> None:
    for name in sorted(env):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
            raise BadSetting(f"environment variable {name} is unknown", remedy)


def _parsed(name: str, text: str, kind: Any, field: dataclasses.Field[Any]) -> Any:  # noqa: ANN401 (any field's type)
    read, wanted = _READERS[kind]
    try:
        value = read(text.strip())
    except (ValueError, KeyError):
        raise BadSetting(f"environment variable {name}={text!r} cannot be read", f"give it {wanted}") from None
    _check_bounds(name, text, value, field)
    return value


def _check_bounds(name: str, text: str, value: Any, field: dataclasses.Field[Any]) -> None:  # noqa: ANN401
    values = field.metadata.get("choice")
    if values and value not in values:
        raise BadSetting(f"environment variable {name}={text!r} is none of its values", f"give it {', '.join(values)}")
    if "low" in field.metadata and not field.metadata["low"] <= value <= field.metadata["high"]:
        bounds = f"from {field.metadata['low']} to {field.metadata['high']}"
        raise BadSetting(f"environment variable {name}={text!r} is out of range", f"give it a number {bounds}")


def _boolean(text: str) -> bool:
    return _BOOLEANS[text.lower()]


def _instant(text: str) -> dt.datetime:
    value = dt.datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)


_READERS: dict[Any, tuple[Callable[[str], Any], str]] = {
    str: (str, "text"),
    int: (int, "a whole number"),
    float: (float, "a number"),
    bool: (_boolean, "true or false"),
    dt.datetime: (_instant, "an instant such as 2013-01-01T00:00:00Z"),
}
