"""A role's experiments over HTTP: POST /experiments/NAME, one at a time; the answer is its result."""

import logging
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from runtime.errors import ServiceError
from runtime.web import Answer

log = logging.getLogger(__name__)

Experiment: TypeAlias = Callable[[], dict[str, Any]]


class Desk:
    """Takes orders for what a role can try out.

    Args:
        role: whose they are, as an answer names it.
        known: name -> what runs it.
    """

    def __init__(self, role: str, known: Mapping[str, Experiment]) -> None:
        self._role = role
        self._known = known
        self._running = threading.Lock()

    def answer(self, path: tuple[str, ...], _body: Any) -> Answer:  # noqa: ANN401  any JSON
        """POST /experiments/NAME."""
        name = "/".join(path)
        if name not in self._known:
            return HTTPStatus.NOT_FOUND, {"error": f"no experiment {name}", "known": sorted(self._known)}
        if not self._running.acquire(blocking=False):
            return HTTPStatus.CONFLICT, {"error": f"an experiment of the {self._role} is running; wait for its end"}
        try:
            return HTTPStatus.OK, self._known[name]()
        except ServiceError as failure:
            log.warning("experiment failed", extra={"experiment": name, "cause": failure.what})
            return HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(failure)}
        finally:
            self._running.release()
