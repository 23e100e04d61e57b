"""The gateway."""

from collections.abc import Mapping
from dataclasses import dataclass

from patterns.role import Role
from runtime.settings import ServiceSettings, between


@dataclass(frozen=True, kw_only=True)
class GatewaySettings(ServiceSettings):
    """What the gateway can be told."""

    breaker_failures: int = between(5, 0)
    """Failures in a row that open a breaker; 0: there is none."""

    breaker_pause_seconds: float = between(2, 0)
    """Seconds that a breaker stays open before one call may try again."""

    call_timeout_seconds: float = between(0.5, 0.01)
    """Seconds that a call to a dependency may take."""

    pool_threads: int = between(8, 1, 64)
    """Calls to dependencies that run at once, in all."""

    delays_threads: int = between(3, 0, 64)
    """How many of them may go to `delays`; 0: any number."""


def main(env: Mapping[str, str]) -> None:
    """Run the gateway until it is asked to end."""
    with Role("gateway", GatewaySettings, env) as role:
        role.serve()
        while not role.stop.wait(60):
            pass
