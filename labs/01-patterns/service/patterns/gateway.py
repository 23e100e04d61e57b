"""The gateway: the three use cases over HTTP, guarded; switches to break things by hand; and the experiments."""

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass

from patterns.broker import Sender
from patterns.bulkhead import Pool
from patterns.experiments.history import History
from patterns.experiments.programme import programme
from patterns.experiments.stage import Stage
from patterns.gateway_dependency import Dependencies, Meters
from patterns.gateway_web import Desk, Switches
from patterns.usecases import UseCases
from runtime.conducting import conduct
from runtime.peer import Peer
from runtime.role import Role
from runtime.settings import ServiceSettings, between

STATIONS = ("EWR", "JFK", "LGA")
"""Airports with a site; the place in the row is the site's number."""


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

    delays: str = "http://delays:8080"
    """Where recommendations come from."""

    delays_direct: str = "http://delays-direct:8080"
    """The pods of `delays` themselves, whatever its Service selects."""

    analyst: str = "http://analyst:8080"
    """Where punctuality comes from."""

    centre: str = "http://centre:8080"
    """Where all sites' readings come together."""

    site: str = "http://edge-{number}.edge:8080"
    """A site; `{number}` stands for its place in EWR, JFK, LGA."""

    scaler: str = "http://scaler:8080"
    """Who starts and stops workers."""

    worker: str = "http://worker:8080"
    """The workers; each address of the name is one of them."""


def main(env: Mapping[str, str]) -> None:
    """Run the gateway until it is asked to end."""
    with Role("lab-01-gateway", GatewaySettings, env) as role, ExitStack() as exits:
        stage = _stage(role, exits.enter_context(closing(Pool(role.settings.pool_threads))))
        history = exits.enter_context(closing(History(role.settings.kafka, role.stop)))
        desk = Desk(stage.cases, role.tracing, role.registry)
        switches = Switches(stage.sites, stage.delays_direct)
        conduct(role, programme(stage), history, {**desk.questions, **switches.questions}, switches.orders)


def _stage(role: Role[GatewaySettings], pool: Pool) -> Stage:
    """Everything that the use cases and the experiments work with."""
    settings = role.settings
    meters = Meters(role.registry)
    dependencies = Dependencies(
        pool=pool,
        failures=settings.breaker_failures,
        pause=settings.breaker_pause_seconds,
        seconds=settings.call_timeout_seconds,
        meters=meters,
        tracing=role.tracing,
    )
    places = {name: settings.site.format(number=number) for number, name in enumerate(STATIONS)}
    cases = UseCases(
        dependencies.make("delays", settings.delays, settings.delays_threads),
        dependencies.make("analyst", settings.analyst),
        {name: dependencies.make(f"site-{name}", address) for name, address in places.items()},
        dependencies.make("centre", settings.centre),
    )
    return Stage(
        cases=cases,
        failures=settings.breaker_failures,
        pause_seconds=settings.breaker_pause_seconds,
        timeout_seconds=settings.call_timeout_seconds,
        pool_threads=settings.pool_threads,
        delays_threads=settings.delays_threads,
        delays=Peer(settings.delays),
        delays_direct=Peer(settings.delays_direct),
        analyst=Peer(settings.analyst),
        centre=Peer(settings.centre),
        sites={name: Peer(address) for name, address in places.items()},
        scaler=Peer(settings.scaler),
        worker=settings.worker,
        stop=role.stop,
        sender=lambda: Sender(settings.kafka, role.stop),
    )
