"""The real page, a real Prometheus that reads real figures, and a real browser."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from integration.page.traffic import Traffic
from lab.settings import Settings
from lab.tools import debian
from own_ports import own_ports
from page.desk import Desk
from page.settings import PageSettings
from runtime.health import Health
from runtime.metrics import registry
from runtime.web import Web
from unit.page.sources import jaeger
from unit.patterns.servers import serving

SECONDS = 60
READ = 5
FIGURES = ("serving_requests_total", "release_route_weight", "envoy_http_downstream_rq_xx")
CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: pods
    static_configs:
      - {{targets: ["127.0.0.1:{stable}"], labels: {{track: stable, app: serving}}}}
      - {{targets: ["127.0.0.1:{canary}"], labels: {{track: canary, app: serving}}}}
      - {{targets: ["127.0.0.1:{releases}"], labels: {{app: releases}}}}
      - {{targets: ["127.0.0.1:{envoy}"], labels: {{app: envoy}}}}
"""


class Prometheus:
    """Debian's Prometheus as a process.

    Args:
        folder: empty; holds its configuration and data.
        traffic: whose figures it reads.
    """

    def __init__(self, folder: Path, traffic: Traffic) -> None:
        self.address = f"http://127.0.0.1:{17990 + own_ports()}"
        (folder / "prometheus.yaml").write_text(CONFIG.format(**traffic.ports))
        program = debian.extracted(Settings.load(os.environ), "prometheus") / "usr/bin/prometheus"
        words = [
            program, f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={self.address.removeprefix('http://')}", "--log.level=error",
        ]  # fmt: skip
        self._process = subprocess.Popen(list(map(str, words)), cwd=folder)

    def until(self, query: str) -> None:
        """Wait until a query has an answer."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "Prometheus has ended"
            try:
                told = httpx.get(f"{self.address}/api/v1/query", params={"query": query}, trust_env=False)
                if told.status_code == HTTPStatus.OK and told.json()["data"]["result"]:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"Prometheus has no answer to {query}")

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium, without a window; installed where it is missing.

    For one module: as long as it is there, its driver's event loop counts as running, and no other test can begin one.
    """
    program = debian.need("chromium", "chromium", lambda _: None)
    with sync_playwright() as playwright:
        # Tests may run as root in a container, where Chromium's own sandbox does not start.
        made = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Return a Prometheus that has read figures of two versions, and of a release, for a moment."""
    with Traffic() as traffic:
        made = Prometheus(tmp_path_factory.mktemp("prometheus"), traffic)
        try:
            for figure in FIGURES:
                # Both tracks, and often enough for a rate: whichever Prometheus reads last is there too.
                made.until(f"min(count_over_time({figure}[1m])) >= {READ}")
            made.until("count(count by (track) (serving_requests_total)) == 2")
            yield made
        finally:
            made.end()


@pytest.fixture(scope="module")
def page(prometheus: Prometheus) -> Iterator[str]:
    """Return the address of a page that stands on it."""
    with serving(jaeger()) as traces:
        settings = PageSettings(
            prometheus=prometheus.address, prometheus_link=prometheus.address, jaeger=traces.address,
            jaeger_link=traces.address,
        )  # fmt: skip
        web = Web(0, Health(), registry(), questions=Desk(settings).questions(), host="127.0.0.1").start()
        yield f"http://127.0.0.1:{web.port}"
        web.close()


@pytest.fixture(scope="module")
def blind() -> Iterator[str]:
    """Return the address of a page whose Prometheus is away."""
    with serving(lambda *_: (503, "starting")) as away, serving(jaeger()) as traces:
        settings = PageSettings(prometheus=away.address, jaeger=traces.address)
        web = Web(0, Health(), registry(), questions=Desk(settings).questions(), host="127.0.0.1").start()
        yield f"http://127.0.0.1:{web.port}"
        web.close()
