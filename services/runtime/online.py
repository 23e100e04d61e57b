"""Where the online store is, for every service that reads or writes it."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from runtime.errors import BadSetting
from runtime.settings import ServiceSettings

_ADDRESS = re.compile(r"(?P<host>[^/]+):(?P<port>[0-9]{1,5})(/(?P<database>[0-9]{1,2}))?")


class Address(NamedTuple):
    """Host, TCP port and number of the database of a Redis."""

    host: str
    port: int
    database: int = 0

    @classmethod
    def of(cls, text: str) -> "Address":
        """Read `host:port` or `host:port/database`.

        Raises:
            BadSetting: it is neither.
        """
        found = _ADDRESS.fullmatch(text)
        if not found:
            raise BadSetting(
                f"environment variable TARMAC_REDIS={text!r} cannot be read", "give it host:port, or host:port/database"
            )
        return cls(found["host"], int(found["port"]), int(found["database"] or 0))


@dataclass(frozen=True, kw_only=True)
class OnlineSettings(ServiceSettings):
    """What every service that reads or writes the online store can be told."""

    redis: str = "redis.data.svc:6379"
    """The online store, `host:port` or `host:port/database`."""

    redis_password: str = field(default="", repr=False)
    """Its password; empty for none."""

    @property
    def online(self) -> Address:
        """The online store's address.

        Raises:
            BadSetting: `redis` is none.
        """
        return Address.of(self.redis)
