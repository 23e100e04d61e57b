"""Conducts the experiments: one run at a time, in a fixed order; one that fails is told, and the rest go on."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from runtime.errors import ServiceError
from runtime.figures import Result
from runtime.process import Stop
from runtime.tracing import Tracing
from runtime.web import Answer

log = logging.getLogger(__name__)


class Conductor:
    """Runs experiments in the background and keeps each one's last result; safe to use from several threads.

    Args:
        programme: experiment -> what carries it out, in the order of a run.
        tracing: each experiment is one trace.
        stop: a run ends before its next experiment when the process is to end.
        keep: told each new result.
    """

    def __init__(
        self,
        programme: Mapping[str, Callable[[], Result]],
        tracing: Tracing,
        stop: Stop,
        keep: Callable[[Result], None] = lambda _: None,
    ) -> None:
        self._programme = dict(programme)
        self._tracing = tracing
        self._stop = stop
        self._keep = keep
        self._lock = threading.Lock()
        self._results: dict[str, Result] = {}
        self._run = 0
        self._asked: list[str] = []
        self._done: list[str] = []
        self._current: str | None = None
        self._begun = self._ended = 0.0
        self._running = False

    def remember(self, results: Mapping[str, Result]) -> None:
        """Take results of earlier runs; those of experiments that are no more are left out."""
        with self._lock:
            known = {name: result for name, result in results.items() if name in self._programme}
            self._results = {**known, **self._results}
            self._run = max([self._run, *(int(result["run"]) for result in known.values())])

    def told(self, segments: tuple[str, ...]) -> Answer:
        """GET /experiments: the run; GET /experiments/NAME: the last result."""
        if not segments:
            return HTTPStatus.OK, self.state()
        name = "/".join(segments)
        if name not in self._programme:
            return HTTPStatus.NOT_FOUND, {"error": f"no experiment {name}; there are {', '.join(self._programme)}"}
        with self._lock:
            result = self._results.get(name)
        if result is None:
            return HTTPStatus.NOT_FOUND, {"error": f"experiment {name} has not been run: POST /experiments"}
        return HTTPStatus.OK, result

    def state(self) -> dict[str, Any]:
        """What is running, what is done, and for how many seconds."""
        with self._lock:
            until = time.monotonic() if self._running else self._ended
            return {
                "run": self._run,
                "running": self._running,
                "current": self._current,
                "done": list(self._done),
                "asked": list(self._asked),
                "seconds": round(until - self._begun, 1),
            }

    def ordered(self, _: tuple[str, ...], body: Any) -> Answer:  # noqa: ANN401  any JSON
        """POST /experiments {"only": [...]}: begin a run."""
        only = (body or {}).get("only") if isinstance(body, dict | None) else body
        if only is None or only == []:
            only = list(self._programme)
        if not isinstance(only, list) or set(map(str, only)) - set(self._programme):
            known = ", ".join(self._programme)
            return HTTPStatus.BAD_REQUEST, {"error": f'"only" is {only!r}; give it a list of some of {known}'}
        run = self._begin([name for name in self._programme if name in only])
        if run is None:
            return HTTPStatus.CONFLICT, {"error": "a run is under way: GET /experiments tells how far it is"}
        return HTTPStatus.ACCEPTED, {"run": run}

    def _begin(self, names: list[str]) -> int | None:
        with self._lock:
            if self._running:
                return None
            self._running = True
            self._run += 1
            self._asked, self._done, self._current = names, [], None
            self._begun = time.monotonic()
            run = self._run
        threading.Thread(target=self._conduct, args=(run, names), name="experiments", daemon=True).start()
        return run

    def _conduct(self, run: int, names: list[str]) -> None:
        try:
            for name in names:
                if self._stop:
                    break
                with self._lock:
                    self._current = name
                result = self._result(run, name)
                with self._lock:
                    self._results[name] = result
                    self._done.append(name)
                self._keep(result)
        finally:
            with self._lock:
                self._ended = time.monotonic()
                self._current, self._running = None, False

    def _result(self, run: int, name: str) -> Result:
        begun = time.monotonic()
        log.info("experiment begins", extra={"experiment": name, "run": run})
        try:
            with self._tracing.root(f"experiment {name}", run=run):
                measured = self._programme[name]()
        except ServiceError as failure:
            measured = {"error": f"{failure.what}: {failure.remedy}"}
            log.warning("experiment failed", extra={"experiment": name, "cause": failure.what})
        except Exception as failure:
            measured = {"error": f"{type(failure).__name__}: {failure}"}
            log.exception("experiment failed for a reason nobody named", extra={"experiment": name})
        seconds = round(time.monotonic() - begun, 2)
        log.info("experiment ended", extra={"experiment": name, "run": run, "seconds": seconds})
        return {"settings": {}, "figures": [], **measured, "name": name, "run": run, "seconds": seconds}
