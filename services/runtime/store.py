"""Where the lake is and how its clients are told: a folder, or an S3 endpoint.

It also tells a store that is away from a file that is damaged. Delta Lake's client reports both with the same class of
error, whose text names the files that were asked for: only the words between the names say which it was.

Temporary
├── StoreAway        the object store does not answer, or a commit is not known to have happened
└── Contended        somebody else committed to the same table meanwhile
Permanent
├── TableBroken      a table's log or one of its files is damaged
└── SchemaChanged    a column is missing or has another type than the contract says
"""

from dataclasses import dataclass, field
from typing import Self

from runtime.errors import Permanent, Temporary
from runtime.settings import ServiceSettings, between

_AWAY = ("connect", "timed out", "timeout", "dns", "error sending request", "service unavailable", "status code: 5")
_DAMAGE = ("parquet", "magic", "thrift", "json", "invalid", "corrupt", "parse", "deserializ", "checksum", "out of spec")


class StoreAway(Temporary):
    """The object store does not answer; nothing is lost or changed that the next attempt does not find."""


class Contended(Temporary):
    """Another commit to the same table came first."""


class TableBroken(Permanent):
    """A table's log or one of its files is damaged."""


class SchemaChanged(Permanent):
    """A table does not fit the contract, and widening it would not help."""


@dataclass(frozen=True, kw_only=True)
class StoreSettings(ServiceSettings):
    """What every service that reads or writes the lake can be told."""

    lake: str = "s3://lake"
    """Where the lake is: a folder, or `s3://bucket/prefix`."""

    s3_endpoint: str = "http://objectstore.data.svc:7070"
    """Address of the S3 endpoint; unused for a folder."""

    s3_region: str = "us-east-1"
    """What the endpoint calls its region."""

    s3_access_key: str = field(default="", repr=False)
    """User of the endpoint."""

    s3_secret_key: str = field(default="", repr=False)
    """The user's secret."""

    keep_hours: int = between(168, 0)
    """Hours that an older version of a table stays readable."""


@dataclass(frozen=True)
class Store:
    """Where the lake is.

    Args:
        root: a folder, or `s3://bucket/prefix`.
        endpoint: address of the S3 endpoint; unused for a folder.
        access_key: its user.
        secret_key: the user's secret.
        region: what the endpoint calls its region.
    """

    root: str
    endpoint: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    region: str = "us-east-1"

    @classmethod
    def of(cls, settings: StoreSettings) -> Self:
        """The store that the settings name."""
        return cls(
            settings.lake, settings.s3_endpoint, settings.s3_access_key, settings.s3_secret_key, settings.s3_region
        )

    def options(self) -> dict[str, str]:
        """What the object store's client is told; a store that is away is noticed within seconds."""
        if not self.root.startswith("s3://"):
            return {}
        return {
            "aws_endpoint": self.endpoint,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "aws_region": self.region,
            "aws_virtual_hosted_style_request": "false",
            "aws_conditional_put": "etag",
            "allow_http": "true",
            "connect_timeout": "3s",
            "timeout": "30s",
            "max_retries": "3",
            "retry_timeout": "15s",
        }

    def path(self, *names: str) -> str:
        """The address of a table."""
        return "/".join((self.root.rstrip("/"), *names))


def away(failure: Exception) -> bool:
    """Whether a failure tells of a store that does not answer: it heals by waiting."""
    words = str(failure).lower()
    return any(word in words for word in _AWAY)


def damaged(failure: Exception) -> bool:
    """Whether a failure tells of damage: it does not heal by waiting."""
    words = str(failure).lower()
    return not away(failure) and any(word in words for word in _DAMAGE)
