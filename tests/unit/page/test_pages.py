"""The page as a browser gets it: both languages alike, nothing from elsewhere, every figure with its question."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import pytest

from page.desk import Desk
from page.questions import ALERTS, COURSES, EVIDENCE, GATEWAY, LOST, PHASE, VERSIONS, WEIGHTS
from page.settings import PageSettings
from runtime.health import Health
from runtime.metrics import registry
from runtime.web import Page, Web
from unit.page.sources import SERIES, TRACE, jaeger, prometheus, standing

_VOID = {"meta", "link", "br"}


class Document(HTMLParser):
    """A page, read: its elements in their order, its links, its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """See that the innermost element is the one that ends."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note words, but the style sheet's."""
        if self._open and self._open[-1] != "style":
            self.words += data


def _page(settings: PageSettings, path: str) -> tuple[HTTPStatus, Document]:
    first, *rest = [part for part in path.split("/") if part] or [""]
    status, page = Desk(settings).questions()[first](tuple(rest))
    assert isinstance(page, Page)
    return status, Document(page.html)


@pytest.fixture
def settings() -> Iterator[PageSettings]:
    """A page with figures and traces."""
    with standing() as made:
        yield made


@pytest.mark.parametrize("path", ["", "/still", f"/trace/{TRACE['traceID']}", "/trace/cd"])
def test_both_languages_have_the_same_parts(settings: PageSettings, path: str) -> None:
    """Element for element; the words differ, and each page names its language and leads to the other."""
    (_, english), (_, french) = _page(settings, f"/en{path}"), _page(settings, f"/fr{path}")
    assert english.tags == french.tags
    assert english.words != french.words
    assert english.attributes[0] == ("lang", "en")
    assert french.attributes[0] == ("lang", "fr")
    assert f"/fr{path}" in english.links
    assert f"/en{path}" in french.links


