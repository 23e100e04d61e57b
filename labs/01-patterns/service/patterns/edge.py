"""The edge: one site per pod, edge-0 EWR, edge-1 JFK, edge-2 LGA. This module keeps the site's process running.

A site's process may end at any moment (POST /crash ends it), and comes back on its own, as a site with nobody on it
must. Kubernetes would bring it back too, but waits longer after each end, up to minutes: a site would be down because
it was down before. So a parent that holds nothing and knows nothing starts the process again after a second.
"""

import importlib
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

_PERMANENT = 2  # exit code of what trying again does not help
_PAUSE = 1.0  # seconds before the process is started again


def main(env: Mapping[str, str]) -> None:
    """Run the site until it is asked to end."""
    # The parent imports nothing of the site: it stays a few MiB.
    keep(lambda: importlib.import_module("patterns.edge_role").run(env))


def keep(run: Callable[[], None]) -> None:
    """Call `run` in a child process, again whenever that ends with exit code 1; returns in the child only.

    Raises:
        SystemExit: in the parent, with the child's exit code, once it ended for good.
    """
    parent = _Parent()
    while not parent.asked:
        parent.child = os.fork()
        if not parent.child:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            run()
            return
        parent.pass_on()
        code = os.waitstatus_to_exitcode(os.waitpid(parent.child, 0)[1])
        parent.child = 0
        if code in (0, _PERMANENT) or code < 0:
            raise SystemExit(code if code >= 0 else 128 - code)
        log.warning("the site's process ended; it is started again", extra={"code": code})
        time.sleep(_PAUSE)
    raise SystemExit(0)


class _Parent:
    """Hands signals on to the child."""

    def __init__(self) -> None:
        self.child = 0
        self.asked: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hand_on)

    def _hand_on(self, number: int, _frame: object) -> None:
        self.asked = number
        self.pass_on()

    def pass_on(self) -> None:
        """Ask the child to end, where we were asked."""
        if self.asked and self.child:
            os.kill(self.child, self.asked)
