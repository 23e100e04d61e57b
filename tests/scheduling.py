"""Which tests go to one of pytest-xdist's workers together: what they share is then made once and not by each worker.

Its own groups (`xdist_group`) have no effect with pytest 9.2, which no longer lets a plugin rename tests.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_FOLDERS = "tests/integration/"
"""Below it a folder's tests share servers, tables and models."""
_FILES = tuple(f"tests/unit/{each}/" for each in ("authoring", "diagnose", "lake", "pipelines", "serving", "training"))
"""Below these a file's tests share what was measured, built or fitted."""


def group(test: str) -> str:
    """Return the name under which a test goes to a worker together with others, its own where it goes alone."""
    file = test.partition("::")[0]
    if file.startswith(_FOLDERS):
        return file.rpartition("/")[0]
    return file if file.startswith(_FILES) else test


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    """Groups as above, those of many tests first."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Scheduling:
    """Give pytest-xdist the order of work; called where there are workers."""
    return _Scheduling(config, log)
