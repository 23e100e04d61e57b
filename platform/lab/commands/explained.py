"""A time-out that names its root cause: the whole chain is looked at, not only what was waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.commands.observed import examine
from lab.diagnose.causes import Blame, cluster, root
from lab.errors import LabError, NotConverged
from lab.settings import Settings
from lab.spec import Course
from lab.text import Text

UP, RESET, _ANEW = "lab up {lab}", "lab reset {lab}", "lab down && lab up {lab}"
_STRONGER = (UP, RESET, _ANEW)
"""What brings a lab back: each does all that the one before it does, and more."""


@contextmanager
def explained(settings: Settings, code: str, tried: str = UP) -> Iterator[None]:
    """Let what does not converge be told with the one root cause of it, where the chain shows one.

    Args:
        settings: which cluster.
        code: the lab's two digits.
        tried: what the command has done when it fails, `UP` or `RESET`; it is not what mends it then.

    Raises:
        NotConverged: as before; names code, object, evidence and the command that mends it as well.

    """
    try:
        yield
    except NotConverged as failure:
        found = _root(settings, code)
        if found is None:
            raise
        raise with_cause(failure, found, tried) from failure


def with_cause(failure: NotConverged, found: Blame, tried: str = UP) -> NotConverged:
    """Return a failure to converge that names its root cause too."""
    told, mend = found.told(), _beyond(found, tried)
    return NotConverged(
        Text(
            en=f"{failure.what.en}\nRoot cause: {told.en}",
            fr=f"{failure.what.fr}\nCause première : {told.fr}",
        ),
        Text(
            en=f"`{mend}` mends it; `{found.look}` shows it; docs/causes.md explains {found.cause.code}",
            fr=f"`{mend}` y remédie ; `{found.look}` le montre ; docs/causes.fr.md explique {found.cause.code}",
        ),
    )


def _beyond(found: Blame, tried: str) -> str:
    """Return what mends it when something was tried already that did not; a cluster that stopped is started again."""
    ways = [each.format(lab=found.lab) for each in _STRONGER]
    weaker = ways[: _STRONGER.index(tried) + 1]
    gentle = found.mend.partition(" || ")[0]
    return ways[len(weaker)] if gentle in weaker and found.cause not in cluster.CAUSES else found.mend


def _root(settings: Settings, code: str) -> Blame | None:
    try:
        return root(examine(settings, Course(settings.root).lab(code)))
    except (LabError, OSError):
        return None  # what is told already is worth more than why it cannot be explained
