"""Mangled HTTP on raw sockets: refused with a 4xx or a closed connection, whichever server speaks HTTP here.

After each of them the process is the same one and answers with the right number.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.serving import raw
from integration.serving.raw import CHUNKED, CLOSED, END, LENGTH, POST, WHOLE, chunk, computed, refused
from integration.serving.victim import BODY, Victim


@pytest.fixture(autouse=True)
def _unharmed(server: Victim) -> Iterator[None]:
    """Hold the server to being as it was, whatever was sent to it."""
    yield
    server.unharmed()


@pytest.mark.parametrize(
    "content",
    [
        b"\r\n\r\n \r\n",
        b"GARBAGE\r\n\r\n",
        b"\0" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\nhost: m\r\n\r\n",
        b"GET / XTTP/1.1\r\nhost: m\r\n\r\n",
        b"get /v2 HTTP/1.1\r\nhost: m\r\n\r\n",
        b"GET  HTTP/1.1\r\nhost: m\r\n\r\n",
        b"\x80\x81\x82 /v2 HTTP/1.1\r\nhost: m\r\n\r\n",
        raw.request("GET /v2 HTTP/1.1", "no colon"),
        raw.request("GET /v2 HTTP/1.1", ": no name"),
        raw.request("GET /v2 HTTP/1.1", "na me: x"),
        raw.request("GET /v2 HTTP/1.1", "name: a\0b"),
        raw.request("GET /v2 HTTP/1.1", "name: a\rb: c"),
    ],
)
def test_what_is_no_http(server: Victim, content: bytes) -> None:
    """Another protocol, no request line, headers that are none."""
    refused(raw.reply(server.port, content))


@pytest.mark.parametrize(
    "headers",
    [
        ["content-length: x"],
        ["content-length: -5"],
        ["content-length: +5"],
        ["content-length: 5, 6"],
        ["content-length: 5 5"],
        ["content-length: 0x5"],
        ["content-length: " + "9" * 30],
        ["content-length: " + "9" * 5000],
        ["content-length: 5", "content-length: 6"],
        [LENGTH, CHUNKED],
        [CHUNKED, LENGTH],
        ["transfer-encoding: xchunked"],
        ["transfer-encoding: chunked, identity"],
        ["transfer-encoding: chunked, gzip"],
    ],
)
def test_bodies_whose_end_nobody_knows(server: Victim, headers: list[str]) -> None:
    """A length that is none, two of them, or a length and pieces."""
    refused(raw.reply(server.port, raw.request(POST, *headers, body=BODY)))


@pytest.mark.parametrize(
    "body",
    [
        chunk(BODY, b"zz") + END,
        chunk(BODY, b"-5") + END,
        chunk(BODY, b"0x5") + END,
        chunk(BODY, b"f" * 17) + END,
        chunk(BODY, b"") + END,
        chunk(BODY, b"%x" % (len(BODY) - 1)) + END,
        chunk(BODY)[:-2] + END,
    ],
)
def test_chunks_that_are_broken(server: Victim, body: bytes) -> None:
    """Sizes that are none, or are not those of what follows."""
    refused(raw.reply(server.port, raw.request(POST, CHUNKED, body=body)))


def test_a_chunk_of_more_than_any_body(server: Victim) -> None:
    """It says so itself, and is told so while it is still being sent."""
    head, drops = raw.request(POST, CHUNKED, body=b"ffffffff\r\n"), itertools.repeat(b" " * 65536, 300)
    assert raw.poured(server.port, head, drops)[1].status in {0, 413}


@pytest.mark.parametrize(
    "pieces",
    [
        [raw.request(POST, CHUNKED, body=chunk(BODY) + END)],
        [raw.request(POST, CHUNKED), *(chunk(BODY[at : at + 1]) for at in range(len(BODY))), END],
        [raw.request(POST, CHUNKED, body=chunk(BODY, b"%x;a=b" % len(BODY)) + b"0\r\nx-trailer: a\r\n\r\n")],
        [raw.request(POST, LENGTH, "expect: 100-continue"), BODY],
        [bytes([each]) for each in WHOLE],
        [raw.request(POST.replace("1.1", "1.0"), LENGTH, body=BODY)],
        [b"\r\n\r\n" + WHOLE],
        [raw.request(POST, LENGTH.upper().replace(": ", ":\t  "), body=BODY)],
    ],
)
def test_what_only_looks_strange(server: Victim, pieces: list[bytes]) -> None:
    """Single bytes, tiny chunks, extensions, trailers: HTTP has all of it."""
    computed(raw.reply(server.port, *pieces))


@pytest.mark.parametrize("offer", ["websocket", "h2c", "HTTP/3.0", "x" * 1000])
def test_an_offer_of_another_protocol(server: Victim, offer: str) -> None:
    """It is not taken: the request is answered as any, or refused; without a body it is answered."""
    headers = (f"upgrade: {offer}", "connection: upgrade")
    found = raw.reply(server.port, raw.request(POST, LENGTH, *headers, body=BODY))
    (computed if found.status == 200 else refused)(found)
    assert raw.reply(server.port, raw.request("GET /v2 HTTP/1.1", *headers)).status == 200


@pytest.mark.parametrize("bad", [b"GARBAGE\r\n\r\n", raw.request(POST, "content-length: x")])
def test_garbage_behind_a_good_request(server: Victim, bad: bytes) -> None:
    """The good one is answered, the other is refused."""
    first, second = (*raw.replies(server.port, WHOLE + bad, last=2), CLOSED, CLOSED)[:2]
    if first.status == 200:
        computed(first)
        refused(second)
    else:  # the connection was given up before the first was computed
        refused(first)


def test_requests_one_after_the_other(server: Victim) -> None:
    """Sent at once, each is answered, in its turn."""
    found = raw.replies(server.port, WHOLE * 20, last=20)
    assert len(found) == 20
    for each in found:
        computed(each)


_PARTS = st.sampled_from(
    [
        b"GET ", b"POST ", b"CONNECT ", b"/v2", b"/v2/models/m/infer", b"*", b"http://[::1", b"//", b"%", b"%zz", b"?",
        b"#", b" HTTP/1.1", b" HTTP/1.0", b" HTTP/0.9", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"host: m\r\n",
        b"content-length: 3", b"content-length: 99", b"transfer-encoding: chunked\r\n", b"connection: upgrade\r\n",
        b"upgrade: h2c\r\n", b"expect: 100-continue\r\n", b"traceparent: \xff1\r\n", b"5\r\n", b"0\r\n\r\n", b":",
        b" ", b"\t", b"\0", b"{}", BODY,
    ]
)  # fmt: skip


@settings(
    max_examples=200, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(content=st.lists(_PARTS | st.binary(max_size=6), max_size=14).map(b"".join))
def test_whatever_stands_on_the_wire(server: Victim, content: bytes) -> None:
    """Pieces of HTTP in any order: it is answered, refused or waited for, and the next caller is served."""
    with raw.connected(server.port) as wire:
        wire.sendall(content + b"\r\n\r\n")
        wire.settimeout(0.02)
        try:
            found = wire.recv(65536)
        except (TimeoutError, ConnectionError):
            found = b""
    assert not found or int(found.split(b" ")[1]) < 500 or found.split(b" ")[1] in {b"501", b"505"}, found
