"""The load: connections that each ask, wait for the whole answer, and ask again.

    python bench/feature_load.py HOST PORT CONNECTIONS SECONDS BODY...     one line of JSON: requests, rate, latencies

Each connection takes the bodies in turn. Answers are counted by their length, never parsed: the client must cost less
than any server.
"""

import asyncio
import functools
import json
import sys
import time
from typing import cast

import uvloop

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Asker(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: list[bytes], place: int) -> None:
        self.requests = requests
        self.place = place
        self.latencies: list[float] = []
        self.failures = 0
        self.left = -1  # bytes of the answer that are still to come; -1: its head is
        self.head = b""
        self.begun = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self.transport = cast("asyncio.Transport", transport)
        self.ask()

    def ask(self) -> None:
        """Send the next request."""
        assert self.transport  # noqa: S101  it was made
        self.place = (self.place + 1) % len(self.requests)
        self.begun = time.perf_counter()
        self.transport.write(self.requests[self.place])

    def data_received(self, data: bytes) -> None:
        """Count, and ask again once all is there."""
        if self.left < 0:
            self.head += data
            end = self.head.find(_END)
            if end < 0:
                return
            head = self.head[:end].lower()
            self.failures += b" 200" not in head[:16]
            at = head.index(_LENGTH) + len(_LENGTH)
            length = int(head[at:].split(b"\r\n", 1)[0])
            self.left = length - (len(self.head) - end - len(_END))
            self.head = b""
        else:
            self.left -= len(data)
        if self.left == 0:
            self.left = -1
            self.latencies.append(time.perf_counter() - self.begun)
            self.ask()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Be seen as failed: a server that restarts its worker drops its callers."""
        self.transport = None


def request(host: str, path: str, body: bytes) -> bytes:
    """Return a POST."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def measure(host: str, port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, object]:
    """Send whole requests over so many connections for so long; what was measured."""
    finished: list[Asker] = []
    askers = [await _connected(host, port, requests, place) for place in range(connections)]
    begun = time.perf_counter()
    dropped = 0
    while (spent := time.perf_counter() - begun) < seconds:
        await asyncio.sleep(min(0.05, seconds - spent))
        for place, asker in enumerate(askers):
            if asker.transport is None:  # dropped: connect again, as any client does
                dropped += 1
                finished.append(asker)
                askers[place] = await _connected(host, port, requests, place)
    taken = time.perf_counter() - begun
    every = sorted(1000 * each for asker in (*askers, *finished) for each in asker.latencies)
    failures = sum(asker.failures for asker in (*askers, *finished))
    return {
        "requests": len(every), "seconds": round(taken, 3), "failures": failures, "dropped": dropped,
        "rate": round(len(every) / taken, 1), "p50_ms": _part(every, 0.5), "p99_ms": _part(every, 0.99),
    }  # fmt: skip


async def _connected(host: str, port: int, requests: list[bytes], place: int) -> Asker:
    loop = asyncio.get_running_loop()
    _, asker = await loop.create_connection(functools.partial(Asker, requests, place), host, port)
    return asker


def _part(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 3) if ordered else None


if __name__ == "__main__":
    host, port, connections, seconds, *bodies = sys.argv[1:]
    asked = [request(host, "/get-online-features", body.encode()) for body in bodies]
    found = uvloop.run(measure(host, int(port), int(connections), float(seconds), asked))
    print(json.dumps(found))
