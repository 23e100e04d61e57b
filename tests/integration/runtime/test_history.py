"""Results of experiments on a real Redis: kept under the lab's key, found again, and done without where it is away."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from integration.feature.processes import PASSWORD, Redis
from runtime.history import History
from runtime.online import OnlineSettings
from runtime.online_client import StoreSilent, connected

KEY = "lab-00:results"
FIRST = {"name": "late-events", "run": 1, "keys": 300}
AGAIN = {"name": "late-events", "run": 2, "keys": 301}
OTHER = {"name": "leakage", "run": 2, "figures": [{"pattern": "as-of"}]}


def test_the_last_result_of_each_experiment_is_found_again(settings: OnlineSettings) -> None:
    """By another process, which another lab's results do not disturb."""
    history = History(settings, KEY)
    assert history.restore() == {}
    for result in (FIRST, AGAIN, OTHER):
        history.keep(result)
    History(settings, "lab-99:results").keep(FIRST)
    assert History(settings, KEY).restore() == {"late-events": AGAIN, "leakage": OTHER}


@pytest.mark.parametrize(("named", "database"), [(None, 3), (1, 1)])
def test_results_are_in_the_database_that_is_named(settings: OnlineSettings, named: int | None, database: int) -> None:
    """In the settings where the history names none."""
    History(settings, KEY, named).keep(FIRST)
    with connected(settings, database) as client:
        assert client.hkeys(KEY) == [b"late-events"]
    with connected(settings, 2) as client:
        assert client.dbsize() == 0


def test_a_password_that_is_wrong_is_told_by_the_stores_name(settings: OnlineSettings) -> None:
    """Redis answers, and refuses: the address, and what shows more."""
    wrong = OnlineSettings(redis=settings.redis, redis_password="wrong")  # noqa: S106  it is none
    with pytest.raises(StoreSilent, match=rf"{settings.redis} failed: .*lab status"), connected(wrong) as client:
        client.ping()


def test_a_store_that_starts_later_is_waited_for(tmp_path: Path) -> None:
    """Lab and store often start together: what was kept before both is found all the same."""
    late = Redis(tmp_path)
    settings = OnlineSettings(redis=f"127.0.0.1:{late.port}", redis_password=PASSWORD)
    with ThreadPoolExecutor() as pool:
        restored = pool.submit(History(settings, KEY).restore)
        time.sleep(1)
        late.start()
        try:
            assert restored.result(20) == {}
            History(settings, KEY).keep(FIRST)
            late.kill()
            restored = pool.submit(History(settings, KEY).restore)
            late.start()
            assert restored.result(20) == {"late-events": FIRST}
        finally:
            late.kill()


def test_without_the_store_experiments_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is known of earlier results and none is kept; the log says both."""
    gone = Redis(tmp_path)
    history = History(OnlineSettings(redis=f"127.0.0.1:{gone.port}"), KEY, patience=1)
    with caplog.at_level(logging.WARNING):
        assert history.restore() == {}
        history.keep(FIRST)
    assert [record.message for record in caplog.records] == ["earlier results are not known", "a result is not kept"]
    assert all(f"127.0.0.1:{gone.port}" in vars(record)["cause"] for record in caplog.records)
