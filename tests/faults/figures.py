"""What the platform's Prometheus knows."""

from __future__ import annotations

from typing import Any

import httpx

from driver import Driver


def series(lab: Driver, query: str) -> list[dict[str, Any]]:
    """Return the series that a query has now, as Prometheus tells them."""
    answer = httpx.get(f"http://127.0.0.1:{lab.port(9090)}/api/v1/query", params={"query": query}, timeout=5)
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def values(lab: Driver, query: str) -> list[float]:
    """Return their values."""
    return [float(each["value"][1]) for each in series(lab, query)]
