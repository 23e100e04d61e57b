"""The server, put together from its parts."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Mapping

import hiredis
import uvloop

from contracts.online import Writer, clock_key
from feature.errors import StoreUnavailable
from feature.figures import Figures
from feature.plan import Planner
from feature.reading import Reading
from feature.settings import ServeSettings, definitions
from feature.web import Web
from feature.wire import Wire, command
from feature.writing import Writing
from runtime.health import Health
from runtime.listening import listen
from runtime.tracing import Tracing

log = logging.getLogger(__name__)

CLOCK_SECONDS = 1.0
"""Between two looks at how far the views are."""
_MICROS = 1e6


class Server:
    """The parts of one server and their life.

    Args:
        settings: what it was told.

    Raises:
        BadDefinitions: the definitions cannot be used.
        BadSetting: Redis' address is none.
    """

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._definitions = definitions(settings.definitions)
        where, password = settings.online, settings.redis_password
        self._figures = Figures(self._definitions)
        self._health = Health()
        self._wire = Wire(*where[:2], password=password, database=where.database, patience=settings.redis_seconds)
        self._writer = Writer(
            self._definitions, *where[:2], password=password, database=where.database, expiry=settings.key_ttl_seconds
        )
        planner = Planner(self._definitions)
        self._reading = Reading(planner, self._wire, self._figures, exact=settings.statuses == "exact")
        self._known = False
        """Whether the clock of the store was seen: until then it is looked for more often."""
        self._tracing = Tracing.to("feature", settings.traces, settings.trace_ratio)
        writing = Writing(self._definitions, self._writer)
        self.web = Web(self._reading, writing, self._wire, self._health, self._figures, self._tracing)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the connection and the clock while the server answers."""
        self._health.wait_for("redis", f"no connection to {self._settings.redis} yet")
        self._wire.open()
        clock = asyncio.create_task(self._keep_clock())
        try:
            yield
        finally:
            clock.cancel()
            await asyncio.gather(clock, return_exceptions=True)
            await self._wire.close()
            self._writer.close()
            self._tracing.close()

    async def _keep_clock(self) -> None:
        question = command("HGETALL", clock_key(self._definitions.project))
        while True:
            self._health.beat("loop", 30)
            if self._wire.connected.is_set():
                # Ready once it was connected; a store that goes away later is told to each caller instead.
                self._health.met("redis")
                with contextlib.suppress(StoreUnavailable):
                    self._clock((await self._wire.ask(question, 1))[0])
            await asyncio.sleep(CLOCK_SECONDS if self._known else CLOCK_SECONDS / 10)

    def _clock(self, answer: list[bytes] | hiredis.ReplyError) -> None:
        if isinstance(answer, hiredis.ReplyError):
            log.warning("the clock cannot be read", extra={"cause": str(answer)})
            return
        found = {view.decode(): _instants(told) for view, told in zip(answer[::2], answer[1::2], strict=True)}
        self._figures.clocks(found)
        self._known = bool(found)
        self._reading.judge_by(time.time() if self._settings.clock == "wall" else _newest(found))


def _instants(told: bytes) -> tuple[float, float]:
    event, wall = told.split()
    return int(event) / _MICROS, int(wall) / _MICROS


def _newest(clocks: Mapping[str, tuple[float, float]]) -> float | None:
    return max((event for event, _ in clocks.values()), default=None)


def serve(settings: ServeSettings) -> None:
    """Serve until asked to stop."""
    uvloop.run(_serve(settings))


async def _serve(settings: ServeSettings) -> None:
    server = Server(settings)
    async with server.running():
        await listen(server.web, settings.port, settings.drain_seconds)
