"""Who asks, as an A/B test deals it: by a digest, which names nobody and is spread evenly.

A caller sends the digest in the header `x-tarmac-unit` and knows of no test. While one runs, the gateway's route holds
a pattern of digests, and whoever's matches it gets B (`labs/04-serving`, releases/statistics/experiment.py).
"""

import hashlib

DIGITS = "0123456789abcdef"
"""Of a unit, which has 64."""


def unit(who: str) -> str:
    """The digest of whoever asks (a passenger, a plane): SHA-256 in hexadecimal, as `sha256sum` has it."""
    return hashlib.sha256(who.encode()).hexdigest()
