"""What was declared beside what was measured, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.budget.figures import FIGURES, NAMES, NOTHING, UNITS, ways
from lab.budget.ledger import Entry
from lab.errors import LabError
from lab.spec import Budget
from lab.text import Text


class Exceeded(LabError):
    """A lab took more than it declares."""


class Unmeasured(LabError):
    """A figure of a lab was never measured: nobody knows whether its budget holds."""


@dataclass(frozen=True)
class Row:
    """One figure of a lab's budget.

    Attributes:
        figure: its field in `budget`.
        declared: the most that it may be.
        measured: the greatest that counts; None where none was measured.
        predicted: what was expected when that was measured.
        way: in which that was measured.

    """

    figure: str
    declared: float
    measured: float | None = None
    predicted: float | None = None
    way: str | None = None

    @property
    def share(self) -> float | None:
        """Return the part of the budget that was taken, 1 for all of it."""
        return None if self.measured is None else self.measured / self.declared

    @property
    def verdict(self) -> str:
        """Return `within`, `exceeded` or `unmeasured`."""
        if self.measured is None:
            return "unmeasured"
        return "exceeded" if self.measured > self.declared else "within"


def rows(code: str, budget: Budget, entries: Sequence[Entry]) -> list[Row]:
    """Return a row for each figure of a lab's budget.

    An excess counts in whatever way the lab came; what stays within the budget, only where the lab was made from
    nothing or from a lab before it: a reset, say, leaves half of it standing.
    """
    found = []
    for name in FIGURES:
        declared = float(getattr(budget, name))
        told = [each for each in entries if name in each.measured]
        counting = [each for each in told if proves(code, each.way) or each.measured[name] > declared]
        worst = max(counting, key=_of(name), default=None)
        known = (worst.measured[name], worst.predicted.get(name), worst.way) if worst else (None, None, None)
        found.append(Row(name, declared, *known))
    return found


def proves(code: str, way: str) -> bool:
    """Say whether a lab that came in this way was made, not merely mended."""
    return way == NOTHING or (way.startswith("lab ") and way.removeprefix("lab ") < code)


def hold(code: str, place: str, found: Sequence[Row]) -> None:
    """Hold a lab to its budget.

    Args:
        code: the lab's number.
        place: the file that declares it.
        found: its rows.

    Raises:
        Exceeded: names lab, field, and both figures.
        Unmeasured: names lab and fields.

    """
    over = [each for each in found if each.verdict == "exceeded"]
    if over:
        raise _exceeded(code, place, over)
    missing = [each.figure for each in found if each.verdict == "unmeasured"]
    if missing:
        raise _unmeasured(code, missing)


def _of(name: str) -> Callable[[Entry], float]:
    return lambda entry: entry.measured[name]


def _exceeded(code: str, place: str, over: Sequence[Row]) -> Exceeded:
    fields = ", ".join(f"budget.{each.figure}" for each in over)
    return Exceeded(
        Text(en="\n".join(_told(code, each).en for each in over), fr="\n".join(_told(code, each).fr for each in over)),
        Text(
            en=f"let the lab take less (limits, images, what its start keeps), or raise {fields} in {place} and say"
            " why",
            fr=f"faites que le lab prenne moins (limites, images, ce que son départ garde), ou relevez {fields} dans"
            f" {place} en disant pourquoi",
        ),
    )


def _told(code: str, row: Row) -> Text:
    name, unit, way = NAMES[row.figure], UNITS[row.figure], ways(row.way or "")
    return Text(
        en=f"lab {code}: budget.{row.figure} ({name.en}): {row.measured:.0f} {unit.en} measured {way.en},"
        f" {row.declared:.0f} {unit.en} declared",
        fr=f"lab {code} : budget.{row.figure} ({name.fr}) : {row.measured:.0f} {unit.fr} mesurés {way.fr},"
        f" {row.declared:.0f} {unit.fr} déclarés",
    )


def _unmeasured(code: str, missing: Sequence[str]) -> Unmeasured:
    fields = ", ".join(f"budget.{name}" for name in missing)
    return Unmeasured(
        Text(
            en=f"lab {code}: not measured: {fields}; whether it keeps to them is not known",
            fr=f"lab {code} : pas mesuré : {fields} ; on ne sait pas s'il s'y tient",
        ),
        Text(
            en=f"bring it up from nothing, with its images there: `lab down`, then `lab up {code}`; on a cluster of"
            " your own (`context:`) its owner has to allow `get` on `nodes/proxy`, and disk is not measured there",
            fr=f"démarrez-le de rien, ses images étant là : `lab down`, puis `lab up {code}` ; sur un cluster à vous"
            " (`context:`), son propriétaire doit permettre `get` sur `nodes/proxy`, et le disque n'y est pas mesuré",
        ),
    )
