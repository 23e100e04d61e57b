"""Where a site keeps its readings until the centre has acknowledged them.

MemoryStore   gone with the process
DiskStore     an append-only file: what `put` returned from is there after a crash, of the process or of the machine

Both hold a bounded number of readings; when they are full the oldest is given up, and counted. Both know the newest
reading, forwarded or not, for that is what the site answers with. Not safe for two threads: the site holds a lock.
"""

import io
import logging
import os
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

log = logging.getLogger(__name__)

_SLACK = 256  # lines that need no longer be held before the file is written anew


class Held(NamedTuple):
    """A reading under its number."""

    sequence: int
    value: bytes


class Store(Protocol):
    """What a site needs of a store."""

    dropped: int
    """Readings given up because the store was full."""

    def put(self, readings: Sequence[Held]) -> None:
        """Keep readings; those whose number is not above the last one are known already and left out."""

    def first(self, count: int, after: int = 0) -> list[Held]:
        """The oldest `count` readings whose number is above `after`."""

    def forget(self, sequence: int) -> None:
        """Readings up to this number have arrived."""

    def latest(self) -> Held | None:
        """The newest reading ever put, or None."""

    def __len__(self) -> int: ...

    def close(self) -> None:
        """Free what is held open."""


class MemoryStore:
    """Keeps at most `limit` readings in memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Held] = deque()
        self._latest: Held | None = None
        self.dropped = 0

    def put(self, readings: Sequence[Held]) -> None:
        """See Store.put."""
        for reading in self._new(readings):
            self._waiting.append(reading)
            self._latest = reading
        while len(self._waiting) > self._limit:
            self._waiting.popleft()
            self.dropped += 1

    def first(self, count: int, after: int = 0) -> list[Held]:
        """See Store.first."""
        return list(islice((reading for reading in self._waiting if reading.sequence > after), count))

    def forget(self, sequence: int) -> None:
        """See Store.forget."""
        while self._waiting and self._waiting[0].sequence <= sequence:
            self._waiting.popleft()

    def latest(self) -> Held | None:
        """See Store.latest."""
        return self._latest

    def __len__(self) -> int:
        return len(self._waiting)

    def close(self) -> None:
        """See Store.close."""

    def _new(self, readings: Sequence[Held]) -> list[Held]:
        last = self._latest.sequence if self._latest else 0
        return [reading for reading in readings if reading.sequence > last]


class DiskStore(MemoryStore):
    """Keeps at most `limit` readings in `folder`; nothing that `put` returned from is lost by a crash.

    The file is a log of two kinds of line, `CRC + SEQUENCE VALUE` and `CRC - SEQUENCE` (arrived up to there). A line
    that was being written when the process ended fails its CRC: nobody was told that it is kept, and it is cut off.
    Compaction writes a new file beside the old one and takes its place in one step.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        super().__init__(limit)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / "readings.log"
        self._lines = 0
        self._size = 0
        self._read()
        self._file = self._path.open("ab", buffering=0)
        _sync_folder(folder)

    def put(self, readings: Sequence[Held]) -> None:
        """See Store.put; on the disk when it returns."""
        new = self._new(readings)
        if not new:
            return
        self._append([_line(b"+", reading.sequence, reading.value) for reading in new])
        super().put(new)
        self._compact_if_worthwhile()

    def forget(self, sequence: int) -> None:
        """See Store.forget."""
        if not self._waiting or self._waiting[0].sequence > sequence:
            return
        self._append([_line(b"-", sequence, b"")])
        super().forget(sequence)
        self._compact_if_worthwhile()

    def close(self) -> None:
        """See Store.close."""
        self._file.close()

    def _append(self, lines: list[bytes]) -> None:
        data = b"".join(lines)
        try:
            _write_whole(self._file, data)
            os.fsync(self._file.fileno())
        except OSError:
            # Half a line in the middle would hide all that follows it from the next start.
            os.ftruncate(self._file.fileno(), self._size)
            raise
        self._size += len(data)
        self._lines += len(lines)

    def _read(self) -> None:
        if not self._path.exists():
            return
        for kind, sequence, value, size in _sound_lines(self._path):
            if kind == b"+":
                super().put([Held(sequence, value)])
            else:
                super().forget(sequence)
            self._size += size
            self._lines += 1
        if self._size < self._path.stat().st_size:
            log.warning("the end of the store was being written when the process ended", extra={"kept": self._size})
            os.truncate(self._path, self._size)
        self.dropped = 0

    def _compact_if_worthwhile(self) -> None:
        if self._lines > 2 * len(self._waiting) + _SLACK:
            self._compact()

    def _compact(self) -> None:
        latest = self._latest
        kept = list(self._waiting) if self._waiting else [latest] if latest else []
        lines = [_line(b"+", reading.sequence, reading.value) for reading in kept]
        if latest and not self._waiting:
            lines.append(_line(b"-", latest.sequence, b""))  # it has arrived; it is kept as the site's answer
        data = b"".join(lines)
        fresh = self._folder / "readings.new"
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        _sync_folder(self._folder)
        self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._lines, self._size = len(lines), len(data)


def _line(kind: bytes, sequence: int, value: bytes) -> bytes:
    body = b"%s %d %s" % (kind, sequence, value)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _sound_lines(path: Path) -> Iterator[tuple[bytes, int, bytes, int]]:
    """(kind, sequence, value, bytes in the file) of each line up to the first that was not written whole."""
    with path.open("rb") as file:
        for line in file:
            crc, _, body = line.removesuffix(b"\n").partition(b" ")
            if not line.endswith(b"\n") or crc != b"%08x" % zlib.crc32(body):
                return
            kind, sequence, value = body.split(b" ", 2)
            yield kind, int(sequence), value, len(line)


def _write_whole(file: io.FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _sync_folder(folder: Path) -> None:
    """Make names in the folder durable too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
