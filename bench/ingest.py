"""ingest beside the bare client: the same events, broker, partitions and client options, in turns.

    python bench/ingest.py --kafka 127.0.0.1:9092                 throughput: bare loops and ingest, in turns
    python bench/ingest.py --kafka 127.0.0.1:9092 --memory        one million events through the consumer, RSS sampled

The bare loops do nothing but send and poll (and commit once a second). ingest validates, keeps features, dead letters,
figures and the place in the replay, and traces one event in a hundred. Topics are made for it and deleted.
Results go to bench/results/ingest.json, or ingest-memory.json.
"""

import argparse
import datetime as dt
import faulthandler
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "services"))

from kafka import KafkaConsumer, KafkaProducer  # noqa: E402  after the path
from kafka.admin import KafkaAdminClient, NewTopic  # noqa: E402
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult  # noqa: E402

from contracts import Event, FlightArrived, FlightDeparted, WeatherRead  # noqa: E402
from contracts.topics import ARRIVED, DEPARTED, EVENTS, WEATHER  # noqa: E402
from ingest import replay  # noqa: E402
from ingest.consumer import Consumer  # noqa: E402
from ingest.figures import ConsumerFigures, ProducerFigures  # noqa: E402
from ingest.producer import Producer, Progress  # noqa: E402
from ingest.settings import ConsumerSettings, ProducerSettings  # noqa: E402
from ingest.view import View  # noqa: E402
from runtime.broker import Publisher, Subscription  # noqa: E402
from runtime.health import Health  # noqa: E402
from runtime.letters import Letterbox  # noqa: E402
from runtime.process import Stop  # noqa: E402
from runtime.tracing import Tracing  # noqa: E402

PARTITIONS = {DEPARTED: 3, ARRIVED: 3, WEATHER: 1}
TRACED = 0.01
TARGET = 0.6
"""Share of the bare client's rate that ingest must reach."""
FLAT = 5.0
"""Percent by which memory may grow between the middle and the end."""
_PATIENCE = 300  # seconds after which a measurement says where it hangs, and ends
BEGIN = dt.datetime(2013, 1, 1, tzinfo=dt.UTC)


