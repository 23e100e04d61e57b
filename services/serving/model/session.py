"""A session: one model in memory, ready to be run; the single adapter of onnxruntime.

Making one holds the interpreter's lock for as long as it takes (onnxruntime gives it up while a model runs, not there),
most of it to optimise the graph: `serving.model.isolation` has that done elsewhere.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from contracts.inference import DATATYPES, FREE, TensorMetadata
from serving.errors import Late, NotComputed, NotServable
from serving.source.artifact import Artifact

Array = np.ndarray[Any, Any]
Feed = Mapping[str, Array]

PLATFORM = "onnxruntime_onnx"
"""What V2 metadata calls models of this kind."""

_TYPES = {
    "tensor(bool)": "BOOL", "tensor(string)": "BYTES",
    "tensor(float16)": "FP16", "tensor(float)": "FP32", "tensor(double)": "FP64",
    **{f"tensor({sign}int{bits})": f"{sign.upper()}INT{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}  # fmt: skip
WEIGHTS = "weights.bin"
"""Beside an optimised graph."""
_SMALL = "1024"
"""Bytes of a tensor that stay in the graph."""
_QUIET = 4
"""Severity from which onnxruntime writes to standard error by itself; what a caller does wrong, the caller is told."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output as the model declares it.

    Attributes:
        name: of the tensor.
        datatype: of the protocol.
        kind: its type in numpy.
        shape: its dimensions, `FREE` where any size will do.
    """

    name: str
    datatype: str
    kind: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def metadata(self) -> TensorMetadata:
        """What V2 metadata tells of it."""
        return TensorMetadata(self.name, self.datatype, list(self.shape))


@dataclass(frozen=True)
class Options:
    """How sessions use the machine.

    Attributes:
        threads: that work on one operator; 1 keeps a model on the thread that runs it.
        optimise: whether the graph is optimised when the session is made.
        written: where the optimised graph is written, so that another process need not optimise it again; its weights
            in a file beside it, which that process then maps and does not copy.
    """

    threads: int = 1
    optimise: bool = True
    written: Path | None = None


class Session:
    """One model, ready to be run.

    Args:
        artifact: what was examined.
        options: how it uses the machine.

    Raises:
        NotServable: onnxruntime does not take it, or the protocol has no type for one of its tensors.
    """

    platform = PLATFORM

    def __init__(self, artifact: Artifact, options: Options) -> None:
        self._title = f"model {artifact.name} version {artifact.version}"
        try:
            self._session = onnxruntime.InferenceSession(
                _graph(artifact.content), _told(options), providers=["CPUExecutionProvider"]
            )
        except Exception as failure:  # noqa: BLE001  each of onnxruntime's is a class of its own, with no other base
            raise self._not_servable(f"onnxruntime {onnxruntime.__version__}: {_line(failure)}") from None
        self.inputs = tuple(self._tensor(each) for each in self._session.get_inputs())
        self.outputs = tuple(self._tensor(each) for each in self._session.get_outputs())
        self.names = [each.name for each in self.outputs]
        self._run = self._session.run
        every = (*self.inputs, *self.outputs)
        self.stacks = bool(self.inputs) and all(each.shape and each.shape[0] == FREE for each in every)
        """Whether several requests can be one run, as far as the declared shapes tell."""

    def run(self, names: list[str], feed: Feed) -> list[Array]:
        """The outputs of that name; any thread may call it, several at a time.

        Raises:
            NotComputed: the model fails on these values.
        """
        try:
            found: list[Array] = self._run(names, feed)
        except Exception as failure:  # noqa: BLE001  as above
            raise self._not_computed(failure) from None
        return found

    def timed(self, names: list[str], feed: Feed, brake: "Brake") -> tuple[list[Array], float]:
        """As `run`, with the seconds of this thread's work that it took, whoever else wanted the core.

        Args:
            names: of the outputs.
            feed: input -> tensor.
            brake: can break the run off.

        Raises:
            NotComputed: the model fails on these values.
            Late: the brake was pulled.
        """
        begun = time.thread_time()
        try:
            found: list[Array] = self._run(names, feed, brake.options)
        except Exception as failure:  # noqa: BLE001  as above
            if brake.pulled:
                raise Late(f"{self._title}: the run took longer than it may", "ask for fewer rows at a time") from None
            raise self._not_computed(failure) from None
        return found, time.thread_time() - begun

    def _not_computed(self, failure: Exception) -> NotComputed:
        return NotComputed(f"{self._title}: {_line(failure)}", "give values that it can work with")

    def _tensor(self, declared: Any) -> Tensor:  # noqa: ANN401  onnxruntime has no types
        datatype = _TYPES.get(declared.type)
        if datatype is None:
            raise self._not_servable(f"{declared.name} is a {declared.type}, for which the protocol has no type")
        shape = tuple(each if isinstance(each, int) and each >= 0 else FREE for each in declared.shape)
        return Tensor(declared.name, datatype, DATATYPES[datatype], shape)

    def _not_servable(self, why: str) -> NotServable:
        return NotServable(f"{self._title}: {why}", "export it with plain tensors and operators of this onnxruntime")


class Brake:
    """Breaks off a run, between two of the model's operators."""

    def __init__(self) -> None:
        self.options = onnxruntime.RunOptions()
        self.options.log_severity_level = _QUIET
        self.pulled = False

    def pull(self) -> None:
        """Break off."""
        self.pulled = True
        self.options.terminate = True


def stacked(feeds: Sequence[Feed]) -> Feed:
    """One feed of several that differ in their first dimension only."""
    return {name: np.concatenate([each[name] for each in feeds]) for name in feeds[0]}


def _graph(content: bytes | Path) -> bytes | str:
    """A model as onnxruntime takes it."""
    return content if isinstance(content, bytes) else str(content)


def _told(options: Options) -> onnxruntime.SessionOptions:
    told = onnxruntime.SessionOptions()
    told.intra_op_num_threads = options.threads
    told.inter_op_num_threads = 1
    told.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    told.log_severity_level = _QUIET
    # Threads that spin while they wait take the core from the server's own.
    told.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not options.optimise:
        told.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if options.written:
        told.optimized_model_filepath = str(options.written)
        told.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
        told.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", _SMALL)
    return told


def _line(failure: Exception) -> str:
    return f"{(str(failure).strip().splitlines() or [type(failure).__name__])[0]:.300}"
