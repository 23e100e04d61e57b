"""Answers on this machine's ports for services that a cluster's node offers as NodePorts.

A kind node brings its ports along; other clusters do not. One process serves all of them, on 127.0.0.1 only. Where the
node is this machine, a connection goes straight to the NodePort; where it is elsewhere, through `kubectl port-forward`,
started at the first connection and again after its pod went away. It runs by its path, with the standard library only.

Usage: relay.py READY PORTS [KUBECTL ...]
    READY    file that is made as soon as every port listens
    PORTS    JSON: host port -> NodePort
    KUBECTL  how kubectl is called; without it, connections go straight to the NodePort
"""

import asyncio
import json
import re
import signal
import sys
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

LABEL = "app.kubernetes.io/part-of=tarmac"
_HERE = "127.0.0.1"
_PATIENCE = 15
_CHUNK = 1 << 16


class Straight:
    """The node is this machine."""

    async def open(self, node_port: int) -> tuple[StreamReader, StreamWriter]:
        """Connect to a NodePort."""
        return await asyncio.open_connection(_HERE, node_port)

    async def close(self) -> None:
        """Do nothing: nothing was started."""


class Tunnels:
    """The node is elsewhere: one `kubectl port-forward` for each service that somebody asks for.

    Args:
        kubectl: how kubectl is called.

    """

    def __init__(self, kubectl: list[str]) -> None:
        self._kubectl = kubectl
        self._running: dict[int, tuple[asyncio.subprocess.Process, int]] = {}
        self._lock = asyncio.Lock()

    async def open(self, node_port: int) -> tuple[StreamReader, StreamWriter]:
        """Connect to the service that has a NodePort.

        Raises:
            OSError: there is no such service, or none of its pods runs.

        """
        async with self._lock:
            local = await self._local(node_port)
        return await asyncio.open_connection(_HERE, local)

    async def close(self) -> None:
        """End every tunnel."""
        for process, _ in self._running.values():
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()

    async def _local(self, node_port: int) -> int:
        process, local = self._running.get(node_port, (None, 0))
        if process is None or process.returncode is not None:
            namespace, name, port = await self._service(node_port)
            process, local = await self._forward(namespace, name, port)
            self._running[node_port] = (process, local)
        return local

    async def _service(self, node_port: int) -> tuple[str, str, int]:
        process = await asyncio.create_subprocess_exec(
            *self._kubectl, "get", "services", "--all-namespaces", "--selector", LABEL, "--output", "json",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        answer, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)
        found = place(json.loads(answer or b'{"items": []}'), node_port)
        if found is None:
            raise ConnectionRefusedError(f"no service has NodePort {node_port}")
        return found

    async def _forward(self, namespace: str, name: str, port: int) -> tuple[asyncio.subprocess.Process, int]:
        process = await asyncio.create_subprocess_exec(
            *self._kubectl, "port-forward", "--namespace", namespace, "--address", _HERE, f"service/{name}", f":{port}",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        if process.stdout is None:
            raise ConnectionRefusedError(name)
        line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE)
        match = re.search(rb":(\d+) ->", line)
        if match is None:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise ConnectionRefusedError(f"kubectl port-forward service/{name} did not start")
        return process, int(match[1])


def place(services: dict[str, Any], node_port: int) -> tuple[str, str, int] | None:
    """Return namespace, name and port of the service that has a NodePort."""
    for service in services["items"]:
        for port in service["spec"].get("ports", []):
            if port.get("nodePort") == node_port:
                return service["metadata"]["namespace"], service["metadata"]["name"], port["port"]
    return None


async def copy(source: StreamReader, target: StreamWriter) -> None:
    """Pass bytes on until the source ends; then say so to the target."""
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


async def serve(way: Straight | Tunnels, node_port: int, reader: StreamReader, writer: StreamWriter) -> None:
    """Join one connection to the service."""
    try:
        far_reader, far_writer = await way.open(node_port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(copy(reader, far_writer))
                both.create_task(copy(far_reader, writer))
        finally:
            far_writer.close()
    except* (OSError, TimeoutError) as errors:
        print(f"{node_port}: {errors.exceptions[0]}", file=sys.stderr, flush=True)  # noqa: T201  goes to the log
    finally:
        writer.close()


async def run(ready: Path, ports: dict[int, int], kubectl: list[str]) -> None:
    """Listen on every port until asked to end."""
    way = Tunnels(kubectl) if kubectl else Straight()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    servers = [await asyncio.start_server(partial(serve, way, to), _HERE, host) for host, to in ports.items()]
    ready.touch()  # noqa: ASYNC240  once, before anybody can wait
    await over.wait()
    for server in servers:
        server.close()
    await way.close()


if __name__ == "__main__":
    wanted = {int(host): int(node) for host, node in json.loads(sys.argv[2]).items()}
    asyncio.run(run(Path(sys.argv[1]), wanted, sys.argv[3:]))
