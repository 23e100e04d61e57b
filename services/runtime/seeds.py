"""What a trainee's seed decides in an exercise; `platform/lab/seeds.py` says what it is for, and has the same order."""

import hashlib
from collections.abc import Iterable


def order(seed: str, fact: str, things: Iterable[str]) -> list[str]:
    """Things in the order that a seed gives them; of each fact it is another one."""
    return sorted(things, key=lambda thing: hashlib.sha256(f"{seed} {fact} {thing}".encode()).digest())
