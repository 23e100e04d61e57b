"""What stands in a version's folder, examined before anything runs it; the single adapter of `onnx`.

The bytes that were examined are the bytes that are run: the file is read once. Weights that lie in further files, each
of which has to be within the folder, are put into the model here, so that nothing else follows a path from a model.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import checker, external_data_helper

from contracts import models
from contracts.models import CARD, MODEL, BadCard, Card
from serving.errors import CardWrong, NotOnnx, OutsideFolder, SourceUnavailable, TooBig
from serving.source.artifact import Artifact

_KINDS = (
    (b"\x80\x02", "a pickle"), (b"\x80\x03", "a pickle"), (b"\x80\x04", "a pickle"), (b"\x80\x05", "a pickle"),
    (b"PK\x03\x04", "a zip archive"), (b"\x1f\x8b", "a gzip archive"), (b"\x89HDF", "an HDF5 file"),
    (b"version https://git-lfs", "a pointer of Git LFS"), (b"{", "JSON"), (b"<", "HTML or XML"),
)  # fmt: skip
"""First bytes -> what people put in place of a model."""
_EXPORT = "export the model to ONNX and register it anew"


def examined(name: str, version: str, folder: Path, largest: int) -> Artifact:
    """The version in a folder.

    Args:
        name: of the model.
        version: of the model.
        folder: with model.onnx and, where the training wrote one, card.json.
        largest: bytes that it may have.

    Raises:
        NotOnnx: the file is missing or no valid model.
        OutsideFolder: its external data is elsewhere.
        CardWrong: the card cannot be read or is another model's.
        TooBig: it is larger than it may be.
        SourceUnavailable: the folder cannot be read.
    """
    title, file = f"model {name} version {version}", folder / MODEL
    content = _content(title, file, largest)
    model = _parsed(title, content)
    places, taken = _external(title, model, folder)
    size = len(content) + sum(place.stat().st_size for place in places)
    # Of one file every tensor may take all: what they are together is what the model has in memory.
    if max(size, len(content) + taken) > largest:
        raise _too_big(title, max(size, len(content) + taken), largest)
    card = _card(title, name, folder, content)
    sha256 = card.sha256 if card else hashlib.sha256(content).hexdigest()
    if places:
        content = _whole(title, model, folder)
    _check(title, model)
    return Artifact(name, version, folder, content, sha256, size, card)


def _content(title: str, file: Path, largest: int) -> bytes:
    try:
        if file.stat().st_size > largest:
            raise _too_big(title, file.stat().st_size, largest)
        content = file.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise NotOnnx(f"{title}: there is no file {MODEL}", _EXPORT) from None
    except OSError as failure:
        raise SourceUnavailable(f"{title}: {MODEL} cannot be read: {failure}", "see to its storage") from None
    for head, kind in _KINDS:
        if content.startswith(head):
            raise NotOnnx(f"{title}: {MODEL} is {kind}; it was not opened", _EXPORT)
    return content


def _parsed(title: str, content: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError:
        raise NotOnnx(f"{title}: {MODEL} is no ONNX model, or is cut off", _EXPORT) from None
    if not model.ir_version or not model.graph.node:
        raise NotOnnx(f"{title}: {MODEL} holds no graph", _EXPORT)
    return model


def _whole(title: str, model: onnx.ModelProto, folder: Path) -> bytes:
    """The model with its weights in it."""
    try:
        external_data_helper.load_external_data_for_model(model, str(folder))
        return bytes(model.SerializeToString())
    except (checker.ValidationError, ValueError, OverflowError, OSError) as failure:
        told = f"{title}: its external data cannot be read: {_line(failure)}"
        raise NotOnnx(told, "register the model with all its files, as they were exported") from None


def _check(title: str, model: onnx.ModelProto) -> None:
    try:
        checker.check_model(model)
    except (checker.ValidationError, ValueError) as failure:
        raise NotOnnx(f"{title}: {MODEL} is not valid: {_line(failure)}", _EXPORT) from None


def _external(title: str, model: onnx.ModelProto, folder: Path) -> tuple[set[Path], int]:
    """Files beside the model in which its tensors have their data, and the bytes that all tensors take of them."""
    inside = folder.resolve()
    found: set[Path] = set()
    taken = 0
    for tensor in _tensors(model):
        if not external_data_helper.uses_external_data(tensor):
            continue
        info = _info(title, tensor)
        location = info.location
        place = (folder / location).resolve() if "\0" not in location else Path("/")
        if not location or not place.is_relative_to(inside) or place == inside:
            told = f"{title}: tensor {tensor.name!r:.60} has its data at {location!r:.100}, outside the model's folder"
            raise OutsideFolder(told, "write external data beside model.onnx, with a relative location")
        if not place.is_file():
            told = f"{title}: tensor {tensor.name!r:.60} has its data at {location!r:.100}, which is not there"
            raise NotOnnx(told, "register the model with all its files")
        found.add(place)
        taken += place.stat().st_size if info.length is None else info.length
    return found, taken


def _info(title: str, tensor: Any) -> external_data_helper.ExternalDataInfo:  # noqa: ANN401  as `_tensors` gives it
    try:
        return external_data_helper.ExternalDataInfo(tensor)
    except ValueError as failure:
        told = f"{title}: tensor {tensor.name!r:.60} has its data at no place: {_line(failure)}"
        raise NotOnnx(told, "register the model with all its files, as they were exported") from None


def _tensors(model: onnx.ModelProto) -> Iterator[Any]:
    """Every tensor of a model: weights and attributes, of all graphs within graphs."""
    waiting: list[Any] = [model.graph, *model.functions, *(each.initialization for each in model.training_info)]
    waiting += [each.algorithm for each in model.training_info]
    while waiting:
        graph = waiting.pop()
        yield from getattr(graph, "initializer", ())
        yield from _dense(getattr(graph, "sparse_initializer", ()))
        own = getattr(graph, "attribute_proto", ())  # a function's defaults
        for attribute in (*own, *(each for node in graph.node for each in node.attribute)):
            yield attribute.t
            yield from attribute.tensors
            yield from _dense([attribute.sparse_tensor, *attribute.sparse_tensors])
            waiting += [attribute.g, *attribute.graphs]


def _dense(sparse: Iterable[Any]) -> Iterator[Any]:
    for each in sparse:
        yield each.values
        yield each.indices


def _card(title: str, name: str, folder: Path, content: bytes) -> Card | None:
    if not (folder / CARD).exists():
        return None
    try:
        card = models.read(folder)
        models.check(card, content)
    except BadCard as failure:
        raise CardWrong(f"{title}: {failure.what}", failure.remedy) from None
    if card.name != name:
        raise CardWrong(f"{title}: its card is that of model {card.name}", "register the model anew under its own name")
    return card


def _too_big(title: str, size: int, largest: int) -> TooBig:
    return TooBig(f"{title}: {size} bytes; {largest} are the limit", "set TARMAC_MODEL_BYTES, or make it smaller")


def _line(failure: Exception) -> str:
    return f"{(str(failure).strip().splitlines() or [type(failure).__name__])[0]:.200}"
