"""The test cluster: one for the whole session, of its own name, ports and folder, gone at the end.

`LAB_TEST_KEEP=1` leaves it standing, for quicker runs while one develops.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Iterator

import pytest

import turns
from driver import ROOT, Driver

# Feast's import makes the figures of all registries one, through the environment: whoever imports the client later, and
# every process started later, pytest-xdist's workers among them. So the client comes first, without what it left.
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
import prometheus_client  # noqa: F401  after the environment

pytest_plugins = ["scheduling"]

_ENGINES = (
    "integration/components", "integration/edge", "integration/feature", "integration/lake", "integration/page",
    "integration/releases", "integration/runtime", "integration/serving", "integration/training",
    "integration/trials", "unit/lake", "unit/pipelines", "unit/releases", "unit/serving", "unit/training",
)  # fmt: skip
"""Tests that start heavy servers, build tables, fit or run models, simulate releases: `make test-fast` goes without."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs an engine by where it lies, leave out drafts, see whose turn it is, go to a lab only once."""
    for item in items:
        turns.hold(item)
        if item.path.parent.relative_to(ROOT / "tests").as_posix() in _ENGINES:
            item.add_marker(pytest.mark.engines)
        if item.get_closest_marker("draft") and not os.environ.get("LAB_DRAFTS"):
            item.add_marker(pytest.mark.skip(reason="of a lab that is being made; LAB_DRAFTS=1 runs it"))
    items.sort(key=_stands)


def pytest_collection_finish() -> None:
    """Take what collection left out of the collector's sight: it stays, and each look at it takes half a second."""
    gc.collect()
    gc.freeze()


# A script's background job ignores Ctrl-C, and so would all that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
_ENDING = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}


def pytest_runtest_logfinish() -> None:
    """Take the signals back from services that ran within a test, or Ctrl-C would no longer end the tests."""
    for number, handler in _ENDING.items():
        signal.signal(number, handler)


def _stands(item: pytest.Item) -> str:
    mark = item.get_closest_marker("stands")
    return mark.args[0] if mark else "01"


@pytest.fixture(autouse=True)
def _drawn_undisturbed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the collector out of tests that Hypothesis draws for.

    Hypothesis parses our sources to describe what it draws. Before Python 3.11.9 a parse during which the collector
    ends an object whose end parses as well (a warning with its traceback) fails with a SystemError.
    """
    if "given" not in vars(request.module):
        yield
        return
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def lab() -> Iterator[Driver]:
    """Return the `lab` command on the test cluster, with lab 01 up."""
    driver = Driver(ROOT / "build/test")
    keep = bool(os.environ.get("LAB_TEST_KEEP"))
    if not keep:
        driver.run("down")
        _forget(driver)
    # Everything at once, so that what is measured of a lab's start is not how long images are built.
    driver.run("prepare")
    driver.run("up", "01")
    yield driver
    if not keep:
        driver.run("down")
        _forget(driver)


@pytest.fixture(scope="session")
def kafka_address(request: pytest.FixtureRequest) -> str:
    """Return where a broker answers: TARMAC_TEST_KAFKA, or else the test cluster's."""
    if given := os.environ.get("TARMAC_TEST_KAFKA"):
        return given
    lab: Driver = request.getfixturevalue("lab")
    return f"127.0.0.1:{lab.port(9092)}"


def _forget(driver: Driver) -> None:
    """Remove the tests' working copies."""
    for folder in driver.work.parent.glob(f"{driver.work.name}*"):
        shutil.rmtree(folder)
