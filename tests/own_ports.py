"""Ports for tests that run side by side."""

from __future__ import annotations

import os


def own_ports() -> int:
    """Return what this test process adds to its ports, so that two of them never want the same one."""
    return 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
