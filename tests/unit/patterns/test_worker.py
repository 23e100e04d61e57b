"""The worker: reports from the sample, and each job counted once however often it comes."""

import gzip
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from contracts import encode
from patterns.broker import Record
from patterns.jobs import TOPIC, Job, Sample, Tally
from patterns.worker import Worker
from runtime.errors import Permanent
from runtime.tracing import Tracing
from unit.patterns.test_delays import departure

ARRIVAL = (
    '{{"type":"flight.arrived.v1","id":"arr-{number:05d}","time":"2013-{month:02d}-05T12:00:00Z","carrier":"{carrier}",'
    '"flight":1,"origin":"JFK","dest":"LAX","scheduled":"2013-{month:02d}-05T12:00:00Z","delay":{delay},"distance":2475}}'
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A replay file: eleven flights of UA in January, one of DL in March, and a departure."""
    lines = ['{"format":1,"events":13}']
    lines += [ARRIVAL.format(number=delay, month=1, carrier="UA", delay=delay) for delay in range(10, 21)]
    lines += [ARRIVAL.format(number=99, month=3, carrier="DL", delay=0), encode(departure(0)).decode()]
    path = tmp_path / "flights.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_a_report_tells_an_airlines_month(data: Path) -> None:
    """Delays 10 to 20: six of eleven on time (up to 15 minutes), mean 15, nine of ten not above 19."""
    sample = Sample.read(data)
    report = sample.report("UA", 1)
    assert report is not None
    assert (report.flights, report.mean_delay, report.p90_delay) == (11, 15.0, 19)
    assert report.on_time == pytest.approx(6 / 11)
    assert sample.keys() == [("UA", 1)]
    assert sample.report("DL", 3) is None


def test_a_file_that_is_none_is_told_for_good(tmp_path: Path) -> None:
    """Neither a missing nor a broken replay file is worth another try."""
    broken = tmp_path / "broken.gz"
    broken.write_bytes(b"no gzip")
    for path in (tmp_path / "missing.gz", broken):
        with pytest.raises(Permanent, match="build the image"):
            Sample.read(path)


def test_a_job_that_comes_again_is_counted_once() -> None:
    """At-least-once delivery, once counted: a repeated job changes `repeated` alone."""
    tally = Tally()
    job = Job(id="r-1", run="r", carrier="UA", month=1)
    assert tally.count(job)
    assert not tally.count(job)
    told = tally.told()
    assert (told["done"], told["repeated"], len(told["runs"]["r"])) == (1, 1, 1)


def test_old_runs_are_forgotten() -> None:
    """Memory is bounded: the sixteen latest runs are told."""
    tally = Tally()
    for number in range(30):
        tally.count(Job(id=f"{number}", run=f"{number}", carrier="UA", month=1))
    assert list(tally.told()["runs"]) == [str(number) for number in range(14, 30)]
    assert tally.told()["done"] == 30


def test_what_is_no_job_is_left_behind(data: Path) -> None:
    """A record that cannot be read is counted and passed over; the next job is done."""
    registry = CollectorRegistry()
    worker = Worker(Sample.read(data), Tracing.off(), registry)
    for value in (b"no job", b'{"id":"a","run":"r","carrier":"UA","month":1}'):
        worker.work(Record(TOPIC, 0, 0, None, value, [], 0))
    assert worker.tally.told()["done"] == 1
    assert registry.get_sample_value("lab_worker_jobs_total", {"outcome": "refused"}) == 1
