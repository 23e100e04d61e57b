"""Read model of departures."""

from collections.abc import Mapping
from dataclasses import dataclass

from patterns.role import Role
from runtime.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class DelaysSettings(ServiceSettings):
    """What the delays can be told."""


def main(env: Mapping[str, str]) -> None:
    """Run the delays until it is asked to end."""
    with Role("delays", DelaysSettings, env) as role:
        role.serve()
        while not role.stop.wait(60):
            pass
