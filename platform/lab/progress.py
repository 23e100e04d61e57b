"""What the user sees while the tool works: live where there is a terminal, plain lines where there is none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Literal, TypeAlias

from rich.console import Console
from rich.live import Live
from rich.table import Table

from lab.text import Language, Text

Say: TypeAlias = Callable[[Text], None]
"""Tells the user one line of news."""

State = Literal["waiting", "running", "done", "unchanged", "failed"]

_MARKS: dict[State, str] = {"waiting": "·", "running": "▶", "done": "✓", "unchanged": "=", "failed": "✗"}
_STATES: dict[State, Text] = {
    "waiting": Text(en="waiting", fr="en attente"),
    "running": Text(en="running", fr="en cours"),
    "done": Text(en="done", fr="fait"),
    "unchanged": Text(en="unchanged", fr="inchangé"),
    "failed": Text(en="failed", fr="échec"),
}
_USUAL = Text(en="usual", fr="habituel")


@dataclass(slots=True)
class Phase:
    """One step of a plan.

    Attributes:
        name: its identifier, also shown.
        usual: seconds that it took in earlier runs; None when it never ran here.
        state: where it stands.
        seconds: how long it took, or has been running.
        unchanged: set by the phase when there was nothing to do.
        news: the last line that it told.

    """

    name: str
    usual: float | None = None
    state: State = "waiting"
    seconds: float = 0.0
    unchanged: bool = False
    news: Text = field(default_factory=lambda: Text.plain(""))
    started: float = 0.0

    def elapsed(self) -> float:
        """Return the seconds so far."""
        return time.monotonic() - self.started if self.state == "running" else self.seconds


class Progress:
    """Shows phases as they run; safe to use from several threads.

    Args:
        language: the user's language.
        stream: where to write; live only if it is a terminal.
        quiet: write nothing (machine-readable output goes elsewhere).

    """

    def __init__(self, language: Language, stream: IO[str], *, quiet: bool = False) -> None:
        self._language = language
        self._console = Console(file=stream, quiet=quiet, highlight=False)
        self._lock = threading.Lock()
        self._live: Live | None = None
        self.phases: list[Phase] = []

    @contextmanager
    def shown(self, names: list[str], usual: dict[str, float]) -> Iterator[None]:
        """Show the named phases until the block ends."""
        self.phases = [Phase(name, usual.get(name)) for name in names]
        if not self._console.is_terminal:
            yield
            return
        try:
            with Live(get_renderable=self._table, console=self._console, refresh_per_second=4) as live:
                self._live = live
                yield
        finally:
            self._live = None

    def say(self, news: Text) -> None:
        """Tell a line that belongs to no phase."""
        self._console.print(news.in_(self._language), markup=False, soft_wrap=True)

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Run the block as the named phase; set `phase.unchanged` inside when nothing was to do."""
        phase = next((phase for phase in self.phases if phase.name == name), None)
        if phase is None:
            phase = Phase(name)
            self.phases.append(phase)
        phase.state, phase.started = "running", time.monotonic()
        try:
            yield phase
        except BaseException:
            self._end(phase, "failed")
            raise
        self._end(phase, "unchanged" if phase.unchanged else "done")

    def teller(self, phase: Phase) -> Say:
        """Return what a phase uses to tell its news."""

        def tell(news: Text) -> None:
            with self._lock:
                phase.news = news
                if self._live is None:
                    self.say(Text(en=f"{phase.name}: {news.en}", fr=f"{phase.name} : {news.fr}"))

        return tell

    def as_json(self) -> list[dict[str, object]]:
        """Return the phases for machines: name, state, seconds."""
        return [{"name": p.name, "state": p.state, "seconds": round(p.seconds, 2)} for p in self.phases]

    def _end(self, phase: Phase, state: State) -> None:
        with self._lock:
            phase.seconds, phase.state = time.monotonic() - phase.started, state
            if self._live is None:
                word = _STATES[state].in_(self._language)
                self._console.print(f"{_MARKS[state]} {phase.name} {word} ({phase.seconds:.1f} s)", markup=False)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for phase in self.phases:
            usual = f"{_USUAL.in_(self._language)} {phase.usual:.0f} s" if phase.usual is not None else ""
            news = phase.news.in_(self._language) if phase.state == "running" else ""
            clock = f"{phase.elapsed():5.1f} s" if phase.state != "waiting" else ""
            table.add_row(_MARKS[phase.state], phase.name, _STATES[phase.state].in_(self._language), clock, usual, news)
        return table


def dump(value: object) -> str:
    """Return a value as the JSON that every `--output json` prints."""
    return json.dumps(value, ensure_ascii=False, indent=2)
