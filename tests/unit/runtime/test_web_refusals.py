"""Requests that the thread-per-connection server refuses: as JSON, with a 4xx, and without harm to the next one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime import metrics
from runtime.health import Health
from runtime.web import Answer, Web


class Site:
    """A service with one question and one order, and what it was ordered."""

    def __init__(self) -> None:
        self.ordered: list[Any] = []
        self.web = Web(
            0, Health(), metrics.registry(), host="127.0.0.1",
            questions={"value": lambda path: (HTTPStatus.OK, list(path))}, orders={"order": self._order},
        ).start()  # fmt: skip
        self.address = f"http://127.0.0.1:{self.web.port}"
        self.client = httpx.Client(trust_env=False)

    def _order(self, path: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        self.ordered.append(body)
        return HTTPStatus.ACCEPTED, [list(path), body]

    def raw(self, content: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send bytes and nothing more; return status, headers and body of the first answer, 0 where there is none."""
        with socket.create_connection(("127.0.0.1", self.web.port), 5) as wire:
            wire.sendall(content)
            wire.shutdown(socket.SHUT_WR)
            data = b"".join(iter(lambda: wire.recv(65536), b""))
        head, _, body = data.partition(b"\r\n\r\n")
        if not head:
            return 0, {}, b""
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
        return int(line.split()[1]), headers, body[: int(headers["content-length"])]


@pytest.fixture
def site() -> Iterator[Site]:
    """Return the service; it answers afterwards as before."""
    made = Site()
    yield made
    assert made.client.get(f"{made.address}/value/a").json() == ["a"]
    made.client.close()
    made.web.close()


def _post(*headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join(("POST /order HTTP/1.1", "host: m", *headers, "", "")).encode("latin-1") + body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "no JSON"),
        (b"[" * 250_000 + b"]" * 250_000, "recursion"),
        (b'{"":' * 250_000, "recursion"),
        (b"[NaN]", "no JSON"),
        (b"[Infinity]", "no JSON"),
        (b"[1e999]", "no JSON"),
        (b'["\xff"]', "no JSON"),
        (b'["\\ud800"]', "no JSON"),
        (b"[" + b"9" * 5000 + b"]", "no JSON"),
    ],
)
def test_bodies_that_are_no_json(site: Site, body: bytes, words: str) -> None:
    """Cut off, nested 250,000 times, or with what JSON has not: 400, and nothing is carried out."""
    found = site.client.post(f"{site.address}/order", content=body)
    assert found.status_code == 400
    assert words in found.json()["error"]
    assert not site.ordered


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (_post("content-length: x", body=b"[1]"), 400),
        (_post("content-length: -3", body=b"[1]"), 400),
        (_post("content-length: +3", body=b"[1]"), 400),
        (_post("content-length: 3,4", body=b"[1]"), 400),
        (_post("content-length: \xb3", body=b"[1]"), 400),
        (_post("content-length: " + "9" * 5000, body=b"[1]"), 400),
        (_post("content-length: 2000000", body=b"[1]"), 413),
        (_post("transfer-encoding: chunked", body=b"3\r\n[1]\r\n0\r\n\r\n"), 411),
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET /value HTTP/9.9\r\n\r\n", 505),
        (b"GET /value HTTP/x\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /value HTTP/1.1\r\nx: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /value HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n", 431),
        (b"PUT /value HTTP/1.1\r\nhost: m\r\n\r\n", 405),
        (b"BREW /order HTTP/1.1\r\nhost: m\r\n\r\n", 405),
    ],
)
def test_requests_that_are_none(site: Site, content: bytes, status: int) -> None:
    """Each is told as JSON what is wrong, and the connection ends: where the next would begin, nobody knows."""
    found, headers, body = site.raw(content)
    assert (found, headers["content-type"], headers["connection"]) == (status, "application/json", "close")
    assert json.loads(body)["error"]
    assert not site.ordered
    if status == 405:
        assert headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("body", [b"", b"[", b"[1"])
def test_half_an_order_is_not_carried_out(site: Site, body: bytes) -> None:
    """A caller that leaves before the end of its body has ordered nothing."""
    assert site.raw(_post("content-length: 3", body=body))[0] == 0
    assert not site.ordered
    assert site.raw(_post("content-length: 3", body=b"[1]"))[0] == 202
    assert site.ordered == [[1]]


def test_a_question_may_have_a_body(site: Site) -> None:
    """Nobody reads it, and it is not taken for the next request."""
    inner = b"POST /order HTTP/1.1\r\nhost: m\r\n\r\n"
    head = b"GET /value/a HTTP/1.1\r\nhost: m\r\ncontent-length: %d\r\n\r\n" % len(inner)
    assert site.raw(head + inner)[2] == b'["a"]\n'
    assert not site.ordered


def test_a_head_is_asked_for_as_the_whole(site: Site) -> None:
    """The same headers, and no body."""
    whole, head = site.client.get(f"{site.address}/value/a"), site.client.head(f"{site.address}/value/a")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


def test_segments_are_what_they_stand_for(site: Site) -> None:
    """A name with a space, a slash or an accent is the same name in a path."""
    assert site.client.get(f"{site.address}/value/a%20b%2Fc/%C3%A9").json() == ["a b/c", "é"]


_TEXT = st.text(max_size=6).map(lambda text: quote(text, safe=""))


@settings(
    max_examples=200, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS"]),
    path=st.lists(st.sampled_from(["value", "order", "metrics", "livez", "..", "%00", "%"]) | _TEXT, max_size=5),
    query=_TEXT,
    body=st.binary(max_size=12) | st.sampled_from([b"[]", b"{}", b"null"]),
)
def test_whatever_is_asked_is_answered(site: Site, method: str, path: list[str], query: str, body: bytes) -> None:
    """Any method, path, query and body: never a 5xx."""
    found = site.client.request(method, f"{site.address}/{'/'.join(path)}?{query}", content=body)
    assert found.status_code < 500, found.text
