"""What the experiments work with."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from runtime.errors import Temporary
from runtime.figures import wait_for
from runtime.peer import Peer, PeerFailure, Refused
from runtime.process import Stop
from trials.registry import Registry
from trials.settings import TrialsSettings

T = TypeVar("T")
_ANSWER_SECONDS = 15
"""That a server may take to load what it is asked about."""
_STEP = 0.1
"""Seconds between two looks at what is waited for."""


_GONE_SECONDS = 60.0
"""In which a server has looked at the registry again."""


class NotThere(Temporary):
    """What an experiment waits for does not come."""


@dataclass(frozen=True)
class Stage:
    """Everything that an experiment may touch.

    Attributes:
        settings: what the trainee has set.
        stop: the process is to end.
    """

    settings: TrialsSettings
    stop: Stop

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """MLflow."""
        with closing(Registry(self.settings.mlflow)) as registry:
            yield registry

    def told(self, address: str, *names: str) -> dict[str, Any]:
        """What a server runs with, as it says itself.

        Args:
            address: of the server.
            names: of the settings that are wanted.

        Raises:
            PeerFailure: it does not answer.
        """
        settings = Peer(address).get("/settings", 10)
        return {name: settings[name] for name in names}

    def until_ready(self, address: str, model: str, version: str = "", seconds: float = 60.0) -> None:
        """Wait until a server has a model in memory; one that was evicted is loaded for the question.

        Args:
            address: of the server.
            model: its name.
            version: number or alias; empty: what the server answers with by default.
            seconds: to wait.

        Raises:
            NotThere: it has not.
        """
        path = f"/v2/models/{model}{f'/versions/{version}' if version else ''}"

        def ready() -> bool | None:
            try:
                return bool(Peer(address).get(path, _ANSWER_SECONDS)) or None
            except PeerFailure:
                return None

        self.until(ready, f"model {model} {version} at {address}", seconds)

    @contextmanager
    def trial(self, registry: Registry, name: str, *models: bytes, champion: str = "1") -> Iterator[None]:
        """Versions 1, 2, … of a model, until the trial ends; begins when no server has an earlier trial's any more.

        The registry counts anew when a model was deleted, and a server answers with what it has until it looks again.

        Args:
            registry: holds the versions.
            name: of the model.
            models: model.onnx of each version.
            champion: the version that the alias of that name points to at first.

        Raises:
            NotThere: a server holds on to an earlier trial.
            RegistryFailure: MLflow does not answer as it should.
        """
        registry.forget(name)
        for address in (self.settings.server, self.settings.stable, self.settings.canary):
            self.until(partial(_gone, address, name), f"{address} without model {name}", _GONE_SECONDS)
        with registry.trial(name, *models, champion=champion):
            yield

    def until_calm(self, *models: str) -> None:
        """Wait until the stack's own servers have loaded a trial's models too: that takes work of the same machine."""
        for address in (self.settings.stable, self.settings.canary):
            try:
                Peer(address).text("/livez", 2)
            except PeerFailure:
                continue
            for model in models:
                self.until_ready(address, model)

    def until(self, look: Callable[[], T | None], what: str, seconds: float, step: float = _STEP) -> T:
        """What `look` gives as soon as it is not None.

        Args:
            look: at what is waited for.
            what: it is, for the message.
            seconds: to wait.
            step: seconds between two looks.

        Raises:
            NotThere: it does not come.
        """
        found = wait_for(look, seconds, self.stop, step)
        if found is None:
            raise NotThere(f"{what} did not come in {seconds:g} s", "`lab status` shows what stands, then run again")
        return found


def _gone(address: str, model: str) -> bool | None:
    """Whether a server does not know a model, or does not stand: then it will look when it does."""
    try:
        Peer(address).get(f"/v2/models/{model}", _ANSWER_SECONDS)
    except Refused as refusal:
        return refusal.status == HTTPStatus.NOT_FOUND or None
    except PeerFailure:
        return True
    return None
