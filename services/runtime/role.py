"""What each role of a lab's service is made of: settings, the end, health, metrics, tracing and the HTTP side.

with Role("lab-01-delays", DelaysSettings, env) as role:
    role.serve(questions={...}, orders={...})
    while not role.stop: ...
"""

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Generic, Self, TypeVar

from runtime import logs, metrics, settings
from runtime.health import Health
from runtime.process import Stop
from runtime.settings import ServiceSettings
from runtime.tracing import Tracing
from runtime.web import Order, Question, Web

S = TypeVar("S", bound=ServiceSettings)

log = logging.getLogger(__name__)


class Role(Generic[S]):
    """One running role; closes what it opened.

    Args:
        name: under which its logs and traces are found.
        kind: its settings.
        env: the environment they come from.

    Raises:
        BadSetting: a variable is unknown or cannot be used.
    """

    def __init__(self, name: str, kind: type[S], env: Mapping[str, str]) -> None:
        self.name = name
        self.settings: S = settings.load(kind, env)
        logs.start(name, self.settings.log_level)
        self.stop = Stop().listen()
        self.health = Health()
        self.registry = metrics.registry()
        self.tracing = Tracing.to(name, self.settings.traces, self.settings.trace_ratio)
        self._web: Web | None = None

    def serve(
        self, *, questions: Mapping[str, Question] | None = None, orders: Mapping[str, Order] | None = None
    ) -> Web:
        """Answer from now on."""
        self._web = Web(
            self.settings.port,
            self.health,
            self.registry,
            questions=questions,
            orders=orders,
            tracing=self.tracing,
        ).start()
        return self._web

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._web:
            self._web.close()
        self.tracing.close()
        log.info("ended", extra={"role": self.name})
