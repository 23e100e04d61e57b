"""The platform's page in Chromium without a window, over a real Prometheus that reads the services' real figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from integration.page.traffic import MODEL

_CONTRAST = """
() => {
  const shade = (words) => words.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const found = shade(getComputedStyle(each).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const texts = [...document.body.querySelectorAll('*')].filter(
    (each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.map((each) => {
    const style = getComputedStyle(each);
    const ink = shade(each instanceof SVGElement ? style.fill : style.color);
    const [high, low] = [light(ink), light(ground(each))].sort((a, b) => b - a);
    return [each.tagName, (high + 0.05) / (low + 0.05)];
  });
}
"""
"""Contrast of each element that holds text with what is behind it, by the formula of WCAG 2."""


@pytest.fixture
def view(browser: Browser) -> Iterator[Page]:
    """Return a window that remembers what it asked for, and fails the test where the page complains."""
    with browser.new_context() as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert complaints == []


def _row(view: Page, version: str) -> list[str]:
    row = view.locator("#models ~ .wide tbody tr", has=view.get_by_role("rowheader", name=MODEL)).filter(
        has=view.get_by_role("cell", name=version, exact=True)
    )
    texts: list[str] = row.first.locator("th, td").all_inner_texts()
    return texts


def test_it_shows_what_the_services_count(view: Page, page: str) -> None:
    """Rates, failures and latencies of both versions as Prometheus has them, and the route's weights."""
    view.goto(f"{page}/en/still")
    expect(view).to_have_title("Tarmac: the served models")
    told = httpx.get(f"{page}/figures", trust_env=False).json()
    assert told["prometheus"]["answers"]
    canary, stable = _row(view, "4"), _row(view, "3")
    assert canary[:3] == [MODEL, "canary", "4"]
    assert stable[:3] == [MODEL, "stable", "3"]
    assert float(stable[3]) > float(canary[3]) > 1
    assert stable[4] == "0.00"
    assert float(canary[4]) == pytest.approx(25, abs=5)
    assert 0 < float(stable[5]) < float(stable[6]) <= float(stable[7]) < 50
    weights = view.get_by_role("table", name="share of the requests by the route")
    assert weights.get_by_role("row", name="serving-canary").inner_text().split() == ["serving-canary", "25"]
    expect(view.get_by_text("The last release: running, stage 0")).to_be_visible()


def test_it_shows_what_envoy_counts(view: Page, page: str) -> None:
    """By track, from the names of Envoy's clusters, and of all callers; Prometheus understands the questions."""
    view.goto(f"{page}/en/still")
    rows = {
        name: view.locator("#gateway ~ .wide").first.get_by_role("row", name=name).locator("td").all_inner_texts()
        for name in ("canary", "stable", "all callers")
    }
    rate = {name: float(cells[0]) for name, cells in rows.items()}
    assert rate["stable"] > rate["canary"] > 1
    assert rate["all callers"] == pytest.approx(rate["stable"] + rate["canary"], rel=0.05)
    assert rows["stable"][1] == "0.00"
    assert float(rows["canary"][1]) == pytest.approx(25, abs=5)
    assert 0 < float(rows["all callers"][1]) < float(rows["canary"][1])
    assert {cells[2] for cells in rows.values()} == {"9.8"}


def test_it_asks_nobody_else(view: Page, page: str) -> None:
    """Every request of the browser goes to the page itself; the page runs no script of its own."""
    asked: list[str] = []
    view.on("request", lambda request: asked.append(request.url))
    view.goto(f"{page}/fr/still")
    assert view.evaluate("document.scripts.length") == 0
    assert {url for url in asked if not url.startswith((page, "data:"))} == set()


def test_it_reads_without_scripts(browser: Browser, page: str) -> None:
    """Scripts off: the same figures."""
    with browser.new_context(java_script_enabled=False) as context:
        view = context.new_page()
        view.goto(f"{page}/fr/still")
        expect(view.get_by_role("heading", name="Modèles et versions")).to_be_visible()
        expect(view.get_by_role("rowheader", name=MODEL).first).to_be_visible()


def test_a_script_that_got_in_would_not_run(browser: Browser, page: str) -> None:
    """The page's own policy keeps a script out, whatever a label might bring along."""
    with browser.new_context() as context:
        view = context.new_page()
        view.goto(f"{page}/en/still")
        view.evaluate("""() => { const each = document.createElement('script');
            each.textContent = 'window.ran = true'; document.body.append(each); }""")
        assert view.evaluate("window.ran") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["page", "blind"])
def test_words_stand_out(view: Page, scheme: Any, address: str, request: pytest.FixtureRequest) -> None:  # noqa: ANN401
    """Light and dark follow the system; each text has a contrast of 7 to 1 at least (WCAG 2, AAA)."""
    view.emulate_media(color_scheme=scheme)
    view.goto(f"{request.getfixturevalue(address)}/en/still")
    ground = [
        int(each) for each in re.findall(r"\d+", view.evaluate("getComputedStyle(document.body).backgroundColor"))
    ]
    assert (sum(ground[:3]) > 384) == (scheme == "light")
    poor = [(tag, round(ratio, 2)) for tag, ratio in view.evaluate(_CONTRAST) if ratio < 7]
    assert poor == []


def test_a_narrow_window_scrolls_tables_alone(view: Page, page: str) -> None:
    """At 320 pixels (WCAG 2, reflow) nothing but a table goes beyond the edge."""
    view.set_viewport_size({"width": 320, "height": 600})
    view.goto(f"{page}/fr/still")
    assert view.evaluate("document.documentElement.scrollWidth") <= 320


def test_keys_are_enough(view: Page, page: str) -> None:
    """The first stop leads past the head; each table that scrolls is a stop; what has the focus shows it."""
    view.goto(f"{page}/en/still")
    view.keyboard.press("Tab")
    expect(view.get_by_role("link", name="To the figures")).to_be_focused()
    view.keyboard.press("Enter")
    assert view.url.endswith("#main")
    view.keyboard.press("Tab")
    assert view.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_every_link_to_prometheus_is_answered(view: Page, page: str) -> None:
    """Each figure's link leads to where Prometheus draws, and its question is one that it takes."""
    view.goto(f"{page}/en/still")
    links = view.locator("a[href*='/graph?']").evaluate_all("found => found.map((each) => each.href)")
    assert len(links) >= 13
    for link in links:
        address = httpx.URL(link)
        assert address.path == "/graph"
        asked = {"query": address.params["g0.expr"]}
        told = httpx.get(str(address.copy_with(path="/api/v1/query", query=None)), params=asked, trust_env=False)
        assert told.json()["status"] == "success", asked


def test_both_languages_lead_to_each_other(view: Page, page: str) -> None:
    """From English to French and back, with the language that the page says it has."""
    view.goto(f"{page}/en/still")
    view.get_by_role("link", name="Français").click()
    expect(view.locator("html")).to_have_attribute("lang", "fr")
    expect(view.get_by_role("heading", level=1)).to_have_text("Tarmac : les modèles servis")
    view.get_by_role("link", name="English").click()
    expect(view.locator("html")).to_have_attribute("lang", "en")


def test_a_trace_is_followed(view: Page, page: str) -> None:
    """From the list to the steps of one trace, and back to the figures."""
    view.goto(f"{page}/en/still")
    view.get_by_role("link", name="flight.departed.v1").click()
    expect(view.get_by_role("rowheader", name="run <model> (failed)")).to_be_visible()
    expect(view.get_by_role("cell", name="serving").first).to_be_visible()
    view.get_by_role("link", name="Back to the figures").click()
    expect(view.get_by_role("heading", name="Models and versions")).to_be_visible()


def test_prometheus_away_is_an_alert(view: Page, blind: str) -> None:
    """Nobody takes an old or an empty table for the truth: one clear sentence, and traces are still there."""
    view.goto(f"{blind}/en/still")
    expect(view.get_by_role("alert")).to_contain_text("There are no figures: Prometheus does not answer.")
    expect(view.get_by_role("heading", name="Models and versions")).to_have_count(0)
    expect(view.get_by_role("link", name="flight.departed.v1")).to_be_visible()


def test_it_renews_itself_until_somebody_stops_it(view: Page, page: str) -> None:
    """The first page asks again by itself; its link leads to one that stays."""
    view.goto(page)
    assert view.locator("meta[http-equiv=refresh]").count() == 1
    view.get_by_role("link", name="Stop renewing this page").click()
    assert view.locator("meta[http-equiv=refresh]").count() == 0
