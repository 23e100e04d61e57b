"""Questions over HTTP: JSON for programs, pages for browsers."""

from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from runtime import metrics
from runtime.health import Health
from runtime.web import Answer, Page, Web


def _page(_path: tuple[str, ...]) -> Answer:
    return HTTPStatus.OK, Page("<!doctype html><title>Santé</title>")


def _value(path: tuple[str, ...]) -> Answer:
    return HTTPStatus.OK, {"path": list(path)}


def _missing(_path: tuple[str, ...]) -> Answer:
    return HTTPStatus.NOT_FOUND, Page("<p>nothing here")


def _broken(_path: tuple[str, ...]) -> Answer:
    raise ValueError("no such luck")


@pytest.fixture
def site() -> Iterator[str]:
    """Return the address of a service with a question of each sort, and one that takes orders."""
    questions = {"page": _page, "value": _value, "missing": _missing, "broken": _broken}
    orders = {"page": lambda path, _body: _page(path), "value": lambda _path, body: (HTTPStatus.ACCEPTED, body)}
    web = Web(0, Health(), metrics.registry(), questions=questions, orders=orders, host="127.0.0.1").start()
    yield f"http://127.0.0.1:{web.port}"
    web.close()


def test_a_page_is_html_in_utf_8(site: str) -> None:
    """A browser is told what it gets, and accents survive the way."""
    answer = httpx.get(f"{site}/page")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.content.decode() == "<!doctype html><title>Santé</title>"


def test_a_value_stays_json(site: str) -> None:
    """Whatever is no page is written as before, with the path's further segments passed on."""
    answer = httpx.get(f"{site}/value/a/b?c=d")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"path": ["a", "b"]}


def test_a_page_bears_any_status(site: str) -> None:
    """What is not there may be told on a page too."""
    answer = httpx.get(f"{site}/missing")
    assert (answer.status_code, answer.text) == (404, "<p>nothing here")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_orders_answer_with_either(site: str) -> None:
    """A POST may be answered with a page or with JSON, as a GET."""
    assert httpx.post(f"{site}/page").headers["Content-Type"] == "text/html; charset=utf-8"
    assert httpx.post(f"{site}/value", json=[1]).json() == [1]


def test_what_goes_wrong_is_told_as_json(site: str) -> None:
    """An unknown path and a question that fails name what is wrong; programs read that, whoever asked."""
    unknown, failed = httpx.get(f"{site}/pages"), httpx.get(f"{site}/broken")
    assert (unknown.status_code, failed.status_code) == (404, 500)
    assert "/page" in unknown.json()["paths"]
    assert failed.json() == {"error": "no such luck"}
