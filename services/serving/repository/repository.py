"""Which versions are in memory, and which of them answers for a name.

A request finds its version with one look into a table, which is only ever replaced as a whole: it never waits for the
source, for a load or for a lock. A version is put into the table when it is ready, not before; the one that it follows
answers until then, and goes on with what it began. When a new version cannot be loaded, an alias points nowhere or the
source is away, what answered before goes on answering.

Memory is bounded by a number of versions and by their bytes. When room is needed the version that was asked least
recently goes, one that nothing points to before one that something does; it comes back when somebody asks for it.

All of it lives in the event loop; only reading and making sessions happen in a thread, one at a time.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from contracts.inference import IndexEntry
from contracts.models import CHAMPION
from runtime.errors import ServiceError, Temporary
from serving.errors import Loading, ModelUnknown, NotServable, SourceUnavailable
from serving.figures import Figures
from serving.model.outline import Outline
from serving.model.session import Session
from serving.model.version import Served
from serving.naming import Aim
from serving.repository.room import Room
from serving.repository.shelf import DEFAULT, Shelf
from serving.source.artifact import Artifact
from serving.source.folder import Listing, Source

log = logging.getLogger(__name__)

Made = tuple[Artifact, Session | Outline]


class Opens(Protocol):
    """Makes a version ready; slow, called in a thread."""

    def open(self, name: str, version: str) -> Made:
        """The version.

        Raises:
            ServiceError: it cannot be had or served.
        """


class Repository:
    """The models of one server.

    Args:
        source: where they come from.
        opener: makes a version ready.
        serve: puts together what answers for it.
        room: how much may be in memory.
        figures: counts.
        alias: what answers where a request names only the model.
    """

    def __init__(  # noqa: PLR0913  the parts of the service meet here
        self,
        source: Source,
        opener: Opens,
        serve: Callable[[Made], Served],
        room: Room,
        figures: Figures,
        *,
        alias: str = CHAMPION,
    ) -> None:
        self._source = source
        self._opener = opener
        self._serve = serve
        self._room = room
        self._figures = figures
        self._alias = alias
        self._shelves: dict[str, Shelf] = {}
        self._table: Mapping[Aim, Served] = {}
        self._loading: dict[tuple[str, str], asyncio.Task[Served]] = {}
        self._desk = ThreadPoolExecutor(1, "load")
        self._looking = asyncio.Lock()
        self.find: Callable[[Aim], Served | None] = self._table.get
        """What answers at once; the hot path."""

    def close(self) -> None:
        """Begin nothing more."""
        self._desk.shutdown(wait=False, cancel_futures=True)

    async def want(self, aim: Aim, deadline: float) -> Served:
        """What answers, loaded first where it has to be.

        Args:
            aim: what is asked.
            deadline: time of the loop until which it may take.

        Raises:
            ModelUnknown, VersionUnknown: there is no such thing.
            Loading: it takes longer.
            Artifact: it cannot be served.
            SourceUnavailable: it cannot be had.
        """
        shelf = self.shelf(aim[0])
        version = shelf.target(aim[1])
        refusal = shelf.refused.get(version)
        if refusal and refusal.due > time.perf_counter():
            raise refusal.error.with_traceback(None)
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(self._load(shelf, version))
        except TimeoutError:
            told = f"model {shelf.name} version {version} is being loaded"
            raise Loading(told, "try again", delay=5) from None

    def shelf(self, name: str) -> Shelf:
        """What there is of a model.

        Raises:
            ModelUnknown: nothing, or it was unloaded.
        """
        shelf = self._shelves.get(name)
        if shelf is None:
            told = ", ".join(sorted(self._shelves)) or "none yet"
            raise ModelUnknown(f"model {name:.100} is unknown", f"there are {told:.300}")
        if shelf.off:
            raise ModelUnknown(f"model {name} was unloaded", f"POST /v2/repository/models/{name}/load brings it back")
        return shelf

    def names(self) -> list[str]:
        """Models that answer by default."""
        return sorted(name for name, selector in self._table if selector == DEFAULT)

    def index(self) -> list[IndexEntry]:
        """Every version of every model, and its state."""
        return [entry for _, shelf in sorted(self._shelves.items()) for entry in shelf.entries(set(self._loading))]

    async def refresh(self) -> None:
        """Look at the source, and load what is new; returns when it answers or was refused.

        Raises:
            SourceUnavailable: it does not say which models there are; nothing changed.
        """
        async with self._looking:
            found = await self._asked(self._look)
            for name in set(self._shelves) - set(found):
                del self._shelves[name]
            for name, listing in found.items():
                shelf = self._shelves.setdefault(name, Shelf(name, self._alias))
                if listing:
                    shelf.restock(listing)
                shelf.settle()
            self._show()
            now = time.perf_counter()
            await self._load_all((shelf, each) for shelf in self._shelves.values() for each in shelf.wanted(now))
            for shelf in self._shelves.values():
                shelf.tidy()
            self._show()

    async def load(self, name: str) -> None:
        """Bring a model back or up to date, by order: what was refused is looked at again.

        Raises:
            ModelUnknown: the source has none of that name.
            SourceUnavailable: it does not answer.
            Artifact: the version that should answer by default cannot be served; what answered before still does.
            VersionUnknown: the default points nowhere.
        """
        async with self._looking:
            # Looked up among the names: this one came from outside.
            known = name in await self._asked(self._source.names)
            listing = await self._asked(lambda: self._source.listing(name)) if known else Listing()
            if not listing.versions:
                raise ModelUnknown(f"model {name:.100} is unknown", "register a version of it first")
            shelf = self._shelves.setdefault(name, Shelf(name, self._alias))
            shelf.restock(listing)
            shelf.off = False
            shelf.refused.clear()
            shelf.evicted.clear()
            shelf.settle()
            await self._load_all((shelf, each) for each in shelf.wanted(time.perf_counter()))
            self._show()
            refusal = shelf.refused.get(shelf.target(DEFAULT))
            if refusal:
                raise refusal.error.with_traceback(None)

    def unload(self, name: str) -> None:
        """Let a model go, by order; what was begun ends on it.

        Raises:
            ModelUnknown: there is none, or it is gone already.
        """
        self.shelf(name).unload()
        self._figures.loads[name, "unloaded"] += 1
        self._show()

    async def _asked(self, question: Callable[[], Any]) -> Any:  # noqa: ANN401  what it answers
        return await asyncio.get_running_loop().run_in_executor(self._desk, question)

    def _look(self) -> dict[str, Listing | None]:
        """Model -> what there is of it, None where that cannot be said now."""
        return {name: self._listed(name) for name in self._source.names()}

    def _listed(self, name: str) -> Listing | None:
        try:
            return self._source.listing(name)
        except SourceUnavailable as failure:
            log.warning(failure.what, extra={"model": name, "remedy": failure.remedy})
            return None

    async def _load_all(self, wanted: Iterator[tuple[Shelf, str]]) -> None:
        await asyncio.gather(*[self._load(shelf, version) for shelf, version in wanted], return_exceptions=True)

    def _load(self, shelf: Shelf, version: str) -> asyncio.Task[Served]:
        """The one task that loads a version, whoever asks."""
        key = shelf.name, version
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.get_running_loop().create_task(self._loaded(shelf, version))
            task.add_done_callback(lambda done: self._forget(key, done))
        return task

    def _forget(self, key: tuple[str, str], done: asyncio.Task[Served]) -> None:
        del self._loading[key]
        if not done.cancelled():
            done.exception()  # it was logged; whoever still waits is told

    async def _loaded(self, shelf: Shelf, version: str) -> Served:
        origin = shelf.listing.origins.get(version, "")
        try:
            made: Made = await self._asked(lambda: self._opener.open(shelf.name, version))
            for gone in self._room.made(self._shelves.values(), made[0]):
                self._figures.loads[gone.name, "evicted"] += 1
                log.info("evicted", extra={"model": gone.name, "version": gone.version})
        except ServiceError as failure:
            raise self._refused(shelf, version, failure) from None
        except Exception as failure:  # a model must never end the server
            log.exception("loading failed", extra={"model": shelf.name, "version": version})
            told = NotServable(
                f"model {shelf.name} version {version}: {type(failure).__name__}", "see the service's log"
            )
            raise self._refused(shelf, version, told) from None
        if shelf.off or self._shelves.get(shelf.name) is not shelf:
            raise ModelUnknown(f"model {shelf.name} was unloaded meanwhile", "load it again")
        new = self._serve(made)
        new.used = time.perf_counter()
        shelf.take(new, origin)
        self._figures.loads[shelf.name, "loaded"] += 1
        log.info("loaded", extra={"model": new.name, "version": new.version, "bytes": new.size})
        self._show()
        return new

    def _refused(self, shelf: Shelf, version: str, failure: ServiceError) -> ServiceError:
        shelf.refuse(version, failure, time.perf_counter())
        self._figures.loads[shelf.name, "unavailable" if isinstance(failure, Temporary) else "refused"] += 1
        told = {"model": shelf.name, "version": version, "remedy": failure.remedy, "kind": type(failure).__name__}
        log.error(failure.what, extra=told)
        return failure

    def _show(self) -> None:
        """Replace the table."""
        shelves = self._shelves.values()
        self._table = {(shelf.name, selector): each for shelf in shelves for selector, each in shelf.answering.items()}
        self.find = self._table.get
        self._figures.refused = [(shelf.name, version) for shelf in shelves for version in sorted(shelf.unfit())]
        self._figures.loaded = {
            (shelf.name, version): each.size for shelf in shelves for version, each in shelf.loaded.items()
        }
        self._figures.aliases = {
            (shelf.name, alias): shelf.answering[alias].version
            for shelf in shelves for alias in shelf.listing.aliases if alias in shelf.answering
        }  # fmt: skip
