"""Asks the application as a server would, and puts V2 requests together."""

import asyncio
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from runtime.health import Health
from runtime.tracing import Tracing
from serving.endpoints.administration import Administration
from serving.endpoints.bodies import Bodies, Sizes
from serving.endpoints.web import Web
from serving.flights.people import People
from serving.inference.journal import Journal
from serving.repository.repository import Repository
from unit.serving.graphs import repository

LARGEST = 4_000_000


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  any JSON
        """Return the body, or its JSON part."""
        length = self.headers.get("inference-header-content-length")
        return msgspec.json.decode(self.body[: int(length)] if length else self.body)

    @property
    def error(self) -> str:
        """Return what the error says; its body has nothing else."""
        assert list(self.json) == ["error"]
        return str(self.json["error"])


class Site:
    """The application over the models in a folder, which were looked at once."""

    def __init__(  # noqa: PLR0913  what a test may want to choose
        self, root: Path, models: Repository | None = None, default: str = "", *, people: People | None = None,
        journal: Journal | None = None, tracing: Tracing | None = None, sizes: Sizes | None = None,
    ) -> None:  # fmt: skip
        self.models = models or repository(root)
        self.health = Health()
        figures = self.models._figures
        self.web = Web(
            self.models, Administration(self.models, self.health, figures), figures, tracing or Tracing.off(),
            bodies=Bodies(sizes or Sizes(LARGEST, LARGEST)), seconds=10, default=default, people=people,
            journal=journal,
        )  # fmt: skip
        self.begun = False

    def get(self, path: str) -> Answer:
        """Ask with GET."""
        return self.ask("GET", path)

    def post(self, path: str, body: object = b"", **headers: str) -> Answer:
        """Ask with POST; what is no bytes is sent as JSON."""
        return self.ask("POST", path, body if isinstance(body, bytes) else msgspec.json.encode(body), headers)

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask."""
        return asyncio.run(asyncio.wait_for(self.call(method, path, body, headers or {}), 30))

    async def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Ask, beside others."""
        if not self.begun:
            await self.models.refresh()
            self.begun = True
        sent: list[Any] = []
        parts = [body[at : at + 65536] for at in range(0, len(body), 65536)] or [b""]
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages[-1]["more_body"] = False

        async def receive() -> Any:  # noqa: ANN401  as ASGI has it
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:  # noqa: ANN401  as ASGI has it
            sent.append(message)

        wire = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
        wire.append((b"content-length", str(len(body)).encode()))
        await self.web({"type": "http", "method": method, "path": path, "headers": wire}, receive, send)
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], told, b"".join(each["body"] for each in sent[1:]))


def tensor(name: str, shape: Sequence[int], datatype: str = "FP32", **more: object) -> dict[str, object]:
    """Return an input."""
    return {"name": name, "shape": list(shape), "datatype": datatype, **more}


def binary(request: dict[str, object], *segments: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the body and the header of a request with binary tensors."""
    head = msgspec.json.encode(request)
    return head + b"".join(segments), {"inference_header_content_length": str(len(head))}


def texts(*words: bytes) -> bytes:
    """Return elements of BYTES."""
    return b"".join(struct.pack("<I", len(word)) + word for word in words)
