"""HTTP as bytes on a socket: what no client library would send."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from integration.serving.victim import BODY, INFER

SECONDS = 10.0
"""That a server has to answer, or to close the connection."""
POST = f"POST {INFER} HTTP/1.1"
LENGTH, CHUNKED = f"content-length: {len(BODY)}", "transfer-encoding: chunked"


class Reply(NamedTuple):
    """What came back: the status and the body of the last answer; 0 where the server closed without one."""

    status: int
    body: bytes


CLOSED = Reply(0, b"")


def refused(found: Reply) -> None:
    """Hold an answer to being a refusal; what is told as JSON is told as every error is."""
    assert found == CLOSED or 400 <= found.status < 500 or found.status in {501, 505}, found
    if found.body.startswith(b"{"):
        assert list(json.loads(found.body)) == ["error"]


def computed(found: Reply) -> None:
    """Hold an answer to the right number."""
    assert found.status == 200, found
    assert json.loads(found.body)["outputs"][0]["data"] == [7.0]


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """Return a connection."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as made:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield made


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    """Return a request as it stands on the wire; nothing is added but the host."""
    return "\r\n".join((line, "host: m", *headers, "", "")).encode("latin-1") + body


def chunk(content: bytes, size: bytes | None = None) -> bytes:
    """Return a chunk, of its own size or of one that it only says."""
    return (b"%x" % len(content) if size is None else size) + b"\r\n" + content + b"\r\n"


WHOLE = request(POST, LENGTH, body=BODY)
END = chunk(b"")


def replies(port: int, *pieces: bytes, last: int = 1) -> list[Reply]:
    """Send pieces, one after the other, and return so many answers, or those that came before the connection closed."""
    with connected(port) as wire:
        for piece in pieces:
            with contextlib.suppress(ConnectionError):
                wire.sendall(piece)
        return read(wire, last)


def reply(port: int, *pieces: bytes) -> Reply:
    """Send pieces and return the first answer."""
    return (replies(port, *pieces) or [CLOSED])[0]


def poured(port: int, head: bytes, drops: Iterable[bytes]) -> tuple[int, Reply]:
    """Send drops for as long as the server takes them; how many bytes it took, and what it said."""
    taken = 0
    with connected(port) as wire:
        try:
            wire.sendall(head)
            for drop in drops:
                wire.sendall(drop)
                taken += len(drop)
        except OSError:
            pass  # it has had enough
        return taken, (read(wire, 1) or [CLOSED])[0]


def left(port: int, content: bytes, *, abruptly: bool = False) -> None:
    """Send something, and leave without waiting for an answer: with a FIN, or with a reset."""
    with connected(port) as wire:
        wire.sendall(content)
        if abruptly:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def read(wire: socket.socket, wanted: int) -> list[Reply]:
    """Return answers as they come, each read to the end of its body."""
    found: list[Reply] = []
    data, deadline = b"", time.monotonic() + SECONDS
    while len(found) < wanted:
        made, data = _taken(data)
        if made is not None:
            if made.status != 100:
                found.append(made)
            continue
        assert time.monotonic() < deadline, f"neither an answer nor the end of the connection: {data[:200]!r}"
        try:
            piece = wire.recv(65536)
        except ConnectionError:
            piece = b""
        if not piece:
            return found
        data += piece
    return found


def _taken(data: bytes) -> tuple[Reply | None, bytes]:
    """Take the first whole answer off what came."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None, data
    line, *fields = head.decode("latin-1").split("\r\n")
    version, status, *_ = line.split(" ")
    assert version.startswith("HTTP/1."), line
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
    size = int(headers.get("content-length", 0))
    if len(rest) < size:
        return None, data
    return Reply(int(status), rest[:size]), rest[size:]