class _Nowhere(SpanExporter):
    """Takes spans as a collector would, without its cost: that is another process'."""

    def export(self, spans: object) -> SpanExportResult:  # noqa: ARG002  nothing is kept
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing to free."""


def made_up(number: int) -> Iterator[Event]:
    """So many events, as the data set has them: a departure and its arrival, now and then a reading of the weather."""
    draw = random.Random(1)  # noqa: S311  the same events at every run
    for each in range(number):
        time_ = BEGIN + dt.timedelta(seconds=38 * each)
        origin, delay = draw.choice(("JFK", "LGA", "EWR")), draw.randint(-20, 180)
        if not each % 26:
            yield WeatherRead(id=f"wx-{each:08}", time=time_, station=origin, temp=draw.randint(0, 90), humid=50.5)
            continue
        kind = FlightDeparted if each % 2 else FlightArrived
        yield kind(
            id=f"bench-{each:08}",
            time=time_,
            scheduled=time_ - dt.timedelta(minutes=delay),
            delay=delay,
            carrier=draw.choice(("UA", "B6", "DL", "AA")),
            flight=draw.randint(1, 9999),
            origin=origin,
            dest=draw.choice(("LAX", "SFO", "ORD", "MIA")),
            distance=1000,
            tailnum="N12345",
        )


class Topics:
    """Topics of this run, under names of their own."""

    def __init__(self, servers: str, run: str) -> None:
        self.names = {topic: f"bench.{run}.{topic}" for topic in PARTITIONS}
        self.letters = f"bench.{run}.letters"
        self._servers = servers

    def __enter__(self) -> Self:
        wanted = {self.names[topic]: number for topic, number in PARTITIONS.items()} | {self.letters: 1}
        with_ = KafkaAdminClient(bootstrap_servers=self._servers)
        with_.create_topics([NewTopic(name=name, num_partitions=n, replication_factor=1) for name, n in wanted.items()])
        with_.close()
        return self

    def __exit__(self, *_: object) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self._servers)
        admin.delete_topics([*self.names.values(), self.letters])
        admin.close()

    def take(self) -> None:
        """Let this process' contracts stand under the run's names."""
        contracts = {self.names[topic]: kind for topic, kind in EVENTS.items()}
        EVENTS.clear()
        EVENTS.update(contracts)


class Plan(replay.Replay):
    """The replay, into the topics of this run."""

    names: dict[str, str]
    begun = 0.0
    """When the first event was asked for: the place is found by then."""

    def plan(self, begin: int) -> Iterator[replay.Planned]:
        """As of the file, other topics."""
        names, self.begun = self.names, time.perf_counter()
        for planned in super().plan(begin):
            yield planned._replace(topic=names[planned.topic])


def bare_produce(servers: str, topics: Topics, file: Path, events: int) -> float:
    """Seconds to send the events with nothing but the client."""
    ready = [(topics.names[each.topic], each.value, each.key.encode()) for each in _plan(file, events)]
    producer = KafkaProducer(
        bootstrap_servers=servers.split(","),
        enable_idempotence=True,
        acks="all",
        linger_ms=20,
        batch_size=128 * 1024,
        metrics_enabled=False,
    )
    for topic in topics.names.values():
        producer.partitions_for(topic)
    begun = time.perf_counter()
    for topic, value, key in ready:
        producer.send(topic, value, key)
    producer.flush()
    seconds = time.perf_counter() - begun
    producer.close()
    return seconds


def _plan(file: Path, events: int) -> replay.Replay:
    return replay.Replay(file, BEGIN, events, loops=0)


def ingest_produce(servers: str, topics: Topics, file: Path, events: int) -> float:
    """Seconds of ingest's producer, from the first event of the plan to the last acknowledgement."""
    plan = Plan(file, BEGIN, events, loops=0)
    plan.names = topics.names
    topics.take()
    settings = ProducerSettings(kafka=servers, speedup=0, exit_when_done=True)
    tracing = Tracing("bench", _Nowhere(), TRACED)
    producer = Producer(settings, plan, ProducerFigures(), Progress(events), Health(), tracing)
    producer.run(Stop())
    return time.perf_counter() - plan.begun


def bare_consume(servers: str, topics: Topics, _file: Path, events: int) -> float:
    """Seconds from the first records to the last, with nothing but poll and a commit a second."""
    consumer = KafkaConsumer(
        *topics.names.values(),
        bootstrap_servers=servers.split(","),
        group_id=f"{topics.letters}.bare.{os.getpid()}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=5_000,
        max_partition_fetch_bytes=1024 * 1024,
        fetch_max_bytes=4 * 1024 * 1024,
        metrics_enabled=False,
    )
    seen, begun, due = 0, 0.0, 0.0
    while seen < events:
        seen += sum(len(records) for records in consumer.poll(timeout_ms=250).values())
        now = time.perf_counter()
        begun = begun or (now if seen else 0.0)
        if seen and now > due:
            consumer.commit()
            due = now + 1
    consumer.commit()
    seconds = time.perf_counter() - begun
    consumer.close()
    return seconds


def ingest_consume(servers: str, topics: Topics, _file: Path, events: int) -> float:
    """Seconds from the first applied events to the last, with everything that ingest does."""
    return _consumed(servers, topics, events, lambda _: None)


def _consumed(servers: str, topics: Topics, events: int, watch: Callable[[int], None]) -> float:
    topics.take()
    stop, view, group = Stop(), View(), f"{topics.letters}.ingest.{os.getpid()}"
    publisher = Publisher(servers, stop)
    subscription = Subscription(servers, group, list(EVENTS), stop)
    letterbox = Letterbox(servers, group, publisher, stop, topics.letters)
    tracing = Tracing("bench", _Nowhere(), TRACED)
    consumer = Consumer(ConsumerSettings(), subscription, letterbox, view, ConsumerFigures(), Health(), tracing)
    applied, begun = 0, 0.0
    while applied < events:
        consumer.turn()
        applied = sum(partition.offset for partition in view.partitions.values())
        begun = begun or (time.perf_counter() if applied else 0.0)
        watch(applied)
    consumer.commit()
    seconds = time.perf_counter() - begun
    subscription.close(5)
    publisher.close(5)
    return seconds


