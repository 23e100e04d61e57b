"""Runs a plain ASGI application under uvicorn, as every service that answers many requests does."""

import gc
import logging
from typing import Any

import uvicorn

from runtime.http11 import Connection

log = logging.getLogger(__name__)

HOST = "0.0.0.0"  # noqa: S104  callers come from other pods
"""Where services listen."""


async def listen(application: Any, port: int, drain_seconds: float) -> None:  # noqa: ANN401  uvicorn's own type is looser
    """Answer until the process is asked to stop; what was begun is finished first.

    Args:
        application: as ASGI has it.
        port: TCP port.
        drain_seconds: that finishing may take.
    """
    config = uvicorn.Config(
        application,
        host=HOST,
        port=port,
        http=Connection,  # type: ignore[arg-type]  # uvicorn hands it to the loop, which takes either kind
        ws="none",  # an upgrade is an offer: who asks for one is answered over HTTP
        proxy_headers=False,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=max(1, int(drain_seconds)),
        backlog=1024,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # what it has to say at a start, we say ourselves
    # What was made until now stays: the collector need not look at it with every request's garbage.
    gc.collect()
    gc.freeze()
    log.info("answering", extra={"port": port})
    await uvicorn.Server(config).serve()
