"""What can go wrong in the serving service; the HTTP status stands on the class of what a caller is told.

Temporary
├── SourceUnavailable       the registry or folder of models does not answer (503)
└── Busy                    what the caller may try again, after `delay` seconds (Retry-After)
    ├── Overloaded          the model's queue is full (429)
    ├── Crowded             the bodies of all requests leave no room for this one (429)
    ├── Late                the request's time was over before its turn (504)
    ├── Loading             the model is on its way (503)
    └── FeaturesAway        the feature service does not answer, or not in time (503)
Permanent
├── BadRows                 rows for batch inference that cannot be read, or lack what the model needs
├── Artifact                a version that cannot be served (422); whatever served before it goes on
│   ├── NotOnnx             its file is a pickle, an archive, cut off, or anything else than a valid ONNX model
│   ├── OutsideFolder       its external data lies outside its folder
│   ├── CardWrong           it contradicts its card
│   ├── CompositionWrong    it is made of models that are unknown, do not fit, or lead around in a circle
│   ├── NotServable         onnxruntime cannot run it, or the protocol has no type for its inputs or outputs
│   └── TooBig              it alone is larger than all models may be together
└── Refused                 a request that cannot be served as it is (400)
    ├── Unreadable          the body is no request
    ├── InputWrong          an input's name, datatype, shape or data is not the model's
    ├── OutputUnknown       an output is asked for that the model does not have
    ├── NotComputed         the model fails on these values (422)
    ├── FlightWrong         a field of a flight is missing, unknown or not of its kind
    ├── FeaturesUnknown     the version's features are none that the feature service has (422)
    ├── NotOffered          this server was not told where features are (501)
    ├── ModelUnknown        no model of that name, or it was unloaded (404)
    ├── VersionUnknown      no version or alias of that name, or an alias that points nowhere (404)
    ├── PathUnknown         no such path (404)
    ├── MethodWrong         the path takes another method (405)
    ├── TooLarge            the body is larger than any request (413)
    └── Encoded             the body is compressed, or of another media type (415)
"""

import math
from http import HTTPStatus
from typing import ClassVar

import msgspec

from contracts.inference import Failure
from runtime.errors import Permanent, ServiceError, Temporary


class SourceUnavailable(Temporary):
    """The registry or folder of models does not answer; it is tried again by itself."""

    status: ClassVar[HTTPStatus] = HTTPStatus.SERVICE_UNAVAILABLE


class Busy(Temporary):
    """The same request may be served later."""

    status: ClassVar[HTTPStatus] = HTTPStatus.SERVICE_UNAVAILABLE


class Overloaded(Busy):
    """The model's queue is full."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Crowded(Busy):
    """The bodies of all requests leave no room for this one."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class Late(Busy):
    """The request's time was over before it was computed."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class Loading(Busy):
    """The model is being loaded."""


class FeaturesAway(Busy):
    """The feature service does not answer; it is asked again with the next request."""


class BadRows(Permanent):
    """Rows for batch inference that cannot be read or written, or lack what the model needs."""


class Artifact(Permanent):
    """A version of a model that cannot be served."""

    status: ClassVar[HTTPStatus] = HTTPStatus.UNPROCESSABLE_ENTITY


class NotOnnx(Artifact):
    """The file is no valid ONNX model."""


class OutsideFolder(Artifact):
    """The model's external data lies outside its folder."""


class CardWrong(Artifact):
    """The model contradicts its card."""


class CompositionWrong(Artifact):
    """The composition's members are unknown, do not fit, or lead around in a circle."""


class NotServable(Artifact):
    """The model cannot be run here, or not be asked over the protocol."""


class TooBig(Artifact):
    """The model alone is larger than all may be together."""


class Refused(Permanent):
    """A request that cannot be served as it is."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class Unreadable(Refused):
    """The body is no request."""


class InputWrong(Refused):
    """An input's name, datatype, shape or data is not the model's."""


class OutputUnknown(Refused):
    """The model has no output of that name."""


class NotComputed(Refused):
    """The model fails on these values."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class FlightWrong(Refused):
    """A field of a flight is missing, unknown or not of its kind."""


class FeaturesUnknown(Refused):
    """The version has no card, or features that the feature service has not."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotOffered(Refused):
    """This server was not told where features are looked up."""

    status = HTTPStatus.NOT_IMPLEMENTED


class ModelUnknown(Refused):
    """No model of that name."""

    status = HTTPStatus.NOT_FOUND


class VersionUnknown(Refused):
    """No version or alias of that name, or an alias that points nowhere."""

    status = HTTPStatus.NOT_FOUND


class PathUnknown(Refused):
    """No such path."""

    status = HTTPStatus.NOT_FOUND


class MethodWrong(Refused):
    """The path takes another method.

    Attributes:
        allowed: the one that it takes.
    """

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, what: str, allowed: str) -> None:
        super().__init__(what, f"send a {allowed}")
        self.allowed = allowed


class TooLarge(Refused):
    """The body is larger than any request."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Encoded(Refused):
    """The body is compressed, or of another media type."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


def status(failure: ServiceError) -> HTTPStatus:
    """The HTTP status of an error; 500 for one that no caller is meant to see."""
    found: HTTPStatus = getattr(failure, "status", HTTPStatus.INTERNAL_SERVER_ERROR)
    return found


def headers(failure: ServiceError) -> list[tuple[bytes, bytes]]:
    """Headers that go with an error: when to come again, or which method to use."""
    if isinstance(failure, Temporary):
        return [(b"retry-after", str(math.ceil(failure.delay)).encode())]
    return [(b"allow", failure.allowed.encode())] if isinstance(failure, MethodWrong) else []


def body(failure: ServiceError) -> bytes:
    """The body of an error as the protocol has it."""
    return msgspec.json.encode(Failure(f"{failure.what} - {failure.remedy}"))