def memory(servers: str, topics: Topics, _file: Path, events: int) -> list[list[int]]:
    """Resident memory in KiB of a consumer by events applied."""
    samples: list[list[int]] = []

    def watch(applied: int) -> None:
        if not samples or applied >= samples[-1][0] + events // 40 or applied >= events:
            samples.append([applied, _resident()])

    _consumed(servers, topics, events, watch)
    return samples


def _resident() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


WORK = {work.__name__: work for work in (bare_produce, ingest_produce, bare_consume, ingest_consume, memory)}


def in_process(work: str, servers: str, topics: Topics, file: Path, events: int) -> Any:  # noqa: ANN401  what it measured
    """Run one measurement in a fresh interpreter."""
    run = topics.letters.split(".")[1]
    command = [sys.executable, __file__, "--kafka", servers, "--work", work, run, str(file), str(events)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def throughput(servers: str, file: Path, events: int, rounds: int) -> dict[str, Any]:
    """Events per second of each, in turns, and the ratios of their medians."""
    rates: dict[str, list[float]] = {work: [] for work in WORK if work != "memory"}
    for number in range(rounds):
        for work_of in ("bare", "ingest") if number % 2 else ("ingest", "bare"):
            with Topics(servers, f"{os.getpid()}-{number}-{work_of}") as topics:
                for what in ("produce", "consume"):
                    work = f"{work_of}_{what}"
                    seconds = in_process(work, servers, topics, file, events)
                    rates[work].append(round(events / seconds))
                    print(f"round {number + 1}  {work:<15} {rates[work][-1]:>8,} events/s", flush=True)
    medians = {work: statistics.median(found) for work, found in rates.items()}
    ratios = {what: round(medians[f"ingest_{what}"] / medians[f"bare_{what}"], 3) for what in ("produce", "consume")}
    return {"events": events, "rounds": rounds, "events_per_second": rates, "median": medians, "ratio": ratios}


def remembered(servers: str, file: Path, events: int) -> dict[str, Any]:
    """How a consumer's memory moves over so many events."""
    with Topics(servers, f"{os.getpid()}-memory") as topics:
        in_process("ingest_produce", servers, topics, file, events)
        samples = in_process("memory", servers, topics, file, events)
    half = [kib for applied, kib in samples if applied >= events / 2]
    growth = round((statistics.mean(half[-5:]) / statistics.mean(half[:5]) - 1) * 100, 2)
    return {"events": events, "kib_by_events": samples, "growth_percent_in_second_half": growth}


def main() -> int:
    """Measure, print, keep; 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kafka", default="127.0.0.1:9092", help="host:port of a broker")
    parser.add_argument("--data", type=Path, help="replay file made by `python -m ingest pack`; made-up events without")
    parser.add_argument("--events", type=int, default=0, help="100,000, or 1,000,000 with --memory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work, run, file, events = asked.work
        faulthandler.dump_traceback_later(_PATIENCE, exit=True)
        print(json.dumps(WORK[work](asked.kafka, Topics(asked.kafka, run), Path(file), int(events))))
        return 0
    events = asked.events or (1_000_000 if asked.memory else 100_000)
    with tempfile.TemporaryDirectory() as folder:
        file = asked.data or Path(folder) / "events.jsonl.gz"
        if not asked.data:
            replay.write(made_up(events), file)
        if asked.memory:
            return _told("ingest-memory", remembered(asked.kafka, file, events), flat=True)
        return _told("ingest", throughput(asked.kafka, file, events, asked.rounds), flat=False)


def _told(name: str, found: dict[str, Any], *, flat: bool) -> int:
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "load": round(os.getloadavg()[0], 1)}
    kept = {"what": name, "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "machine": machine, **found}
    file = ROOT / "bench" / "results" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    if flat:
        print(f"memory: {found['growth_percent_in_second_half']:+} % in the second half of {found['events']:,} events")
        return int(found["growth_percent_in_second_half"] > FLAT)
    print(f"ingest / bare: {found['ratio']}, target {TARGET}")
    return int(min(found["ratio"].values()) < TARGET)


if __name__ == "__main__":
    sys.exit(main())
