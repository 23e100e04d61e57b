"""What the user sees: lines where there is no terminal, a table where there is one, nothing for machines."""

import io
import json
import os
import pty
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from lab.cluster.daemon import until
from lab.progress import Progress, dump
from lab.text import Language, Text

_NEWS = Text(en="pulling", fr="téléchargement")


def _run(progress: Progress) -> None:
    """Run three phases: one that works, one with nothing to do, one that fails."""
    with progress.shown(["cluster", "images", "kafka"], {"cluster": 19.0}):
        with progress.phase("cluster") as phase:
            progress.teller(phase)(_NEWS)
        with progress.phase("images") as phase:
            phase.unchanged = True
        with pytest.raises(RuntimeError), progress.phase("kafka"):
            raise RuntimeError


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["cluster: pulling", "✓ cluster done (", "= images unchanged (", "✗ kafka failed ("]),
        ("fr", ["cluster : téléchargement", "✓ cluster fait (", "= images inchangé (", "✗ kafka échec ("]),
    ],
)
def test_without_a_terminal_there_are_plain_lines(language: Language, lines: list[str]) -> None:
    """One line for each piece of news and each end, in the user's language, without control characters."""
    stream = io.StringIO()
    _run(Progress(language, stream))
    told = stream.getvalue().splitlines()
    assert [line[: len(wanted)] for line, wanted in zip(told, lines, strict=True)] == lines
    assert "\x1b" not in stream.getvalue()


def test_for_machines_nothing_is_shown_and_all_is_in_the_json() -> None:
    """`--output json` keeps the display silent; the phases come as data with names that never change."""
    stream = io.StringIO()
    progress = Progress("fr", stream, quiet=True)
    _run(progress)
    assert stream.getvalue() == ""
    phases = json.loads(dump(progress.as_json()))
    assert [(each["name"], each["state"]) for each in phases] == [
        ("cluster", "done"),
        ("images", "unchanged"),
        ("kafka", "failed"),
    ]
    assert all(each["seconds"] >= 0 for each in phases)


@contextmanager
def _terminal() -> Iterator[tuple[IO[str], list[bytes]]]:
    """Give a real terminal and what was written to it."""
    ours, theirs = pty.openpty()
    seen: list[bytes] = []

    def read() -> None:
        # The terminal's end is told as an error.
        try:
            while chunk := os.read(ours, 4096):
                seen.append(chunk)
        except OSError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w") as stream:
        yield stream, seen
    reader.join()
    os.close(ours)


def test_on_a_terminal_the_table_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each phase has a row with its state and its usual time; the rows are drawn over, not scrolled."""
    for variable, value in (("TERM", "xterm-256color"), ("COLUMNS", "100"), ("LINES", "30")):
        monkeypatch.setenv(variable, value)
    with _terminal() as (stream, seen):
        progress = Progress("fr", stream)
        with progress.shown(["cluster", "images"], {"cluster": 19.0}), progress.phase("cluster") as phase:
            progress.teller(phase)(_NEWS)
            assert until(lambda: "téléchargement" in _told(seen), 10)
    told = _told(seen)
    assert all(word in told for word in ("▶", "en cours", "habituel 19 s", "images", "en attente", "✓", "\x1b["))


def test_a_failure_ends_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error the terminal is given back, and later lines are plain again."""
    monkeypatch.setenv("TERM", "xterm-256color")
    with _terminal() as (stream, seen):
        progress = Progress("en", stream)
        with pytest.raises(RuntimeError), progress.shown(["cluster"], {}), progress.phase("cluster"):
            raise RuntimeError
        with progress.phase("remove") as phase:
            progress.teller(phase)(_NEWS)
    assert "remove: pulling" in _told(seen)
    assert _told(seen).rstrip().endswith("s)")


def _told(seen: list[bytes]) -> str:
    return b"".join(seen).decode(errors="replace")


def test_a_line_of_another_program_is_shown_as_it_is() -> None:
    """Brackets in news are words, not colours, and a long line is not broken."""
    stream = io.StringIO()
    line = "[red]no[/red] " + "x" * 300
    Progress("en", stream).say(Text.plain(line))
    assert stream.getvalue() == line + "\n"


def test_phases_of_several_threads_are_kept_apart() -> None:
    """Components come up side by side: no line is torn, no phase is lost."""
    stream = io.StringIO()
    progress = Progress("en", stream)
    names = [f"component-{number}" for number in range(8)]

    def work(name: str) -> None:
        with progress.phase(name) as phase:
            for _ in range(20):
                progress.teller(phase)(Text.plain("news"))

    with progress.shown(names, {}):
        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = stream.getvalue().splitlines()
    for name in names:
        assert lines.count(f"{name}: news") == 20
    assert {(each["name"], each["state"]) for each in progress.as_json()} == {(name, "done") for name in names}
