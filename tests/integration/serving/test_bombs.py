"""Bombs and callers who leave: requests without end, bodies that unpack to a thousand times their size, half an order.

After each of them the process is the same one, answers with the right number, and has not grown.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import itertools
import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator

import pytest

from integration.serving import raw
from integration.serving.raw import CHUNKED, END, LENGTH, POST, WHOLE, chunk, computed, refused
from integration.serving.victim import BODY, INFER, Victim

POURED = 64_000_000
"""Bytes of a bomb; whoever kept them would be found out by `GROWN`."""
GROWN = 40
"""MiB by which the server may grow over one request."""


@pytest.fixture(autouse=True)
def _unharmed(server: Victim) -> Iterator[None]:
    """Hold the server to being as it was, whatever was sent to it."""
    before = server.memory()
    yield
    server.unharmed()
    assert server.memory() < before + GROWN


def _drops(piece: bytes) -> Iterable[bytes]:
    drop = piece * max(1, 65536 // len(piece))
    return itertools.repeat(drop, POURED // len(drop))


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"GET /", b"a"),
        (b"", b"A"),
        (b"GET /v2 HTTP/1.1\r\nhost: m\r\nx: ", b"a"),
        (b"GET /v2 HTTP/1.1\r\nhost: m\r\n", b"a"),
        (b"GET /v2 HTTP/1.1\r\nhost: m\r\n", b"x: y\r\n"),
        (b"GET /v2 HTTP/1.1\r\nhost: m\r\n", b"x: %b\r\n" % (b"a" * 8000)),
        (raw.request(POST, CHUNKED, body=chunk(BODY) + b"0\r\n"), b"x: y\r\n"),
        (raw.request(POST, CHUNKED, body=chunk(BODY) + b"0\r\nx: "), b"a"),
        (raw.request(POST, CHUNKED, body=b"1;"), b"a"),
        (raw.request(POST, CHUNKED), b"0"),
        (b"", b"\r\n"),
    ],
)
def test_heads_trailers_and_extensions_without_end(server: Victim, head: bytes, piece: bytes) -> None:
    """They are cut off long before they are a burden, and the connection with them."""
    taken, found = raw.poured(server.port, head, _drops(piece))
    refused(found)
    assert taken < POURED / 2


@pytest.mark.parametrize("path", [INFER, "/invocations", "/flights/predict", "/v2/repository/index"])
@pytest.mark.parametrize(
    "head", [b"", b'{"inputs": ', b'{"inputs": [{"data": ', b'{"parameters": {"a": ', b'{"ready": ']
)
def test_json_of_250_000_levels(server: Victim, path: str, head: bytes) -> None:
    """Wherever in a request the levels stand, no stack of the process is deep enough to be used up by them."""
    for body in (head + b"[" * 250_000, head + b'{"a":' * 250_000):
        line = raw.request(f"POST {path} HTTP/1.1", f"content-length: {len(body)}", body=body)
        found = raw.reply(server.port, line)
        assert (found.status, list(json.loads(found.body))) == (400, ["error"]), found


@functools.cache
def _packed(layers: int = 1) -> bytes:
    """A hundred megabytes of nothing, packed so many times; made when they are needed, and with no time in them."""
    return gzip.compress(_packed(layers - 1) if layers > 1 else bytes(100_000_000), 9, mtime=0)


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": _packed,
    "GZIP": lambda: _packed(2),
    "deflate": lambda: zlib.compress(bytes(100_000_000), 9),
    "br": lambda: b"\x5b\xff\xff\xff\xcf" * 1000,
    "zstd": lambda: b"\x28\xb5\x2f\xfd" + b"\xa4\0\0\0\1" * 1000,
    "identity, gzip": lambda: gzip.compress(BODY, mtime=0),
    "nobody-knows-this": lambda: BODY,
    "\xff": lambda: BODY,
}
"""Content-Encoding -> what comes so."""


@pytest.mark.parametrize("encoding", BOMBS)
def test_compressed_bombs_stay_packed(server: Victim, encoding: str) -> None:
    """A body that unpacks to a thousand times its size is told that it is not taken."""
    content = BOMBS[encoding]()
    for path in (INFER, "/invocations", "/flights/predict", "/v2/repository/index"):
        line = f"POST {path} HTTP/1.1"
        found = raw.reply(
            server.port,
            raw.request(line, f"content-encoding: {encoding}", f"content-length: {len(content)}", body=content),
        )
        assert found.status == 415, found
        assert "Content-Encoding" in json.loads(found.body)["error"]


def test_a_compressed_transfer_stays_packed(server: Victim) -> None:
    """Compression of the transfer in place of the content."""
    bomb = _packed()
    refused(raw.reply(server.port, raw.request(POST, "transfer-encoding: gzip, chunked", body=chunk(bomb) + END)))


@pytest.mark.parametrize("abruptly", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"POST",
        raw.request(POST, LENGTH)[:-2],
        raw.request(POST, LENGTH),
        raw.request(POST, LENGTH, body=BODY[:-1]),
        raw.request(POST, CHUNKED, body=chunk(BODY)),
        raw.request(POST, CHUNKED, body=b"ff\r\nhalf"),
        WHOLE,
        WHOLE * 50,
    ],
)
def test_callers_who_leave(server: Victim, content: bytes, *, abruptly: bool) -> None:
    """In the middle of anything, politely or not."""
    for _ in range(5):
        raw.left(server.port, content, abruptly=abruptly)


@pytest.mark.parametrize("abruptly", [False, True])
@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("content-length: 50", b""),
        ("content-length: 50", b"{"),
        (CHUNKED, b""),
        (CHUNKED, b"2\r\n{"),
        (CHUNKED, chunk(b"{}")),
        (CHUNKED, b"zz\r\n"),
    ],
)
def test_half_an_order_is_not_carried_out(server: Victim, header: str, body: bytes, *, abruptly: bool) -> None:
    """An order without a body is one; an order whose body never came is none."""
    order = raw.request("POST /v2/repository/models/mixed/unload HTTP/1.1", header, body=body)
    raw.left(server.port, order, abruptly=abruptly)
    time.sleep(0.1)  # what is carried out is carried out at once
    assert server.ask("GET", "/v2/models/mixed/ready") == (200, {"name": "mixed", "ready": True})


def test_many_callers_who_say_nothing(server: Victim) -> None:
    """They hold nobody up."""
    with contextlib.ExitStack() as connections:
        for number in range(200):
            wire = connections.enter_context(raw.connected(server.port))
            wire.sendall(WHOLE[: number % len(WHOLE)])
        computed(raw.reply(server.port, WHOLE))
