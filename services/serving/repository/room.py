"""How much may be in memory, and who goes when there is too much."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from serving.errors import TooBig
from serving.model.version import Served
from serving.repository.shelf import Shelf
from serving.source.artifact import Artifact


@dataclass(frozen=True)
class Room:
    """How much may be in memory.

    Attributes:
        versions: at most so many.
        size: bytes of their files together.
    """

    versions: int = 16
    size: int = 1_000_000_000

    def made(self, shelves: Collection[Shelf], artifact: Artifact) -> Iterator[Served]:
        """Make room for a version: evict others, and give each of them.

        What nothing points to goes before what something does, and what was asked least recently goes first.

        Raises:
            TooBig: there is not enough even without any other.
        """
        if artifact.size > self.size:
            told = f"model {artifact.name} version {artifact.version}: {artifact.size} bytes"
            raise TooBig(told, f"all together may have {self.size}: set TARMAC_MODELS_BYTES")
        there = [(shelf, each) for shelf in shelves for each in shelf.loaded.values()]
        there.sort(key=lambda at: (at[0].pointed(at[1].version), at[1].used))
        count, size = len(there) + 1, sum(each.size for _, each in there) + artifact.size
        for shelf, victim in there:
            if count <= self.versions and size <= self.size:
                return
            shelf.evict(victim.version)
            count, size = count - 1, size - victim.size
            yield victim
