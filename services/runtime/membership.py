"""A member of a Kafka group that goes on joining: a guard against a fault of the client, kafka-python 3.0.12.

A join that a change of metadata began, and that outlasts one `poll`, is forgotten by the next: its result is never
taken, heartbeats stay off, and the member is without partitions for ever. It happens where topics are seen for the
first time while the group is being joined, which is when a stack starts.
"""

from typing import Any


def keep_joining(consumer: Any) -> None:  # noqa: ANN401  the client's consumer
    """Ask again for a join that was begun and forgotten; to be called beside every `poll` of a group's member."""
    coordinator = consumer._coordinator  # noqa: SLF001  the client offers it nowhere else
    if coordinator.rejoining and not coordinator.need_rejoin():
        coordinator.request_rejoin()
