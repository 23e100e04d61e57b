"""What a V2 request asks of a version: its body read, its inputs held to the model, the outputs that it wants."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from contracts import inference_binary as binary
from contracts.inference import Asked, Request
from contracts.inference_binary import Malformed
from serving.errors import InputWrong, OutputUnknown, Unreadable
from serving.model.batch import Work
from serving.model.session import Array
from serving.model.version import Served

_REQUEST = msgspec.json.Decoder(Request).decode
_LENGTH = binary.HEADER
_NONE: Mapping[str, memoryview] = {}


class Question(NamedTuple):
    """A request, understood.

    Attributes:
        request: as it came.
        work: what is to be computed.
        binary: for each output in turn, whether its bytes are wanted; None: all are wanted as JSON.
    """

    request: Request
    work: Work
    binary: list[bool] | None


def asked(body: bytes, headers: Mapping[bytes, bytes], served: Served) -> Question:
    """What a request asks.

    Args:
        body: of the request.
        headers: of the request, by their names in small letters.
        served: the version that is asked.

    Raises:
        Unreadable: the body is no request.
        InputWrong: an input is not the model's.
        OutputUnknown: an output is not the model's.
    """
    length = headers.get(_LENGTH)
    if length is None:
        request, segments = decoded(body), _NONE
    else:
        request, segments = _parted(body, length)
    wanted = understood(request, segments, served)
    return Question(request, wanted, _forms(request, wanted.names))


def _parted(body: bytes, length: bytes) -> tuple[Request, Mapping[str, memoryview]]:
    try:
        head, rest = binary.parted(body, length)
        request = decoded(head)
        return request, binary.segments(request.inputs, rest)
    except Malformed as failure:
        raise InputWrong(failure.what, failure.remedy) from None


def understood(request: Request, segments: Mapping[str, memoryview], served: Served) -> Work:
    """What is to be computed.

    Args:
        request: what is asked.
        segments: name -> bytes of the inputs that were sent in binary.
        served: the version that is asked.

    Raises:
        InputWrong: an input is not the model's.
        OutputUnknown: an output is not the model's.
    """
    names = served.session.names if request.outputs is None else _names(request.outputs, served)
    made = work(_feed(request, segments, served), names, served)
    return made._replace(parameters=request.parameters) if request.parameters else made


def decoded(head: bytes | memoryview) -> Request:
    """The JSON of a request.

    Raises:
        Unreadable: it is none.
    """
    try:
        return _REQUEST(head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise unreadable(failure) from None


def unreadable(failure: Exception) -> Unreadable:
    """The error of a body that cannot be decoded."""
    if isinstance(failure, msgspec.ValidationError):
        return Unreadable(f"request: {failure!s:.300}", "send it as the Open Inference Protocol V2 has it")
    if isinstance(failure, RecursionError):
        return Unreadable("body: JSON nested too deep to be a request", "nest data no deeper than its shape")
    return Unreadable(
        f"body: no JSON: {failure!s:.200}", "send UTF-8 JSON; NaN is none, write null for what is missing"
    )


def work(feed: dict[str, Array], names: list[str], served: Served) -> Work:
    """What is to be computed of a feed.

    Raises:
        InputWrong: its inputs have different numbers of rows, and the model takes rows.
    """
    if served.even:
        (only,) = feed.values()
        key: object = None if names is served.session.names else tuple(names)
        return Work(feed, names, len(only), only.size, (key,))
    elements = sum(each.size for each in feed.values())
    if not served.session.stacks:
        return Work(feed, names, 0, elements, None)
    rows = {len(each) for each in feed.values()}
    if len(rows) > 1:
        told = ", ".join(f"{name} {len(each)}" for name, each in feed.items())
        raise InputWrong(f"inputs have different first dimensions: {told}", "give each as many rows")
    key = (tuple(names), *((name, feed[name].shape[1:]) for name in served.inputs))
    return Work(feed, names, rows.pop(), elements, key)


def _feed(request: Request, segments: Mapping[str, memoryview], served: Served) -> dict[str, Array]:
    feed: dict[str, Array] = {}
    for given in request.inputs:
        reader = served.inputs.get(given.name)
        if reader is None:
            known = ", ".join(served.inputs)
            raise InputWrong(f"input {given.name:.60} is none of model {served.name}", f"it takes {known}")
        if given.name in feed:
            raise InputWrong(f"input {given.name} is there twice", "send it once")
        feed[given.name] = reader.read(given, segments.get(given.name))
    if len(feed) != len(served.inputs):
        lacking = ", ".join(name for name in served.inputs if name not in feed)
        raise InputWrong(f"input {lacking} is missing; model {served.name} needs it", "send every input")
    return feed


def _names(outputs: list[Asked], served: Served) -> list[str]:
    names = [each.name for each in outputs]
    known = served.session.names
    for name in names:
        if name not in known:
            raise OutputUnknown(f"output {name:.60} is none of model {served.name}", f"it gives {', '.join(known)}")
    if len(set(names)) != len(names):
        raise OutputUnknown(f"outputs are asked for twice: {', '.join(names):.300}", "ask for each once")
    return names or known


def _forms(request: Request, names: list[str]) -> list[bool] | None:
    if request.outputs is None and request.parameters is None:
        return None
    every = bool(request.parameters and request.parameters.get(binary.ALL))
    wanted = {each.name: (each.parameters or {}).get(binary.WANTED, every) for each in request.outputs or ()}
    forms = [bool(wanted.get(name, every)) for name in names]
    return forms if any(forms) else None
