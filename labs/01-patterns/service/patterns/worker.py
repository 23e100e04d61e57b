"""The worker."""

from collections.abc import Mapping
from dataclasses import dataclass

from patterns.role import Role
from runtime.settings import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class WorkerSettings(ServiceSettings):
    """What the worker can be told."""


def main(env: Mapping[str, str]) -> None:
    """Run the worker until it is asked to end."""
    with Role("worker", WorkerSettings, env) as role:
        role.serve()
        while not role.stop.wait(60):
            pass
