"""A training set as it is handed over: a Parquet file and, beside it, the manifest that says what it is.

The lake writes both, the training reads both. A row of the set has the columns `flight_id` and `predicted_at`, those of
the entities, the features of its feature service in order, further columns, and `label`.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import msgspec

FORMAT = 1
DEPARTURE, ARRIVAL = "departure_delay", "arrival_delay"
LABELS = (DEPARTURE, ARRIVAL)
"""What a set's label can be, minutes late (negative: early). The first is meant where a manifest names none."""


@dataclass(frozen=True)
class Reference:
    """One version of one table."""

    name: str
    id: str
    """The table's own id: a table that was made anew has another."""
    version: int


class Manifest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """All that determines a training set's bytes; it holds no time of day, so that it is the same again as well."""

    format: int = FORMAT
    service: str
    begin: dt.datetime
    end: dt.datetime
    lead: int
    extra: tuple[str, ...]
    label: str | msgspec.UnsetType = msgspec.UNSET
    """One of LABELS; left out for the first, as in manifests from before there was a choice."""
    allowed_leaks: tuple[str, ...]
    rows: int
    columns: dict[str, str]
    sha256: str
    registry: str
    """Fingerprint of the feature definitions."""
    recipe: str
    """Fingerprint of the batch layer's steps."""
    tables: tuple[Reference, ...]

    @property
    def predicts(self) -> str:
        """What its label is."""
        return DEPARTURE if self.label is msgspec.UNSET else self.label


def beside(file: Path) -> Path:
    """Where the manifest of a training set stands."""
    return file.with_name(f"{file.name}.manifest.json")
