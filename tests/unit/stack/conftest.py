"""An API server's side of the wire, for releases, waiting and manifests."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import pytest

from lab.api import Object
from lab.refusals import Refused
from lab.settings import Settings
from lab.text import Text
from unit.wire import Wire, install


class Server:
    """A cluster that keeps what is applied, adds defaults as a real one does, and says what a test lets it say.

    Attributes:
        held: its objects by kind, namespace and name.
        refuses: name of an object that it refuses.
        told: what it says of an object by name, as events.
        deleted: what was taken away, as `Kind/name`, in its order.
        logs: last lines of a pod's container; `previous` under the name with a "-".
        meanwhile: what happens in the cluster while one waits for a change.

    """

    def __init__(self) -> None:
        self.held: dict[tuple[str, str | None, str], Object] = {}
        self.refuses = ""
        self.told: dict[str, list[str]] = {}
        self.logs: dict[str, str] = {}
        self.deleted: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def judge(self, objects: Iterable[Object]) -> None:
        """Refuse what the test lets it refuse."""
        for each in objects:
            name = each["metadata"]["name"]
            if name == self.refuses:
                raise Refused(Text.plain(f"{each['kind']}/{name}: spec.replicas: Invalid value: -1"), Text.plain("fix"))

    def apply(self, objects: Iterable[Object]) -> list[str]:
        """Keep the objects; return what is new or other than before."""
        objects = list(objects)
        self.judge(objects)
        changed = []
        for each in objects:
            name = each["metadata"]["name"]
            key = (each["kind"], each["metadata"].get("namespace"), name)
            before = self.held.get(key)
            after = _merged(before or {}, each)
            if before is None or any(before.get(part) != after[part] for part in set(after) - {"metadata"}):
                changed.append(f"{each['kind']}/{name}")
            self.held[key] = _merged(after, {"metadata": {"uid": "u", "resourceVersion": "1"}})
        return changed

    def restore(self, wanted: Object) -> None:
        """Keep an object as it is given, and nothing else of it."""
        self.judge([wanted])
        self.held[wanted["kind"], wanted["metadata"].get("namespace"), wanted["metadata"]["name"]] = wanted

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object or None."""
        return copy.deepcopy(self.held.get((kind, namespace, name)))

    def kinds(self, version: str) -> set[str]:
        """Return the kinds of a group's version that were defined."""
        specs = [each["spec"] for (kind, _, _), each in self.held.items() if kind == "CustomResourceDefinition"]
        return {
            spec["names"]["kind"]
            for spec in specs
            for each in spec["versions"]
            if f"{spec['group']}/{each['name']}" == version
        }

    def find(self, kind: str, namespace: str | None = None, labels: str | None = None) -> list[Object]:
        """Return the objects of a kind that carry the labels."""
        wanted = dict(pair.split("=") for pair in labels.split(",")) if labels else {}
        return [
            each
            for (held, place, _), each in self.held.items()
            if held == kind and place == namespace and wanted.items() <= each["metadata"].get("labels", {}).items()
        ]

    def inventory(self, kinds: Collection[str], namespaces: Collection[str]) -> list[Object]:
        """Return kind and metadata of all that is held there."""
        return [
            {"apiVersion": each.get("apiVersion", ""), "kind": kind, "metadata": each["metadata"]}
            for (kind, place, _), each in self.held.items()
            if kind in kinds and place in namespaces
        ]

    def delete(
        self, objects: Iterable[Object], *, wait: float = 60, grace: int | None = None, orphan: bool = False
    ) -> None:
        """Take objects away; only makers leave what they made to whoever asks next."""
        assert wait >= 0
        objects = list(objects)
        assert not orphan or all(each["kind"] not in ("Pod", "Secret") for each in objects)
        assert grace is None or grace > 0
        for each in objects:
            self.deleted.append(f"{each['kind']}/{each['metadata']['name']}")
            self.held.pop((each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]), None)

    def watch(
        self, kind: str, namespace: str, enough: Callable[[dict[str, Object]], bool], seconds: float
    ) -> dict[str, Object]:
        """Return the objects of a kind by name, after what the test lets happen meanwhile."""
        assert seconds > 0
        self.meanwhile()
        found = {each["metadata"]["name"]: each for each in self.find(kind, namespace)}
        enough(found)
        return found

    def events(self, namespace: str, name: str) -> list[str]:
        """Return what was said of an object."""
        assert namespace
        return self.told.get(name, [])

    def log(self, pod: str, namespace: str, container: str, *, previous: bool = False, lines: int = 8) -> str:
        """Return a container's last lines."""
        assert namespace
        assert container
        words = self.logs.get(f"{pod}-" if previous else pod, "")
        return "".join(words.splitlines(keepends=True)[-lines:])


def _merged(before: Any, after: Any) -> Any:  # noqa: ANN401  JSON
    if isinstance(before, dict) and isinstance(after, dict):
        return {**before, **{key: _merged(before.get(key), value) for key, value in after.items()}}
    return copy.deepcopy(after)


@pytest.fixture
def server() -> Server:
    """Return an empty cluster."""
    return Server()


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Return the fakes on PATH."""
    return install(tmp_path / "wire", monkeypatch)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with folders of the test's own."""
    return Settings.load({"HOME": str(tmp_path), "LAB_PORT_OFFSET": "100"})
