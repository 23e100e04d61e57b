"""Pushes events to `feast serve`, one row a request: python -P -m bench.online_push PORT FILE SECONDS CONNECTIONS.

An event is in once each view that it feeds has its row. Each connection takes the next event as soon as it is free.
"""

import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.online_rows import EVENT_TIME, events, rows

_HEADERS = {"Content-Type": "application/json"}


class Source:
    """Hands out events, as the requests to send, until the time is over.

    Args:
        file: a replay file.
        seconds: until when.

    """

    def __init__(self, file: Path, seconds: float) -> None:
        self._events = events(file)
        self._lock = threading.Lock()
        self._deadline = time.monotonic() + seconds

    def __iter__(self) -> Iterator[list[str]]:
        while time.monotonic() < self._deadline:
            with self._lock:
                event = next(self._events, None)
            if event is None:
                return
            yield [
                json.dumps({
                    "push_source_name": view.push_source,
                    "df": {name: [value.isoformat() if name == EVENT_TIME else value] for name, value in row.items()},
                    "to": "online",
                })
                for view, row in rows(event)
            ]  # fmt: skip


def pushed(port: int, source: Source) -> tuple[int, int]:
    """Push over one connection until nothing is left; events and rows."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    found = number = 0
    for bodies in source:
        for body in bodies:
            connection.request("POST", "/push", body, _HEADERS)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise SystemExit(f"/push answered {answer.status}: {text[:500]!r}")
        found, number = found + 1, number + len(bodies)
    connection.close()
    return found, number


def main(port: int, file: Path, seconds: float, connections: int) -> None:
    """Push, and print what came of it as JSON."""
    pushed(port, Source(file, 0.5))  # caches are warm
    begun = time.monotonic()
    source = Source(file, seconds)
    with ThreadPoolExecutor(connections) as pool:
        found = list(pool.map(lambda _: pushed(port, source), range(connections)))
    took = time.monotonic() - begun
    total, number = (sum(each) for each in zip(*found, strict=True))
    print(json.dumps({"events": total, "rows": number, "seconds": round(took, 2)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
