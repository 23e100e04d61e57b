"""What can go wrong, as the user meets it: what happened, and what to do.

LabError
├── BadInput            exit 2: what was asked cannot be understood or does not exist
├── MissingRequirement  exit 3: the machine lacks something
├── Busy                exit 4: another command holds the cluster
├── NotConverged        exit 5: the lab did not reach the state asked for
└── Residue             exit 6: something is left where nothing should be

A service's own errors have no classes here: what they mean to the user is a `Reason` by the name of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from lab.text import Language, Text

_REMEDY = Text(en="What to do:", fr="Que faire :")


class LabError(Exception):
    """An error that names the object, the field and the remedy.

    Attributes:
        what: what happened, naming the object and the field.
        remedy: what the user can do about it.
        exit_code: the process' exit code.

    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: Text, remedy: Text) -> None:
        """Keep both halves; `str()` gives them in English."""
        super().__init__(what.en)
        self.what = what
        self.remedy = remedy

    def render(self, language: Language) -> str:
        """Return the message as the user reads it, remedy on a line of its own."""
        return f"{self.what.in_(language)}\n{_REMEDY.in_(language)} {self.remedy.in_(language)}"

    def __str__(self) -> str:
        """Return the English rendering."""
        return self.render("en")


class BadInput(LabError):
    """What was asked cannot be understood, or does not exist."""

    exit_code = 2


class MissingRequirement(LabError):
    """The machine lacks something that the tool needs."""

    exit_code = 3


class Busy(LabError):
    """Another command holds the cluster."""

    exit_code = 4


class NotConverged(LabError):
    """The lab did not reach the state that was asked for."""

    exit_code = 5


class Residue(LabError):
    """Something is left where nothing should be."""

    exit_code = 6


@dataclass(frozen=True)
class Fault:
    """A rule that a file breaks, as its author is told.

    Attributes:
        file: in the lab's folder, or in the checkout; with `:LINE` where one line is meant.
        what: is wrong with it.
        remedy: what its author can do.

    """

    file: str
    what: Text
    remedy: Text


class Reason(NamedTuple):
    """What an error that a service names itself means to who uses `lab`.

    Attributes:
        what: the kind of failure.
        remedy: what to do.

    """

    what: Text
    remedy: Text

    def told(self, words: object) -> Text:
        """Return the kind of failure with the service's own words after it: object and field, in English."""
        return Text(en=f"{self.what.en}: {words}", fr=f"{self.what.fr} : {words}")
