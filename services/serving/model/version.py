"""A version of a model in memory, with all that answering for it takes."""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Protocol

from contracts.inference import FREE, ModelMetadata, Parameters
from contracts.models import INPUT, OUTPUT, Card
from serving.errors import CardWrong
from serving.model.batch import Batcher, Limits, Work
from serving.model.cache import Cache
from serving.model.outline import Outline
from serving.model.session import Array, Session
from serving.model.tensors import Reader
from serving.source.artifact import Artifact
from serving.tally import Tally

ENTRIES = 10_000
"""Answers that a cache keeps."""


class Runs(Protocol):
    """What carries a version's requests out: a batcher for a model, a composer for a composition."""

    @property
    def members(self) -> Sequence[str]:
        """Models that it is made of, with the versions that answer now."""

    async def run(self, work: Work, deadline: float) -> list[Array]:
        """The outputs that `work` names, in their order."""


class Served:
    """A version that answers; whoever holds it may go on asking it, loaded or not.

    Args:
        artifact: what was examined.
        session: made of it; of a composition, its outline.
        batcher: runs its requests.
        tally: counts them.
        cache: keeps answers.

    Attributes:
        name: of the model.
        version: of the model.
        card: what the training said of it.
        size: bytes of its files.
        used: time of the loop when it was last asked.
        inputs: name -> what reads it from requests; NaN stands for a missing value with a card, and is refused without.
        even: whether it has one input, all of whose rows are alike.
    """

    __slots__ = (
        "batcher",
        "cache",
        "card",
        "datatypes",
        "even",
        "inputs",
        "name",
        "session",
        "size",
        "tally",
        "used",
        "version",
    )

    def __init__(
        self, artifact: Artifact, session: Session | Outline, batcher: Runs, tally: Tally, cache: Cache
    ) -> None:
        self.name = artifact.name
        self.version = artifact.version
        self.card = artifact.card
        self.size = artifact.size
        self.session = session
        self.batcher = batcher
        self.tally = tally
        self.cache = cache
        self.inputs = {each.name: Reader(each, missing=artifact.card is not None) for each in session.inputs}
        self.even = session.stacks and len(self.inputs) == 1 and all(each.even for each in self.inputs.values())
        self.datatypes = {each.name: each.datatype for each in session.outputs}
        self.used = 0.0

    def metadata(self, versions: list[str]) -> ModelMetadata:
        """What V2 metadata tells of it."""
        told: Parameters | None = None
        if self.card:
            told = {"label": self.card.label, "kind": self.card.kind, "sha256": self.card.sha256}
            if self.batcher.members:
                told["members"] = list(self.batcher.members)
        found = ModelMetadata(
            self.name,
            versions,
            self.session.platform,
            [each.metadata for each in self.session.inputs],
            [each.metadata for each in self.session.outputs],
            told,
        )
        if self.card:
            found.inputs[0].parameters = {"features": list(self.card.features), "service": self.card.service}
        return found


def served(
    made: tuple[Artifact, Session], pool: Executor, limits: Limits, tally: Tally, entries: int = ENTRIES
) -> Served:
    """The parts of a version put together; `entries` answers are kept in its cache."""
    artifact, session = made
    first = session.outputs[0]
    if first.kind.kind == "f" and first.shape in ((FREE,), (FREE, 1)):
        tally.watch(first.name)
    return Served(artifact, session, Batcher(session, pool, limits, tally), tally, Cache(entries))


def check(card: Card, artifact: Artifact, session: Session) -> None:
    """Hold a model's tensors to its card: one input with a column for each feature, one column of output.

    Raises:
        CardWrong: they are others.
    """
    given = [(each.name, each.datatype, each.shape) for each in (*session.inputs, *session.outputs)]
    wanted = [(INPUT, "FP32", (-1, len(card.features))), (OUTPUT, "FP32", (-1, 1))]
    if given != wanted:
        told = f"model {artifact.name} version {artifact.version}: its tensors are {given}, its card asks for {wanted}"
        raise CardWrong(told, "export it with the input and output of the contract, or without a card")
