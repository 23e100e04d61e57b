"""What is told of a kept state beside its archive."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from lab.api import Object


class Volume(BaseModel):
    """A claim's volume in an archive.

    Attributes:
        namespace: of the claim.
        claim: its name.
        folder: of the volume in the archive.
        size: as the claim asks for it, `1Gi`.
        modes: how it may be mounted.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    namespace: str
    claim: str
    folder: str
    size: str
    modes: list[str]


class Snapshot(BaseModel):
    """A lab's state at a moment.

    Attributes:
        lab: its number.
        state: `start`, `solved`, or `own` for whatever a trainee had made of it.
        key: hash of all that the state depends on: it only fits a checkout that has the same.
        made: when, in seconds since 1970.
        digest: SHA-256 of the archive.
        bytes: of the archive.
        volumes: what is in it.
        objects: those that somebody worked on after they were made, such as routes with their weights.
        work: the trainee's files: name below the working copy -> text.

    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lab: str
    state: str
    key: str
    made: float
    digest: str
    bytes: int
    volumes: list[Volume]
    objects: list[Object] = []
    work: dict[str, str] = {}


class Kept(NamedTuple):
    """A snapshot and where its archive is."""

    name: str
    snapshot: Snapshot
    archive: Path
