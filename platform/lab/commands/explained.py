"""A time-out that names its root cause: the whole chain is looked at, not only what was waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.commands.observed import examine
from lab.diagnose.causes import Blame, root
from lab.errors import LabError, NotConverged
from lab.settings import Settings
from lab.spec import Course
from lab.text import Text


@contextmanager
def explained(settings: Settings, code: str) -> Iterator[None]:
    """Let what does not converge be told with the one root cause of it, where the chain shows one.

    Raises:
        NotConverged: as before; names code, object, evidence and the command that mends it as well.

    """
    try:
        yield
    except NotConverged as failure:
        found = _root(settings, code)
        if found is None:
            raise
        raise with_cause(failure, found) from failure


def with_cause(failure: NotConverged, found: Blame) -> NotConverged:
    """Return a failure to converge that names its root cause too."""
    told = found.told()
    return NotConverged(
        Text(
            en=f"{failure.what.en}\nRoot cause: {told.en}",
            fr=f"{failure.what.fr}\nCause première : {told.fr}",
        ),
        Text(
            en=f"`{found.mend}` mends it; `{found.look}` shows it; docs/causes.md explains {found.cause.code}",
            fr=f"`{found.mend}` y remédie ; `{found.look}` le montre ; docs/causes.fr.md explique {found.cause.code}",
        ),
    )


def _root(settings: Settings, code: str) -> Blame | None:
    try:
        return root(examine(settings, Course(settings.root).lab(code)))
    except (LabError, OSError):
        return None  # what is told already is worth more than why it cannot be explained
