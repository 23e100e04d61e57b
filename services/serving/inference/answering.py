"""What a version answers, in JSON or with its tensors in binary."""

from collections.abc import Sequence

import msgspec

from contracts import inference_binary as binary
from contracts.inference import Output, Response
from runtime.asgi import BINARY, JSON, Headers
from serving.inference.asking import Question
from serving.model.session import Array
from serving.model.version import Served

_ENCODE = msgspec.json.Encoder().encode
Reply = tuple[bytes, bytes, Headers]
"""Content type, body, further headers."""


def answered(question: Question, found: Sequence[Array], served: Served) -> Reply:
    """The answer to a request.

    Args:
        question: what was asked.
        found: the outputs, in the order in which they were asked for.
        served: the version that computed them.
    """
    datatypes = served.datatypes
    response = Response(served.name, served.version, [], question.request.id)
    if question.binary is None:
        for name, tensor in zip(question.work.names, found, strict=True):
            response.outputs.append(Output(name, datatypes[name], tensor.shape, None, tensor.ravel().tolist()))
        return JSON, _ENCODE(response), ()
    pieces = []
    for name, tensor, wanted in zip(question.work.names, found, question.binary, strict=True):
        output = Output(name, datatypes[name], tensor.shape)
        if wanted:
            pieces.append(binary.encoded(tensor))
            output.parameters = {binary.SIZE: len(pieces[-1])}
        else:
            output.data = tensor.ravel().tolist()
        response.outputs.append(output)
    head = _ENCODE(response)
    return BINARY, b"".join((head, *pieces)), [(binary.HEADER, str(len(head)).encode())]
