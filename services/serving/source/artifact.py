"""A version of a model as it was found in its folder."""

from dataclasses import dataclass
from pathlib import Path

from contracts.models import Card


@dataclass(frozen=True)
class Artifact:
    """A version that was found in order.

    Attributes:
        name: of the model.
        version: of the model.
        folder: where its files are.
        content: the whole model, weights of further files among it; or the file of its optimised graph, which is there
            until a session was made of it, with its weights beside it.
        sha256: of model.onnx.
        size: bytes of all its files.
        card: what the training said of it, None where there is none.
    """

    name: str
    version: str
    folder: Path
    content: bytes | Path
    sha256: str
    size: int
    card: Card | None
