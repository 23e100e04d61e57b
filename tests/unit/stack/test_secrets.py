"""Secrets of the platform: random, the same wherever they are needed, kept as they are, never shown."""

import base64
from typing import Any

import pytest

from lab.spec import Component, Secret
from lab.stack import secrets
from lab.state.redaction import REDACTED, redacted
from unit.stack.conftest import Server

SPACES = {"platform", "chain", "lab-02"}
STORE = Component(
    namespace="platform",
    images={},
    secrets=[Secret(name="store", keys=["access-key", "secret-key"], into=["chain", "lab"])],
)
OTHER = Component(namespace="platform", images={}, secrets=[Secret(name="other", keys=["password"])])
COMPONENTS = {"store": STORE, "other": OTHER}


def _ensure(server: Server, spaces: set[str] = SPACES, lab: str = "lab-02") -> set[str]:
    return secrets.ensure(server, COMPONENTS, spaces, lab)  # type: ignore[arg-type]


def _data(server: Server, namespace: str, name: str = "store") -> dict[str, Any]:
    data: dict[str, Any] = server.held["Secret", namespace, name]["data"]
    return data


def _places(server: Server, name: str) -> set[str | None]:
    return {space for kind, space, held in server.held if (kind, held) == ("Secret", name)}


def test_every_namespace_that_needs_a_secret_has_it(server: Server) -> None:
    """The component's own, those that are named, and the lab's; nobody else's."""
    assert _ensure(server) == {"store", "other"}
    assert _places(server, "store") == SPACES
    assert _places(server, "other") == {"platform"}
    assert _data(server, "platform") == _data(server, "chain") == _data(server, "lab-02")
    labels = server.held["Secret", "chain", "store"]["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/part-of": "tarmac", "tarmac.dev/component": "store"}


def test_values_are_long_and_each_its_own(server: Server) -> None:
    """256 random bits under every key, in letters that need no escaping anywhere; another cluster has others."""
    _ensure(server)
    second = Server()
    _ensure(second)
    values = [*_data(server, "platform").values(), *_data(second, "platform").values()]
    plain = [base64.b64decode(value).decode() for value in values]
    assert len(set(plain)) == 4
    assert all(len(value) == 43 and value.replace("-", "").replace("_", "").isalnum() for value in plain)


def test_what_is_there_stays(server: Server) -> None:
    """A second run changes nothing and says so."""
    _ensure(server)
    before = dict(_data(server, "platform"))
    assert _ensure(server) == set()
    assert _data(server, "platform") == before


@pytest.mark.parametrize("lost", ["platform", "chain", "lab-02"])
def test_a_lost_copy_is_restored_from_one_that_is_left(lost: str, server: Server) -> None:
    """Whichever it is, the component's own too: who is inside already can come in again."""
    _ensure(server)
    before = dict(_data(server, "chain"))
    del server.held["Secret", lost, "store"]
    assert _ensure(server) == {"store"}
    assert _data(server, lost) == before


def test_only_one_copy_left_is_enough(server: Server) -> None:
    """The last one brings all others back."""
    _ensure(server)
    before = dict(_data(server, "lab-02"))
    for space in ("platform", "chain"):
        del server.held["Secret", space, "store"]
    _ensure(server)
    assert _data(server, "platform") == _data(server, "chain") == before


def test_a_copy_that_was_changed_is_put_right(server: Server) -> None:
    """The component's own is the one that counts."""
    _ensure(server)
    before = dict(_data(server, "platform"))
    _data(server, "chain")["secret-key"] = "bm90IGl0"
    assert _ensure(server) == {"store"}
    assert _data(server, "chain") == before


def test_a_key_that_came_later_is_added(server: Server) -> None:
    """The other keys, and what somebody else keeps there, stay."""
    server.held["Secret", "platform", "store"] = {
        "kind": "Secret", "metadata": {"name": "store"}, "data": {"access-key": "b2xk", "note": "bWluZQ=="},
    }  # fmt: skip
    assert _ensure(server) == {"store", "other"}
    data = _data(server, "platform")
    assert (data["access-key"], data["note"]) == ("b2xk", "bWluZQ==")
    assert data["secret-key"]
    assert _data(server, "chain") == {key: data[key] for key in ("access-key", "secret-key")}


def test_a_namespace_that_does_not_stand_gets_none(server: Server) -> None:
    """Lab 01 has no use for what lab 02's services need: nothing is made where there is no namespace."""
    _ensure(server, {"platform", "lab-03"}, "lab-03")
    assert _places(server, "store") == {"platform", "lab-03"}


def test_a_bundle_shows_that_a_secret_is_there_and_not_what_it_holds(server: Server) -> None:
    """The very object that is made, as `lab support` would record it."""
    _ensure(server)
    shown = redacted(server.held["Secret", "lab-02", "store"])
    assert isinstance(shown, dict)
    assert shown["data"] == {"access-key": REDACTED, "secret-key": REDACTED}
