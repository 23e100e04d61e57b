"""What can go wrong in the feature service.

Temporary
└── StoreUnavailable    Redis does not answer (503, Retry-After)
Permanent
├── BadDefinitions      the definitions cannot be loaded or used
├── Breaking            applying them would break a consumer
├── RegistryUnavailable the registry cannot be reached or read
└── Refused             a request that cannot be served as it is: each with its status and Feast's name for it
    ├── ServiceUnknown, ViewUnknown, FeatureUnknown, SourceUnknown   404
    ├── Unreadable, EntityWrong, ValueWrong, NameTwice               422
    ├── TooLarge                                                     413
    └── NotHere                                                      501
"""

import json
from http import HTTPStatus
from typing import ClassVar

from runtime.errors import Permanent, Temporary


class StoreUnavailable(Temporary):
    """The online store does not answer; it is tried again by itself."""


class BadDefinitions(Permanent):
    """The definitions cannot be loaded or used."""


class Breaking(Permanent):
    """A feature that somebody reads would go, or change its type."""


class RegistryUnavailable(Permanent):
    """Feast's registry cannot be reached or read with these settings."""


class Refused(Permanent):
    """A request that cannot be served as it is."""

    status: ClassVar[HTTPStatus] = HTTPStatus.UNPROCESSABLE_ENTITY
    feast: ClassVar[str] = "FeastError"
    """The class in `feast.errors` that Feast's own client raises for it."""


class ServiceUnknown(Refused):
    """No feature service of that name."""

    status = HTTPStatus.NOT_FOUND
    feast = "FeatureServiceNotFoundException"


class ViewUnknown(Refused):
    """No feature view of that name."""

    status = HTTPStatus.NOT_FOUND
    feast = "FeatureViewNotFoundException"


class FeatureUnknown(Refused):
    """The view has no feature of that name."""

    status = HTTPStatus.NOT_FOUND
    feast = "FeastObjectNotFoundException"


class SourceUnknown(Refused):
    """No push source of that name."""

    status = HTTPStatus.NOT_FOUND
    feast = "PushSourceNotFoundException"


class Unreadable(Refused):
    """The body is no JSON, or no request."""


class EntityWrong(Refused):
    """An entity or an input of the request is missing, or not of its type."""


class ValueWrong(Refused):
    """A value to be written is missing, or not of its feature's type."""


class NameTwice(Refused):
    """Two features of one name were asked for, and only the long form tells them apart."""

    feast = "FeatureNameCollisionError"


class TooLarge(Refused):
    """The body is larger than any request."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class NotHere(Refused):
    """Feast's server does it, another part of this platform does it instead."""

    status = HTTPStatus.NOT_IMPLEMENTED


def detail(feast: str, what: str, remedy: str) -> bytes:
    """The body of an error as Feast's server sends it: a JSON text that holds a JSON object.

    Feast's client makes of it the exception that `feast` names.
    """
    told = {"module": "feast.errors", "class": feast, "message": f"{what} - {remedy}", "what": what, "remedy": remedy}
    return json.dumps(json.dumps(told)).encode()
