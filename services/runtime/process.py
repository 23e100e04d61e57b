"""The life of a process: stop on SIGTERM or SIGINT, and turn errors into one log line and an exit code."""

import logging
import signal
import threading
from collections.abc import Callable

from runtime.errors import ServiceError

log = logging.getLogger(__name__)


class Stop:
    """Set when the process was asked to end; a second signal ends it at once."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def listen(self) -> "Stop":
        """React to SIGTERM and SIGINT from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked)
        return self

    def set(self) -> None:
        """Ask to end."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep so long, less when asked to end; True once asked."""
        return self._event.wait(seconds)

    def _asked(self, number: int, _frame: object) -> None:
        if self._event.is_set():
            raise SystemExit(128 + number)
        self._event.set()


def guarded(main: Callable[[], None]) -> int:
    """Run `main`; the exit code for what came of it."""
    try:
        main()
    except ServiceError as failure:
        told = {"remedy": failure.remedy, "kind": type(failure).__name__}
        log.error(failure.what, extra=told)  # noqa: TRY400 (a named cause needs no stack)
        return failure.exit_code
    except Exception:
        log.exception("failed for a reason nobody named")
        return 1
    return 0
