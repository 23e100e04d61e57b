"""The versions of one model: which are loaded, which cannot be, and which of them answers for what name."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from contracts.inference import IndexEntry
from contracts.models import CHAMPION
from runtime.errors import ServiceError, Temporary
from serving.errors import VersionUnknown
from serving.model.version import Served
from serving.source.folder import Listing

DEFAULT = ""
"""Selector of the version that answers where none is named."""

RETRY_SECONDS = 60.0
"""After which a version that could not be served is looked at again; one that could not be had, at once."""


@dataclass(frozen=True)
class Refusal:
    """Why a version is not there.

    Attributes:
        error: what was wrong.
        due: time from which it is looked at again.
    """

    error: ServiceError
    due: float


@dataclass
class Shelf:
    """One model.

    Attributes:
        name: of the model.
        alias: that the default stands for.
        listing: what its source has.
        loaded: version -> what answers.
        origins: version -> origin of what is loaded, as the listing had it then.
        refused: version -> why it cannot be loaded.
        evicted: versions that made room and come back when they are asked for.
        off: whether it was unloaded by order.
        answering: selector -> what answers for it.
    """

    name: str
    alias: str = CHAMPION
    listing: Listing = field(default_factory=Listing)
    loaded: dict[str, Served] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)
    evicted: set[str] = field(default_factory=set)
    off: bool = False
    answering: dict[str, Served] = field(default_factory=dict)

    def target(self, selector: str) -> str:
        """The version that a selector names: a version, an alias, or the default.

        The default is the shelf's alias, or the champion where the model has no such alias: a server of challengers
        answers for every model, and a release of one breaks no request for the others. Only a model without any alias
        is served by its newest version: one whose champion was taken away is in the middle of something, and its newest
        version was perhaps never tested.

        Raises:
            VersionUnknown: it names none, or one that is not there.
        """
        versions, aliases = self.listing.versions, self.listing.aliases
        if selector in versions:
            return selector
        if selector == DEFAULT and not aliases and versions:
            return versions[-1]
        alias = selector or (self.alias if self.alias in aliases else CHAMPION)
        if alias not in aliases:
            told = ", ".join((*aliases, *versions)) or "none"
            raise VersionUnknown(f"model {self.name} has no version or alias {alias:.60}", f"there are {told:.300}")
        if aliases[alias] not in versions:
            told = f"alias {alias} of model {self.name} points to version {aliases[alias]:.20}, which is not there"
            raise VersionUnknown(told, f"point it to one of {', '.join(versions) or 'none'}")
        return aliases[alias]

    def wanted(self, now: float) -> list[str]:
        """Versions that are to be loaded without being asked for: what the default and the aliases name."""
        if self.off:
            return []
        found = dict.fromkeys(version for _, version in self._targets())
        missing = [each for each in found if each not in self.loaded or self._outdated(each)]
        return [each for each in missing if each not in self.evicted and self._due(each, now)]

    def restock(self, listing: Listing) -> None:
        """Take what the source has now.

        A version that was registered anew under its number is another one: nothing that is known of the old one holds.
        What answers by a name goes on until the new one is there.
        """
        before, self.listing = self.listing, listing
        for version in [each for each, origin in listing.origins.items() if before.origins.get(each, origin) != origin]:
            self.refused.pop(version, None)
        for version in [each for each in self.loaded if self._outdated(each) and not self.pointed(each)]:
            del self.loaded[version]

    def refuse(self, version: str, error: ServiceError, now: float) -> None:
        """A version cannot be had."""
        self.refused[version] = Refusal(error, now if isinstance(error, Temporary) else now + RETRY_SECONDS)

    def take(self, new: Served, origin: str = "") -> None:
        """A version is ready; it answers for all that name it.

        Args:
            new: what answers.
            origin: of the version, as the listing had it when its files were asked for.
        """
        self.loaded[new.version] = new
        self.origins[new.version] = origin
        self.refused.pop(new.version, None)
        self.evicted.discard(new.version)
        self.settle()

    def evict(self, version: str) -> None:
        """Let a version go, until somebody asks for it."""
        self.evicted.add(version)
        del self.loaded[version]
        self.settle()

    def unload(self) -> None:
        """Let everything go, until somebody orders it back."""
        self.off = True
        self.loaded.clear()
        self.settle()

    def settle(self) -> None:
        """Find anew what answers for what.

        Whatever is named but not there (yet, or at all) is answered for by the version that did before.
        """
        before, self.answering = self.answering, {}
        targets = dict(self._targets())
        for selector in (DEFAULT, *self.listing.aliases):
            version = targets.get(selector)
            if version in self.loaded:
                self.answering[selector] = self.loaded[version]
            elif version not in self.evicted and before.get(selector) in self.loaded.values():
                self.answering[selector] = before[selector]
        self.answering |= self.loaded

    def tidy(self) -> None:
        """Forget versions that the source has no more, unless one of them still answers for another."""
        named = {each.version for selector, each in self.answering.items() if selector not in self.loaded}
        for version in set(self.loaded) - set(self.listing.versions) - named:
            del self.loaded[version]
        self.refused = {each: why for each, why in self.refused.items() if each in self.listing.versions}
        self.evicted &= set(self.listing.versions)
        self.origins = {version: origin for version, origin in self.origins.items() if version in self.loaded}
        self.settle()

    def pointed(self, version: str) -> bool:
        """Whether the default or an alias is answered by a version."""
        return any(each.version == version for selector, each in self.answering.items() if selector not in self.loaded)

    def unfit(self) -> set[str]:
        """Versions that the default or an alias names and that cannot be served; not those that cannot be had now."""
        if self.off:
            return set()
        named = {version for _, version in self._targets()}
        return {each for each in named & set(self.refused) if not isinstance(self.refused[each].error, Temporary)}

    def entries(self, loading: set[tuple[str, str]]) -> Iterator[IndexEntry]:
        """What the repository's index tells: each version and its state."""
        for version in dict.fromkeys((*self.listing.versions, *self.loaded)):
            if version in self.loaded:
                yield IndexEntry(self.name, version, "READY")
            elif (self.name, version) in loading:
                yield IndexEntry(self.name, version, "LOADING")
            else:
                yield IndexEntry(self.name, version, "UNAVAILABLE", self._reason(version))

    def _reason(self, version: str) -> str:
        if self.off:
            return "unloaded"
        refusal = self.refused.get(version)
        return str(refusal.error) if refusal else "not loaded; it is when somebody asks for it"

    def _outdated(self, version: str) -> bool:
        """Whether what is loaded is not what the source has under that number."""
        return self.origins.get(version, "") != self.listing.origins.get(version, "")

    def _due(self, version: str, now: float) -> bool:
        return version not in self.refused or self.refused[version].due <= now

    def _targets(self) -> Iterator[tuple[str, str]]:
        for selector in (DEFAULT, *self.listing.aliases):
            try:
                yield selector, self.target(selector)
            except VersionUnknown:
                continue
