"""The chart of the platform's page."""

from __future__ import annotations

from contract.charts.rendering import SETTINGS, Case, containers, named
from lab.spec import Course
from lab.stack.values import values_for
from page.settings import PageSettings
from runtime.settings import load

CASE = Case("page", "default")


def test_the_page_understands_its_chart() -> None:
    """Every variable is known, with a value that it takes; it listens where its Service leads."""
    (page,) = containers(named(CASE, "Deployment", "page"))
    settings = load(PageSettings, {each["name"]: each["value"] for each in page["env"]})
    assert [each["containerPort"] for each in page["ports"]] == [settings.port]
    assert settings.prometheus_link == "http://127.0.0.1:9090"
    assert settings.jaeger_link == "http://127.0.0.1:16686"
    assert settings.traces == ""


def test_what_it_asks_is_where_the_platform_has_it() -> None:
    """Prometheus and Jaeger are asked at the Services of their charts."""
    (page,) = containers(named(CASE, "Deployment", "page"))
    settings = load(PageSettings, {each["name"]: each["value"] for each in page["env"]})
    for chart, address in (("prometheus", settings.prometheus), ("jaeger", settings.jaeger)):
        case = Case(chart, "default")
        ports = {port["port"] for port in named(case, "Service", chart)["spec"]["ports"]}
        host, _, port = address.removeprefix("http://").partition(":")
        assert (host, int(port) in ports) == (f"{chart}.{case.namespace}.svc", True)


def test_links_move_with_the_ports_of_the_machine() -> None:
    """With LAB_PORT_OFFSET a reader's browser is led to the shifted ports."""
    component = Course(SETTINGS.root).components["page"]
    values = values_for(component, {"page": "image"}, SETTINGS)
    assert values["links"] == {"prometheusPort": SETTINGS.port("prometheus"), "jaegerPort": SETTINGS.port("jaeger")}
