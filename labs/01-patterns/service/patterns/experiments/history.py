"""Results outlive the gateway's process: the last one of each experiment is kept in a compacted topic.

Two exercises change the gateway's own settings, which replaces its pod; what was measured before stays measured.
"""

import logging
import threading
from contextlib import closing
from typing import Any

import msgspec

from patterns.broker import Admin, Reader, Sender
from runtime.figures import Result
from runtime.patience import BrokerUnavailable
from runtime.process import Stop

log = logging.getLogger(__name__)

TOPIC = "lab-01.results"
_PATIENCE = 5.0  # seconds that a start waits for earlier results
_POLL = 0.5  # seconds that one poll waits
_FLUSH = 5.0  # seconds within which a result should be kept


class History:
    """Earlier results; without the topic or the broker there are none, and none is kept.

    Args:
        servers: brokers.
        stop: the process is to end.
    """

    def __init__(self, servers: str, stop: Stop) -> None:
        self._servers = servers
        self._stop = stop
        self._sender: Sender | None = None

    def restore(self) -> dict[str, Result]:
        """The last result of each experiment, by name."""
        patience = Stop()
        timer = threading.Timer(_PATIENCE, patience.set)
        timer.daemon = True
        timer.start()
        try:
            results = self._read(patience)
            self._sender = Sender(self._servers, patience)
        except BrokerUnavailable as failure:
            log.warning("results are not kept", extra={"topic": TOPIC, "cause": failure.what})
            return {}
        finally:
            timer.cancel()
        log.info("earlier results", extra={"experiments": sorted(results)})
        return results

    def _read(self, patience: Stop) -> dict[str, Result]:
        results: dict[str, Result] = {}
        with closing(Reader(self._servers, [TOPIC], patience)) as reader:
            with closing(Admin(self._servers, patience)) as admin:
                end = admin.ends(TOPIC)[0]
            while reader.position(TOPIC, 0) < end:
                for record in reader.poll(_POLL):
                    results |= _result(record.value)
                if patience or self._stop:
                    raise BrokerUnavailable(f"topic {TOPIC} was not read to its end", "look at the broker")
        return results

    def keep(self, result: Result) -> None:
        """Keep a result; where that fails it is told, and the result is still there until the process ends."""
        if self._sender is None:
            return
        try:
            self._sender.send(TOPIC, msgspec.json.encode(result), key=str(result["name"]).encode())
            self._sender.flush(_FLUSH)
        except BrokerUnavailable as failure:
            log.warning("a result is not kept", extra={"experiment": result["name"], "cause": failure.what})

    def close(self) -> None:
        """Disconnect."""
        if self._sender:
            self._sender.close()


def _result(value: bytes) -> dict[str, Result]:
    """The result in a record, by its name; none where it cannot be read."""
    try:
        found: Any = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return {}
    return {found["name"]: found} if isinstance(found, dict) and isinstance(found.get("name"), str) else {}
