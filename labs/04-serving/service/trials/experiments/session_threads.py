"""Threads of a model's operators in a pod with one core: what they do to the slowest answers and to the work done."""

import numpy as np

from runtime.figures import Result, percentile, rounded, row
from trials import graphs, local
from trials.asks import binary
from trials.scrape import scraped
from trials.stage import Stage
from trials.traffic import Traffic, seconds

MODEL = "trial-threads"
RUN_SECONDS = 0.010
"""Of one request, on one thread of this machine: the model is made as deep as that takes."""
_PROBE, _WIDTH, _ROWS = 50, 128, 8
_RATE, _WARM, _SECONDS = 40.0, 2.0, 15.0


def session_threads(stage: Stage) -> Result:
    """Send requests that take two fifths of a core, and see how long they take and how much work they are.

    Raises:
        RegistryFailure: MLflow does not answer as it should.
        NotThere: the server does not load the model.
        PeerFailure: the server does not answer.
    """
    server = stage.settings.server
    rows = np.random.default_rng(0).normal(size=(_ROWS, graphs.COLUMNS)).astype(np.float32)
    with stage.registry() as registry, stage.trial(registry, MODEL, graphs.deep(layers(rows), _WIDTH)):
        stage.until_ready(server, MODEL)
        stage.until_calm(MODEL)
        with Traffic(server, [binary(MODEL, rows)], _RATE) as traffic:
            stage.stop.wait(_WARM)
            before, warm = scraped(server), len(traffic.answers)
            stage.stop.wait(_SECONDS)
            after, answers = scraped(server), traffic.answers[warm:]
    good = seconds(answers)
    cpu = after.total("process_cpu_seconds_total") - before.total("process_cpu_seconds_total")
    return {
        "settings": stage.told(server, "threads"),
        "requests": len(answers),
        "failed": len(answers) - len(good),
        "seconds_p50": rounded(percentile(good, 0.5), 4),
        "seconds_p99": rounded(percentile(good, 0.99), 4),
        "cpu_seconds": rounded(cpu / max(len(answers), 1), 5),
        "alone_seconds": RUN_SECONDS,
        "figures": [
            row("one core", "recommendation", seconds=good, throughput=len(good) / _SECONDS,
                cpu_per_1000=1000 * cpu / max(len(answers), 1))
        ],
    }  # fmt: skip


def layers(rows: local.Matrix) -> int:
    """How many layers take the time that a run is to take."""
    return max(round(_PROBE * RUN_SECONDS / local.seconds(graphs.deep(_PROBE, _WIDTH), rows)), 1)