@pytest.mark.parametrize("path", ["/en", "/fr/still", f"/en/trace/{TRACE['traceID']}"])
def test_nothing_runs_and_nothing_is_fetched(settings: PageSettings, path: str) -> None:
    """No script, picture, font or frame; a policy that would keep one from running."""
    _, page = _page(settings, path)
    assert not {"script", "img", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name == "src" or name.startswith("on")]
    policy = next(value for name, value in page.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'")
    assert page.tags.count("link") == 1  # an icon of no bytes, so that no browser asks for one


def test_every_figure_leads_to_its_question(settings: PageSettings) -> None:
    """A link to Prometheus with the PromQL that the page itself asked, for each figure and each course."""
    _, page = _page(settings, "/en")
    there = [urlsplit(each) for each in page.links if each.startswith(f"{settings.prometheus_link}/graph?")]
    asked = {parse_qs(each.query)["g0.expr"][0] for each in there}
    single = (WEIGHTS, PHASE, EVIDENCE, LOST, ALERTS)
    assert asked == {each.query for each in (*VERSIONS, *GATEWAY, *single, *COURSES)}


def test_figures_are_written_as_the_language_has_them(settings: PageSettings) -> None:
    """The same figures with a point in English and a comma in French; a dash where there is none."""
    (_, english), (_, french) = _page(settings, "/en"), _page(settings, "/fr")
    for point, comma in (("18.2", "18,2"), ("12.50", "12,50"), ("1,234.5", "1\u202f234,5"), ("1,234", "1\u202f234")):
        assert point in english.words
        assert comma in french.words
    assert english.words.count("-") == french.words.count("-")


def test_lines_are_told_apart_without_colour(settings: PageSettings) -> None:
    """Each course says in words which track it is, how its line is drawn, and its least, greatest and last value."""
    _, page = _page(settings, "/en")
    assert "stable (solid line): 18.2 per s now, 18.2 to 18.2 in 15 minutes" in page.words
    assert "canary (dashed line): 12.50 % now" in page.words
    assert page.tags.count("polyline") == 6
    assert ("role", "img") in page.attributes


def test_what_a_label_says_stays_words() -> None:
    """A model or an operation that is called like an element makes none."""
    evil = {"track": "stable", "model": "<script>alert(1)</script>", "version": '"><b>'}
    series = {**SERIES, "rate": [(evil, "1")], "alerts": [({"alertname": "<b>", "x": "&"}, "1")]}
    spans = [{**each, "operationName": "<i>x</i>"} for each in TRACE["spans"]]
    with standing(prometheus(series), jaeger([{**TRACE, "spans": spans}])) as settings:
        for path in ("/en", f"/fr/trace/{TRACE['traceID']}"):
            _, page = _page(settings, path)
            assert not {"script", "b", "i"} & set(page.tags)
            assert "<i>x</i>" in page.words


def test_prometheus_away_is_said_first_and_traces_stay() -> None:
    """One clear sentence, the reason and a remedy, as an alert; what Jaeger knows is still there."""
    with standing(lambda *_: (503, "starting")) as settings:
        for language, words in (("en", "Prometheus does not answer"), ("fr", "Prometheus ne répond pas")):
            status, page = _page(settings, f"/{language}")
            assert status == HTTPStatus.OK
            assert words in page.words
            assert ("role", "alert") in page.attributes
            assert "flight.departed.v1" in page.words


def test_jaeger_away_is_said_and_figures_stay() -> None:
    """The same the other way round; one trace alone cannot be shown then (503)."""
    with standing(jaeger_=lambda *_: (503, "starting")) as settings:
        status, page = _page(settings, "/fr")
        assert status == HTTPStatus.OK
        assert "Jaeger ne répond pas" in page.words
        assert "18,2" in page.words
        assert _page(settings, "/en/trace/ab")[0] == HTTPStatus.SERVICE_UNAVAILABLE


def test_no_data_is_said_everywhere() -> None:
    """Before the first prediction: each part says that there is nothing, instead of showing an empty table."""
    with standing(prometheus({}), jaeger([])) as settings:
        _, page = _page(settings, "/en")
    for words in (
        "No data: no server of models", "No release is known", "No data on the route's weights",
        "no data in the last 15 minutes", "No alert fires", "No data: no trace of the last hour went through serving",
    ):  # fmt: skip
        assert words in page.words
    assert "table" not in page.tags


def test_a_trace_is_shown_step_by_step(settings: PageSettings) -> None:
    """Its steps, services and times, failures in words, and the way to Jaeger's own page."""
    status, page = _page(settings, f"/en/trace/{TRACE['traceID']}")
    assert status == HTTPStatus.OK
    assert "run <model> (failed)" in page.words
    assert f"{settings.jaeger_link}/trace/{TRACE['traceID']}" in page.links
    status, gone = _page(settings, "/en/trace/cd")
    assert status == HTTPStatus.NOT_FOUND
    assert "no longer" in gone.words


def test_a_reader_can_stop_the_renewing(settings: PageSettings) -> None:
    """The first page renews itself and leads to one that does not, and back."""
    (_, renewed), (_, still) = _page(settings, "/en"), _page(settings, "/en/still")
    assert ("http-equiv", "refresh") in renewed.attributes
    assert "/en/still" in renewed.links
    assert ("http-equiv", "refresh") not in still.attributes
    assert "/en" in still.links


@pytest.mark.parametrize("path", ["/en/no", "/en/trace", "/en/trace/..", "/fr/trace/ABC", "/de"])
def test_other_paths_are_told_apart(settings: PageSettings, path: str) -> None:
    """404 with the paths that there are, over HTTP."""
    web = Web(0, Health(), registry(), questions=Desk(settings).questions(), host="127.0.0.1")
    try:
        status, kind, body = web.answer(path)
        assert (status, kind) == (HTTPStatus.NOT_FOUND, "application/json")
        assert b"/figures" in body
        assert web.answer("/")[1].startswith("text/html")
        assert web.answer("/figures")[1] == "application/json"
    finally:
        web._server.server_close()


def test_every_part_has_a_heading_and_every_table_a_caption(settings: PageSettings) -> None:
    """Who does not see the page finds their way: one first heading, a main part, captions, headings of rows."""
    _, page = _page(settings, "/en")
    assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("nav") == 1
    assert page.tags.count("table") == page.tags.count("caption") == 5
    scopes = [value for name, value in page.attributes if name == "scope"]
    assert {"col", "row"} == set(scopes)
    assert scopes.count("row") == 2 + 3 + 2 + 1 + 1
