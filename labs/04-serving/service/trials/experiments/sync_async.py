"""One model asked in three ways for three uses: at once over HTTP, later through a topic, all together in a job."""

import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from contracts.models import MODEL as FILE
from runtime.errors import Temporary
from runtime.figures import Result, percentile, rounded, row
from trials import children, graphs
from trials.asks import Answer, ask
from trials.caller import Caller
from trials.children import Child
from trials.experiments.dynamic_batching import layers
from trials.mailbox import ANSWERED, ASKED, Mailbox
from trials.settings import HTTP, JOB, TOPIC
from trials.stage import Stage
from trials.traffic import Traffic

MODEL = "trial-uses"
_WIDTH = 32
_ONE_BY_ONE, _RATE = 25, 40.0
_BEFORE, _AWAY, _AFTER = 2.0, 3.0, 2.0
"""Seconds of the wave: before the server is away, while it is, and after."""
_PATIENCE = 60.0
_HTTP_ROWS, _TOPIC_ROWS, _JOB_ROWS = 100, 400, 8_000
_ROW = [1.0, 2.0, 3.0, 4.0]


class JobFailed(Temporary):
    """A job did not end well."""


def sync_async(stage: Stage) -> Result:
    """Measure all three ways at each use, on a server and a worker of this trial's own, which lose their power once.

    Raises:
        NotThere: server or worker do not start.
        TopicsAway: Kafka does not answer.
        JobFailed: the job does not end well.
    """
    content = graphs.deep(layers() // 2, _WIDTH)
    with tempfile.TemporaryDirectory() as place:
        models = Path(place)
        children.put(models, MODEL, content)
        with (
            children.server(stage, models) as server,
            _worker(stage, models) as worker,
            Mailbox(stage.settings.kafka, stage.stop, MODEL) as mailbox,
        ):
            stage.until_ready(server.address, MODEL)
            pushback = {HTTP: _http_each(server), TOPIC: _topic_each(stage, mailbox)}
            rates = {HTTP: _http_rate(server), TOPIC: _topic_rate(stage, mailbox)}
            wave = _wave(stage, server, worker, mailbox)
        job = Job(models / MODEL / "1" / FILE, models)
        single = [job.seconds(1) for _ in range(3)]
        rates[JOB] = _JOB_ROWS / job.seconds(_JOB_ROWS)
    settings = stage.settings
    return {
        "settings": {"pushback": settings.pushback, "rebooking": settings.rebooking, "report": settings.report},
        "pushback": {name: {"seconds_p95": rounded(percentile(each, 0.95), 4)} for name, each in
                     {**pushback, JOB: single}.items()},
        "rebooking": wave,
        "report": {name: {"rows_per_second": rounded(each, 1)} for name, each in rates.items()},
        "figures": [
            row("http", "recommendation", seconds=pushback[HTTP], throughput=rates[HTTP]),
            row("topic", "recommendation", seconds=pushback[TOPIC], throughput=rates[TOPIC]),
            row("job", "punctuality", seconds=single, throughput=rates[JOB]),
        ],
    }  # fmt: skip


class Job:
    """Predicts rows in a process that ends with them.

    Args:
        model: its file.
        folder: for rows and predictions.
    """

    def __init__(self, model: Path, folder: Path) -> None:
        self._model = model
        self._rows = folder / "rows.npy"
        self._found = folder / "predictions.npy"

    def seconds(self, rows: int) -> float:
        """How long the job takes for so many rows, from its start to its end.

        Raises:
            JobFailed: it does not end well, or predicts something else than the model.
        """
        given = np.tile(np.array([_ROW], np.float32), (rows, 1))
        np.save(self._rows, given)
        words = [sys.executable, "-m", "trials.job", str(self._model), str(self._rows), str(self._found)]
        begun = time.monotonic()
        ended = subprocess.run(words, check=False, timeout=_PATIENCE)  # noqa: S603  our own
        taken = time.monotonic() - begun
        if ended.returncode or not np.allclose(np.load(self._found), sum(_ROW), atol=0.01):
            raise JobFailed(f"job of {rows} rows ended with {ended.returncode}", "see the conductor's log")
        return taken


def _worker(stage: Stage, models: Path) -> Child:
    told = {
        "TARMAC_MODELS": str(models), "TARMAC_KAFKA": stage.settings.kafka, "TARMAC_ASKED": ASKED,
        "TARMAC_ANSWERED": ANSWERED, "TARMAC_GROUP": "lab-04-trials",
    }  # fmt: skip
    return children.service(stage, ["serving", "stream"], told)


def _http_each(server: Child) -> list[float]:
    with Caller(server.address) as caller:
        return [caller.ask(ask(MODEL, [_ROW])).seconds for _ in range(_ONE_BY_ONE)]


def _topic_each(stage: Stage, mailbox: Mailbox) -> list[float]:
    return [_through_topic(stage, mailbox).seconds for _ in range(_ONE_BY_ONE)]


def _through_topic(stage: Stage, mailbox: Mailbox) -> Answer:
    identity = uuid.uuid4().hex
    mailbox.send(identity, _ROW, "one")
    deadline = time.monotonic() + _PATIENCE
    while (found := mailbox.answer(identity)) is None:
        if time.monotonic() > deadline or stage.stop.wait(0.002):
            return Answer("one", deadline - _PATIENCE, _PATIENCE, 0)
    return found


def _http_rate(server: Child) -> float:
    """Rows a second of a caller who asks for one after the other."""
    begun = time.monotonic()
    with Caller(server.address) as caller:
        good = sum(caller.ask(ask(MODEL, [_ROW])).good for _ in range(_HTTP_ROWS))
    return good / (time.monotonic() - begun)


def _topic_rate(stage: Stage, mailbox: Mailbox) -> float:
    """Rows a second, of which all are asked for at once."""
    begun, kind = time.monotonic(), uuid.uuid4().hex
    for number in range(_TOPIC_ROWS):
        mailbox.send(f"{kind}-{number}", _ROW, kind)
    stage.until(lambda: len(mailbox.answers(kind)) == _TOPIC_ROWS or None, f"answers in topic {ANSWERED}", _PATIENCE)
    return _TOPIC_ROWS / (time.monotonic() - begun)


def _wave(stage: Stage, server: Child, worker: Child, mailbox: Mailbox) -> dict[str, dict[str, Any]]:
    """Ask steadily in both ways while server and worker lose their power and come back."""
    kind, sent = uuid.uuid4().hex, 0

    def both(number: int) -> Any:  # noqa: ANN401  a request
        nonlocal sent
        sent = number + 1
        mailbox.send(f"{kind}-{number}", _ROW, kind)
        return ask(MODEL, [_ROW])

    with Traffic(server.address, both, _RATE) as traffic:
        stage.stop.wait(_BEFORE)
        server.kill()
        worker.kill()
        stage.stop.wait(_AWAY)
        server.start()
        worker.start()
        stage.stop.wait(_AFTER)
    deadline = time.monotonic() + _PATIENCE
    while len(mailbox.answers(kind)) < sent and time.monotonic() < deadline and not stage.stop.wait(0.1):
        pass
    return {HTTP: told(traffic.answers, len(traffic.answers)), TOPIC: told(mailbox.answers(kind), sent)}


def told(answers: Sequence[Answer], sent: int) -> dict[str, Any]:
    """What became of a wave of requests."""
    good = [each.seconds for each in answers if each.good]
    return {
        "requests": sent,
        "lost": sent - len(good),
        "seconds_p50": rounded(percentile(good, 0.5), 4),
        "seconds_p95": rounded(percentile(good, 0.95), 4),
    }
