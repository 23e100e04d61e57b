"""What a release and the page count on of Envoy, held by Envoy itself: patterns, names of figures, traces."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from contracts.units import unit
from integration.releases.envoy import Collector, Envoy, running
from page.questions import _CLUSTERS
from releases.rules import weighed
from releases.state import Weigh
from releases.statistics.experiment import assigned, dealt
from unit.patterns.servers import Server, serving
from unit.releases.cluster import HEADER, RULES, UNIT
from unit.releases.worlds import plan

TEST, SHARE = "delay-boosting/7/1000.000", 0.3
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SECONDS = 20.0


class Site:
    """An A/B test under way: two servers behind an Envoy."""

    def __init__(self, envoy: Envoy, collector: Collector, servers: dict[str, Server]) -> None:
        self.collector = collector
        self.servers = servers
        self._envoy = envoy

    def ask(self, **headers: str) -> tuple[str, dict[str, str]]:
        """Ask; whose answer it was, and the headers that the server got."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        before = {name: len(server.headers) for name, server in self.servers.items()}
        answer = httpx.get(f"{self._envoy.address}/v2", headers=told, trust_env=False)
        assert answer.status_code == 200
        (service,) = [name for name, server in self.servers.items() if len(server.headers) > before[name]]
        return service, {name.lower(): value for name, value in self.servers[service].headers[-1].items()}

    def figures(self) -> str:
        """Return what Prometheus would read."""
        return httpx.get(f"{self._envoy.admin}/stats/prometheus", trust_env=False).text


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return one, with the rules that the controller writes."""
    drawn = {"type": "RegularExpression", "name": UNIT, "value": dealt(TEST, SHARE)}
    rules = weighed(RULES[:1], plan(strategy="ab"), Weigh(0, "header"), HEADER, drawn)
    with serving(lambda *_: (200, {})) as stable, serving(lambda *_: (200, {})) as canary:
        servers = {"serving-stable": stable, "serving-canary": canary}
        addresses = {name: server.address for name, server in servers.items()}
        with running(tmp_path_factory.mktemp("envoy"), rules, addresses) as (envoy, collector):
            yield Site(envoy, collector, servers)


def test_envoy_deals_units_as_the_controller_does(site: Site) -> None:
    """The pattern matches the same units, and servers are told who got what."""
    seen = set()
    for number in range(200):
        wanted = "b" if assigned(str(number), TEST, SHARE) else "a"
        service, headers = site.ask(x_tarmac_unit=unit(str(number)))
        assert (service, headers[HEADER]) == ("serving-canary" if wanted == "b" else "serving-stable", wanted)
        seen.add(wanted)
    assert seen == {"a", "b"}
    assert site.ask(x_tarmac_variant="b")[0] == "serving-canary"
    for nobodys in ({}, {"x_tarmac_unit": "N14228"}, {"x_tarmac_variant": "c"}):
        service, headers = site.ask(**nobodys)
        assert (service, headers[HEADER]) == ("serving-stable", "a")


@pytest.mark.parametrize("track", ["stable", "canary"])
def test_the_page_knows_a_track_by_envoys_names(site: Site, track: str) -> None:
    """Envoy counts the requests of each under the metric and the cluster's name that the page asks for."""
    site.ask(x_tarmac_variant="b" if track == "canary" else "a")
    counted = re.findall(
        r'^envoy_cluster_upstream_rq_xx\{envoy_response_code_class="2",envoy_cluster_name="([^"]+)"\} [1-9]',
        site.figures(), re.MULTILINE,
    )  # fmt: skip
    assert len([name for name in counted if re.fullmatch(_CLUSTERS[track], name)]) == 1


def test_the_page_knows_callers_by_envoys_names(site: Site) -> None:
    """What callers got is counted for the listener, with its times; upstream times are there as well."""
    site.ask()
    text = site.figures()
    assert re.search(
        r'^envoy_http_downstream_rq_xx\{[^}]*class="2",envoy_http_conn_manager_prefix="http-8080"\} [1-9]',
        text, re.MULTILINE,
    )  # fmt: skip
    for metric in ("envoy_http_downstream_rq_time_bucket", "envoy_cluster_upstream_rq_time_bucket"):
        assert re.search(rf"^{metric}\{{.*le=\"5\"", text, re.MULTILINE), metric


def test_envoys_spans_are_part_of_the_callers_trace(site: Site) -> None:
    """Its own and that of the server's answer, between the caller's and the server's; although it draws none itself."""
    _, headers = site.ask(traceparent=f"00-{TRACE}-{PARENT}-01")
    version, trace, parent, flags = headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    deadline = time.monotonic() + SECONDS
    while len(found := [each for each in site.collector.spans if each[1].trace_id.hex() == TRACE]) < 2:
        assert time.monotonic() < deadline, "Envoy's spans do not come"
        time.sleep(0.1)
    assert {service for service, _ in found} == {"gateway"}
    spans = {span.span_id.hex(): span.parent_span_id.hex() for _, span in found}
    (own,) = [span for span, above in spans.items() if above == PARENT]
    assert spans[parent] == own


def test_a_caller_that_does_not_trace_is_not_traced(site: Site) -> None:
    """Envoy hands that on: the server does not draw anew."""
    _, headers = site.ask(traceparent=f"00-{'c' * 32}-{PARENT}-00")
    assert headers["traceparent"].split("-")[1] == "c" * 32
    assert headers["traceparent"].endswith("-00")
    _, headers = site.ask()
    assert headers["traceparent"].endswith("-00")
