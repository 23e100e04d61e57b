"""A lab's state, kept to be put back: its volumes in an archive that is known by its content, and its routes."""

from lab.checkpoint.key import key
from lab.checkpoint.putting import Arrival, put_back, whole
from lab.checkpoint.snapshot import Kept, Snapshot, Volume
from lab.checkpoint.store import Store, checkpoints, stashes
from lab.checkpoint.taking import take

__all__ = [
    "Arrival", "Kept", "Snapshot", "Store", "Volume", "checkpoints", "key", "put_back", "stashes", "take", "whole",
]  # fmt: skip
