"""What can go wrong in a service, and whether trying again helps.

ServiceError
├── Temporary       the world outside is not ready: the same call may work later (exit 1)
└── Permanent       trying again changes nothing: somebody has to act (exit 2)
└── BadSetting  an environment variable that cannot be used
"""

from typing import ClassVar


class ServiceError(Exception):
    """Base of every failure that a service names itself.

    Args:
        what: object and field that failed.
        remedy: what to do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what} - {remedy}")
        self.what = what
        self.remedy = remedy


class Temporary(ServiceError):
    """The same call may succeed after `delay` seconds."""

    def __init__(self, what: str, remedy: str, delay: float = 1.0) -> None:
        super().__init__(what, remedy)
        self.delay = delay


class Permanent(ServiceError):
    """Nothing changes by trying again."""

    exit_code = 2


class BadSetting(Permanent):
    """An environment variable is unknown or holds a value that cannot be used."""
