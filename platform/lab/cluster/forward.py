"""The relay that gives clusters without port mappings of their own the same addresses on 127.0.0.1 as kind."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import reading
from lab.cluster.daemon import Daemon, until
from lab.errors import MissingRequirement
from lab.progress import dump
from lab.settings import Settings
from lab.text import Text

_READY_SECONDS = 15


class Forwarder:
    """One relay for one cluster.

    Args:
        settings: ports and folder.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._daemon = Daemon("relay", settings.folder)
        self._ready = settings.folder / "relay.ready"

    def alive(self) -> bool:
        """Say whether it runs."""
        return self._daemon.pid() is not None

    def start(self, kubectl: Sequence[str | Path] = ()) -> None:
        """Start it anew; returns when every port listens.

        Args:
            kubectl: how kubectl is called where the node is elsewhere; empty where it is this machine.

        Raises:
            MissingRequirement: a port is taken.

        """
        self.end()
        mapping = ports(self._settings)
        program = Path(__file__).with_name("relay.py")
        self._daemon.start([sys.executable, "-I", program, self._ready, dump(mapping), *kubectl])
        until(lambda: self._ready.exists() or not self.alive(), _READY_SECONDS)
        if not self._ready.exists():
            reason = self._daemon.tail(1)
            self.end()
            raise MissingRequirement(
                Text(
                    en=f"the services' ports on 127.0.0.1 cannot be opened: {reason}",
                    fr=f"les ports des services sur 127.0.0.1 ne s'ouvrent pas : {reason}",
                ),
                Text(
                    en="end the program that holds the port (`ss -ltnp` names it), or shift all: LAB_PORT_OFFSET=100",
                    fr="arrêtez le programme qui tient le port (`ss -ltnp` le nomme), ou décalez tout : "
                    "LAB_PORT_OFFSET=100",
                ),
            )

    def end(self) -> None:
        """End it and its tunnels."""
        self._daemon.end()
        self._ready.unlink(missing_ok=True)


def ports(settings: Settings) -> dict[int, int]:
    """Return host port -> NodePort, as kind-config.yaml maps them."""
    config: dict[str, Any] = reading.document((settings.root / "kind-config.yaml").read_text())
    return {
        mapping["hostPort"] + settings.port_offset: mapping["containerPort"]
        for machine in config["nodes"]
        for mapping in machine.get("extraPortMappings", [])
    }
