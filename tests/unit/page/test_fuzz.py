"""Whatever is asked of the page over HTTP, it is answered with a page or with what there is."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from page.desk import Desk
from runtime import metrics
from runtime.health import Health
from runtime.web import Web
from unit.page.sources import standing


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Return who asks the page; it answers afterwards as before."""
    with standing() as told:
        web = Web(0, Health(), metrics.registry(), questions=Desk(told).questions(), host="127.0.0.1").start()
        with httpx.Client(base_url=f"http://127.0.0.1:{web.port}", timeout=20, trust_env=False) as made:
            yield made
            assert "delay-boosting" in made.get("/fr").text
        web.close()


_TEXT = st.text(max_size=6).map(lambda text: quote(text, safe=""))


@settings(
    max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)  # fmt: skip
@given(
    method=st.sampled_from(["GET", "GET", "HEAD", "POST", "DELETE"]),
    path=st.lists(
        st.sampled_from(["en", "fr", "de", "still", "trace", "figures", "ab" * 16, "0", "%3Cscript%3E", "..", "%00"])
        | _TEXT,
        max_size=4,
    ),
    query=_TEXT,
    body=st.binary(max_size=8),
)
def test_whatever_is_asked_is_answered(
    client: httpx.Client, method: str, path: list[str], query: str, body: bytes
) -> None:
    """Any method, path and query: never a 5xx, and no page repeats what it was asked as its own markup."""
    found = client.request(method, f"{client.base_url}/{'/'.join(path)}?{query}", content=body)
    assert found.status_code < 500, found.text
    if found.headers["content-type"].startswith("text/html"):
        assert "<script" not in found.text
