"""Answers Prometheus with the figures of the Redis beside it.

Each reading is one INFO over a connection of its own: nothing is kept that could go stale or break.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

REDIS = ("127.0.0.1", int(os.environ.get("REDIS_PORT", "6379")))
PASSWORD = Path(os.environ.get("REDIS_PASSWORD_FILE", "/run/secrets/redis/password"))
PORT = int(os.environ.get("METRICS_PORT", "9121"))
SECONDS = 3
GAUGES = {
    "memory_used_bytes": ("used_memory", "Memory that Redis counts against its limit"),
    "memory_max_bytes": ("maxmemory", "Memory at which Redis refuses writes"),
    "connected_clients": ("connected_clients", "Clients that are connected"),
    "connected_replicas": ("connected_slaves", "Copies that follow this Redis"),
    "aof_enabled": ("aof_enabled", "1 where writes are appended to a file"),
    "aof_last_write_ok": ("aof_last_write_status", "1 where the last append to the file worked"),
    "aof_last_rewrite_ok": ("aof_last_bgrewrite_status", "1 where the last rewrite of the file worked"),
    "aof_size_bytes": ("aof_current_size", "Size of the append-only file"),
}
COUNTERS = {
    "commands": ("total_commands_processed", "Commands served"),
    "refused_writes": ("errorstat_OOM", "Writes refused because the memory limit was reached"),
    "rejected_connections": ("rejected_connections", "Connections refused because there were too many"),
    "expired_keys": ("expired_keys", "Keys that went because their time was over"),
    "evicted_keys": ("evicted_keys", "Keys that went because memory was short; must stay 0"),
}


def info() -> dict[str, str]:
    """Return what INFO says, field by field.

    Raises:
        OSError: Redis does not answer, or refuses the password.

    """
    password = PASSWORD.read_text().rstrip("\n")
    command = b"".join(_request(*words) for words in (("AUTH", password), ("INFO",), ("QUIT",)))
    with socket.create_connection(REDIS, timeout=SECONDS) as connection:
        connection.sendall(command)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    if not answer.startswith("+OK") or "redis_version:" not in answer:
        raise ConnectionRefusedError(answer[:60])
    return dict(line.split(":", 1) for line in answer.splitlines() if ":" in line)


def _request(*words: str) -> bytes:
    """Return a command as Redis' protocol has it."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)


def number(value: str) -> float:
    """Return a field as a number: `ok` and `err` as 1 and 0, `count=3` as 3."""
    if value in ("ok", "err"):
        return float(value == "ok")
    return float(value.removeprefix("count="))


class Redis(Collector):
    """The figures of one Redis; `redis_up` is 0 and all others are missing where it does not answer."""

    def collect(self) -> Iterator[Metric]:
        """Yield every figure as it is now."""
        try:
            fields = info()
        except OSError:
            fields = {}
        yield GaugeMetricFamily("redis_up", "1 where Redis answers", value=float(bool(fields)))
        if fields:
            yield from _figures(fields)


def _figures(fields: dict[str, str]) -> Iterator[Metric]:
    for name, (field, words) in GAUGES.items():
        yield GaugeMetricFamily(f"redis_{name}", words, value=number(fields.get(field, "0")))
    for name, (field, words) in COUNTERS.items():
        yield CounterMetricFamily(f"redis_{name}", words, value=number(fields.get(field, "0")))
    keys = GaugeMetricFamily("redis_keys", "Keys in each database", labels=["db"])
    for field in (each for each in fields if re.fullmatch(r"db\d+", each)):
        keys.add_metric([field], float(fields[field].split(",")[0].removeprefix("keys=")))
    yield keys


if __name__ == "__main__":
    registry = CollectorRegistry()
    registry.register(Redis())
    start_http_server(PORT, registry=registry)
    # The first process of a container gets no signal that it does not ask for: it would be waited for in vain.
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    asked.wait()
