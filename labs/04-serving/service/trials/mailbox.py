"""Requests into a topic and answers out of another: the asynchronous way, and the single adapter of Kafka here."""

import json
import threading
import time
from types import TracebackType
from typing import Any, Self

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from runtime.errors import Temporary
from runtime.patience import patiently
from runtime.process import Stop
from trials.asks import Answer

ASKED, ANSWERED = "lab-04.asked", "lab-04.answered"
_POLL_MS = 100


class TopicsAway(Temporary):
    """The broker does not answer, or a topic is not declared."""


class Mailbox:
    """Sends requests and gathers answers by their ids; a second answer to the same request is dropped.

    Args:
        servers: brokers.
        stop: ends the wait for them.
        model: that is asked.
    """

    def __init__(self, servers: str, stop: Stop, model: str) -> None:
        self._servers = servers.split(",")
        self._stop = stop
        self._model = model
        self._over = threading.Event()
        self._asked: dict[str, tuple[str, float]] = {}
        self._came: dict[str, Answer] = {}
        self._doubles = 0
        self._thread = threading.Thread(target=self._gather, name="answers", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._producer = patiently(
                lambda: KafkaProducer(bootstrap_servers=self._servers, acks="all", linger_ms=0, metrics_enabled=False),
                "a producer of requests", self._stop,
            )  # fmt: skip
            self._consumer = patiently(
                lambda: KafkaConsumer(bootstrap_servers=self._servers, metrics_enabled=False),
                "a consumer of answers", self._stop,
            )  # fmt: skip
            places = [TopicPartition(ANSWERED, each) for each in self._consumer.partitions_for_topic(ANSWERED) or ()]
        except KafkaError as failure:
            raise TopicsAway(f"topic {ANSWERED}: {failure}", "`lab status` shows whether Kafka stands") from failure
        if not places:
            raise TopicsAway(f"topic {ANSWERED} is not declared", "apply the lab again with `lab up`")
        self._consumer.assign(places)
        self._consumer.seek_to_end(*places)
        for place in places:
            self._consumer.position(place)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._consumer.close()
        self._producer.close(5)

    def send(self, identity: str, row: list[float], tag: str = "") -> None:
        """Ask for the prediction of a row."""
        tensor = {"name": "features", "shape": [1, len(row)], "datatype": "FP32", "data": row}
        body = {"id": identity, "model_name": self._model, "inputs": [tensor]}
        self._asked[identity] = tag, time.monotonic()
        self._producer.send(ASKED, json.dumps(body).encode(), identity.encode())

    def answers(self, tag: str) -> list[Answer]:
        """What came for requests of that kind so far."""
        return [each for each in list(self._came.values()) if each.tag == tag]

    def answer(self, identity: str) -> Answer | None:
        """What came for a request, if it did."""
        return self._came.get(identity)

    def _gather(self) -> None:
        while not self._over.is_set():
            for records in self._consumer.poll(_POLL_MS).values():
                for record in records:
                    self._take(record.value)

    def _take(self, value: bytes) -> None:
        told: dict[str, Any] = json.loads(value)
        known = self._asked.get(str(told.get("id")))
        if known is None or told["id"] in self._came:
            self._doubles += known is not None
            return
        tag, sent = known
        status = int(told.get("status", 200))
        values = tuple(told["outputs"][0]["data"]) if "outputs" in told else ()
        self._came[told["id"]] = Answer(tag, sent, time.monotonic() - sent, status, "", values)
