"""What is asked about the server and its models, and the orders to load and unload them.

V2's metadata and health, and its model repository extension. None of it is on the way of a request for inference.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import NamedTuple, TypeVar

import msgspec

from contracts.inference import IndexRequest, LoadRequest, ModelReady, ServerMetadata
from runtime import asgi, metrics
from runtime.asgi import JSON, Answer
from runtime.health import Health
from serving.endpoints import openapi
from serving.errors import MethodWrong, PathUnknown, Refused
from serving.figures import Figures
from serving.inference.asking import unreadable
from serving.naming import Aim, aim
from serving.repository.repository import Repository

NAME = "tarmac-serving"
EXTENSIONS = ["binary_tensor_data", "model_repository", "parameters"]
METADATA_SECONDS = 10.0
"""That a question about a model may wait for it to be loaded."""

_VERBS = ["infer"], ["invocations"], ["flights"]
"""Last parts of the paths that ask a model."""

T = TypeVar("T")
_ENCODE = msgspec.json.Encoder().encode


class Administration:
    """Answers what is not inference.

    Args:
        repository: of the models.
        health: what the probes tell.
        figures: what `/metrics` tells.
        told: what `/settings` tells: the server's settings, by name.
    """

    def __init__(
        self, repository: Repository, health: Health, figures: Figures, told: Mapping[str, object] | None = None
    ) -> None:
        self._repository = repository
        self._health = health
        self._server = ServerMetadata(NAME, release(), EXTENSIONS)
        described = openapi.description()
        self._questions: Mapping[str, Callable[[], Answer]] = {
            "/v2": lambda: _json(self._server),
            "/v2/health/live": lambda: _state("live", health.alive()),
            "/v2/health/ready": lambda: _state("ready", health.ready()),
            openapi.PATH: lambda: (200, JSON, described),
            "/settings": lambda: _json(told or {}),
            "/livez": lambda: asgi.probe(health.alive()),
            "/readyz": lambda: asgi.probe(health.ready()),
            "/metrics": lambda: (200, metrics.CONTENT_TYPE.encode(), metrics.exposition(figures.registry)),
        }

    async def asked(self, path: str) -> Answer:
        """The answer to a GET.

        Raises:
            PathUnknown, ModelUnknown, VersionUnknown: there is no such thing.
            MethodWrong: the path takes a POST.
        """
        question = self._questions.get(path.rstrip("/"))
        if question:
            return question()
        about = _about(_parts(path))
        if about:
            return self._ready(about.aim) if about.ready else await self._model(about.aim)
        if _order(_parts(path)):
            raise MethodWrong(f"GET {path:.100} is not possible", "POST")
        raise PathUnknown(f"no path {path:.100}", f"there are {', '.join(self._questions)}, /v2/models/{{model}}")

    async def ordered(self, path: str, body: bytes) -> Answer:
        """The answer to a POST.

        Raises:
            PathUnknown, ModelUnknown: there is no such thing.
            MethodWrong: the path takes a GET.
            Unreadable: the body is no order.
            Artifact, SourceUnavailable: the model cannot be loaded.
        """
        match _parts(path):
            case ["v2", "repository", "index"]:
                return self._index(_decoded(IndexRequest, body))
            case ["v2", "repository", "models", model, "load"]:
                _refuse_override(_decoded(LoadRequest, body))
                await self._repository.load(model)
                return _json({})
            case ["v2", "repository", "models", model, "unload"]:
                _decoded(LoadRequest, body)
                self._repository.unload(model)
                return _json({})
        if path.rstrip("/") in self._questions or _about(_parts(path)):
            raise MethodWrong(f"POST {path:.100} is not possible", "GET")
        raise PathUnknown(f"no path {path:.100}", "see GET /openapi.json for what this server offers")

    def method(self, path: str) -> str:
        """The method that a path takes; GET for one that is not there."""
        asked = path.rstrip("/") in self._questions or _about(_parts(path))
        return "POST" if not asked and _order(_parts(path)) else "GET"

    async def _model(self, at: Aim) -> Answer:
        deadline = asyncio.get_running_loop().time() + METADATA_SECONDS
        served = self._repository.find(at) or await self._repository.want(at, deadline)
        return _json(served.metadata(list(self._repository.shelf(at[0]).listing.versions)))

    def _ready(self, at: Aim) -> Answer:
        ready = self._repository.find(at) is not None
        if not ready:
            self._repository.shelf(at[0]).target(at[1])  # says what does not exist
        return _json(ModelReady(at[0], ready), 200 if ready else 503)

    def _index(self, asked: IndexRequest) -> Answer:
        return _json([each for each in self._repository.index() if each.state == "READY" or not asked.ready])


def release() -> str:
    """The version that the server names: that of the runtime that computes."""
    return metadata.version("onnxruntime")


def _parts(path: str) -> Sequence[str]:
    return [each for each in path.split("/") if each]


class _About(NamedTuple):
    """A question about a model: whether it answers, or all that there is to tell."""

    aim: Aim
    ready: bool


def _about(parts: Sequence[str]) -> _About | None:
    """What a path asks about a model; None where it asks something else."""
    match parts:
        case ["v2", "models", model]:
            return _About(aim(model, ""), ready=False)
        case ["v2", "models", model, "ready"]:
            return _About(aim(model, ""), ready=True)
        case ["v2", "models", model, "versions", version]:
            return _About(aim(model, version), ready=False)
        case ["v2", "models", model, "versions", version, "ready"]:
            return _About(aim(model, version), ready=True)
    return None


def _order(parts: Sequence[str]) -> bool:
    given = list(parts)
    return given[:2] == ["v2", "repository"] or given == ["flights", "predict"] or given[-1:] in _VERBS


def _refuse_override(asked: LoadRequest) -> None:
    """Models come from the registry: neither their configuration nor their files are taken from a request."""
    given = [name for name in asked.parameters or {} if name == "config" or name.startswith("file:")]
    if given:
        told = f"parameter {given[0]:.60} of the order to load is not possible"
        raise Refused(told, "register the model, then load it by its name")


def _decoded(kind: type[T], body: bytes) -> T:
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise unreadable(failure) from None


def _state(name: str, told: tuple[bool, str]) -> Answer:
    return _json({name: told[0]}, 200 if told[0] else 503)


def _json(answer: object, status: int = 200) -> Answer:
    return status, JSON, _ENCODE(answer)
