"""Logs: one JSON object per line on standard error, with the fields that the caller gave as `extra`.

log.info("partition restored", extra={"topic": "flight.departed.v1", "partition": 0})
"""

import datetime as dt
import json
import logging
import sys
from typing import TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line; values that JSON does not know are written as text."""
        line = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "event": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def start(service: str, level: str, stream: TextIO | None = None) -> None:
    """Send every logger's records to `stream` (standard error by default) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # A line for each request that a service makes says nothing that its own lines and figures do not.
    logging.getLogger("httpx").setLevel(logging.WARNING if level != "debug" else logging.INFO)
    # The client reports each lost connection several times; what matters is said by our own adapter.
    logging.getLogger("kafka").setLevel(logging.ERROR if level != "debug" else logging.INFO)
    # Ten lines a second while a topic is missing; our adapter says that it waits.
    logging.getLogger("kafka.cluster").setLevel(logging.CRITICAL if level != "debug" else logging.INFO)
