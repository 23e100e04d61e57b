"""Works off the jobs: done first, committed then, so that a crash repeats a job and never loses one."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, Counter

from patterns.broker import Reader, Record
from patterns.jobs import TOPIC, Job, Sample, Tally
from runtime.role import Role
from runtime.settings import ServiceSettings
from runtime.tracing import Tracing, traceparent

log = logging.getLogger(__name__)

GROUP = "lab-01-worker"
_POLL = 1.0  # seconds that a poll waits for jobs


@dataclass(frozen=True, kw_only=True)
class WorkerSettings(ServiceSettings):
    """What the worker can be told."""

    data: str = "/opt/tarmac/data/flights.jsonl.gz"
    """Replay file that the sample comes from."""


class Worker:
    """Does one job after the other.

    Args:
        sample: what reports are made of.
        tracing: a job's span goes on from whoever queued it.
        registry: takes the metrics.
    """

    def __init__(self, sample: Sample, tracing: Tracing, registry: CollectorRegistry) -> None:
        self._tracing = tracing
        self._sample = sample
        self._decode = msgspec.json.Decoder(Job).decode
        self._jobs = Counter("lab_worker_jobs", "Jobs, by what came of them.", ["outcome"], registry=registry)
        self.tally = Tally()

    def work(self, record: Record) -> None:
        """Do the job in a record; what is none is told and left behind."""
        try:
            job = self._decode(record.value)
        except msgspec.DecodeError as failure:
            log.warning("no job", extra={"partition": record.partition, "offset": record.offset, "cause": str(failure)})
            self._jobs.labels("refused").inc()
            return
        with self._tracing.continued("job", traceparent(record.headers), id=job.id):
            report = self._sample.report(job.carrier, job.month)
        log.debug("job done", extra={"id": job.id, "report": report})
        self._jobs.labels("done" if self.tally.count(job) else "repeated").inc()


def main(env: Mapping[str, str]) -> None:
    """Run the worker until it is asked to end."""
    with Role("lab-01-worker", WorkerSettings, env) as role:
        role.health.wait_for("jobs", "not connected to the broker yet")
        role.health.beat("worker")
        web = role.serve(questions={"counts": lambda _: (HTTPStatus.OK, Tally().told())})
        worker = Worker(Sample.read(Path(role.settings.data)), role.tracing, role.registry)
        web.questions["counts"] = lambda _: (HTTPStatus.OK, worker.tally.told())
        reader = Reader(role.settings.kafka, [TOPIC], role.stop, GROUP)
        role.health.met("jobs")
        while not role.stop:
            role.health.beat("worker")
            records = reader.poll(_POLL)
            for record in records:
                worker.work(record)
            if records:
                reader.commit()
        reader.close()
