"""A function of a computed feature, in a module that imports nothing of ours: its text goes into Feast's registry."""

from __future__ import annotations


def double(amount: float | None, s_float64: float | None) -> float | None:
    """Return twice the product, or nothing."""
    return None if amount is None or s_float64 is None else 2 * amount * s_float64
