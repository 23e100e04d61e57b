"""Kinds that a component brings along: taken out of a module once, applied where nobody else did, awaited."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import yaml

from lab.api import Object
from lab.errors import BadInput, NotConverged
from lab.settings import Settings
from lab.spec import Definitions
from lab.stack import definitions
from unit.stack.conftest import Server
from unit.wire import Wire

HELM = """
record(stdin=sys.stdin.read())
fail(told("refuses")) if told("refuses") else print(told("rendered"))
"""
GO = """
if ARGS[:2] == ["env", "GOVERSION"]:
    print("go1.27.3")
else:
    record()
    fail(told("away")) if told("away") else print(json.dumps({"Dir": str(STATE / "module")}))
"""
WANTED = Definitions(
    module="example.org/ways",
    version="v1.2.3",
    chart="charts/kinds",
    values={"channel": "standard"},
    kinds={"ways.example.org/v1": ["Way", "Door"], "own.example.org/v1alpha1": ["Proxy"]},
)


def _definition(group: str, kind: str, *versions: str) -> Object:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{group}", "annotations": {"channel": "standard"}},
        "spec": {"group": group, "names": {"kind": kind}, "versions": [{"name": each} for each in versions]},
    }


RENDERED: list[Object] = [
    _definition("ways.example.org", "Way", "v1", "v1beta1"),
    _definition("ways.example.org", "Door", "v1"),
    _definition("ways.example.org", "Lift", "v1"),
    _definition("own.example.org", "Proxy", "v1alpha1"),
    {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "x"}},
]


@pytest.fixture
def helm(wire: Wire) -> Path:
    """Return a Helm that renders the module's chart, beside a Go that has the module."""
    wire.program("go", GO)
    wire.tell("rendered", yaml.safe_dump_all(RENDERED))
    return wire.program("helm", HELM)


def _ensure(server: Server, helm: Path, settings: Settings, wanted: Definitions = WANTED) -> None:
    definitions.ensure(server, wanted, helm, settings, lambda _: None)  # type: ignore[arg-type]


def _held(server: Server) -> dict[str, Object]:
    return {name: each for (kind, _, name), each in server.held.items() if kind == "CustomResourceDefinition"}


def test_only_what_is_wanted_is_defined(server: Server, helm: Path, settings: Settings) -> None:
    """Of the chart's kinds those that stack.yaml names, labelled as ours and otherwise as the module has them."""
    assert not definitions.served(server, WANTED)  # type: ignore[arg-type]
    _ensure(server, helm, settings)
    held = _held(server)
    assert set(held) == {"ways.ways.example.org", "doors.ways.example.org", "proxys.own.example.org"}
    assert all(each["metadata"]["labels"] == {"app.kubernetes.io/part-of": "tarmac"} for each in held.values())
    assert held["ways.ways.example.org"]["spec"] == RENDERED[0]["spec"]
    assert definitions.served(server, WANTED)  # type: ignore[arg-type]


def test_the_modules_own_chart_is_rendered_with_the_values(
    server: Server, helm: Path, settings: Settings, wire: Wire
) -> None:
    """At the pinned version; no cluster is asked for it."""
    _ensure(server, helm, settings)
    (download,) = wire.calls("go", "mod", "download")
    assert download["args"][-1] == "example.org/ways@v1.2.3"
    (rendering,) = wire.calls("helm")
    assert rendering["args"] == ["template", "definitions", str(wire.state / "module/charts/kinds"), "--values", "-"]
    assert yaml.safe_load(rendering["stdin"]) == {"channel": "standard"}


def test_a_module_is_asked_once(server: Server, helm: Path, settings: Settings, wire: Wire) -> None:
    """What was taken is in the cache: another cluster needs neither module nor network."""
    _ensure(server, helm, settings)
    wire.tell("away", "no such host")
    _ensure(Server(), helm, settings)
    assert len(wire.calls("helm")) == 1
    (kept,) = (settings.cache / "definitions").glob("ways-v1.2.3-*.json")
    assert len(json.loads(kept.read_text())) == 3


def test_another_version_or_another_kind_is_taken_anew(
    server: Server, helm: Path, settings: Settings, wire: Wire
) -> None:
    """The place in the cache follows from all that is asked for."""
    for wanted in (
        WANTED,
        WANTED.model_copy(update={"version": "v1.2.4"}),
        WANTED.model_copy(update={"kinds": {"ways.example.org/v1": ["Way"]}}),
    ):
        _ensure(server, helm, settings, wanted)
    assert len(wire.calls("helm")) == 3


def test_what_somebody_else_defined_stays(server: Server, helm: Path, settings: Settings) -> None:
    """A cluster's own Gateway API, of another version for example, is not overwritten."""
    theirs = copy.deepcopy(RENDERED[0])
    theirs["spec"]["versions"].append({"name": "v2"})
    server.apply([theirs])
    before = copy.deepcopy(_held(server)["ways.ways.example.org"])
    _ensure(server, helm, settings)
    assert _held(server)["ways.ways.example.org"] == before
    assert len(_held(server)) == 3


def test_what_is_ours_is_brought_up_to_date(server: Server, helm: Path, settings: Settings, wire: Wire) -> None:
    """A newer version of the module changes the definitions that the older one made."""
    _ensure(server, helm, settings)
    newer = copy.deepcopy(RENDERED)
    newer[0]["spec"]["versions"].append({"name": "v2"})
    wire.tell("rendered", yaml.safe_dump_all(newer))
    _ensure(server, helm, settings, WANTED.model_copy(update={"version": "v1.3.0"}))
    assert [each["name"] for each in _held(server)["ways.ways.example.org"]["spec"]["versions"]] == [
        "v1", "v1beta1", "v2",
    ]  # fmt: skip


def test_a_kind_that_the_module_does_not_hold_is_told(server: Server, helm: Path, settings: Settings) -> None:
    """By its name, with the module, in both languages; the cluster is left as it was."""
    wanted = WANTED.model_copy(update={"kinds": {"ways.example.org/v1": ["Way", "Bridge"]}})
    with pytest.raises(BadInput) as told:
        _ensure(server, helm, settings, wanted)
    for words in (told.value.render("en"), told.value.render("fr")):
        assert "Bridge (ways.example.org/v1)" in words
        assert "example.org/ways v1.2.3" in words
        assert "platform/stack.yaml" in words
    assert server.held == {}


def test_a_server_that_does_not_serve_them_is_not_awaited_for_ever(
    server: Server, helm: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the kinds and how to find out."""
    monkeypatch.setattr(definitions, "_SECONDS", 0)
    monkeypatch.setattr(server, "kinds", lambda _: {"Way"})
    with pytest.raises(NotConverged) as told:
        _ensure(server, helm, settings)
    assert "Door (ways.example.org/v1), Proxy (own.example.org/v1alpha1)" in told.value.render("en")
    assert "get crd" in told.value.render("fr")
