"""The scaler."""

from collections.abc import Mapping
from dataclasses import dataclass

from patterns.role import Role
from runtime.settings import ServiceSettings, between, choice


@dataclass(frozen=True, kw_only=True)
class ScalerSettings(ServiceSettings):
    """What the scaler can be told."""

    signal: str = choice("lag", "lag", "cpu")
    """What decides: jobs that wait, or the CPU of the workers that run."""

    min_replicas: int = between(0, 0, 10)
    """Workers at least."""

    max_replicas: int = between(1, 0, 10)
    """Workers at most."""

    cooldown_seconds: float = between(5, 0)
    """Seconds without need before a worker is stopped."""


def main(env: Mapping[str, str]) -> None:
    """Run the scaler until it is asked to end."""
    with Role("scaler", ScalerSettings, env) as role:
        role.serve()
        while not role.stop.wait(60):
            pass
