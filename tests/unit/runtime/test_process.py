"""A process ends as its errors say."""

import logging
from collections.abc import Callable

import pytest

from runtime.errors import Permanent, ServiceError, Temporary
from runtime.process import guarded


def _raise(failure: Exception) -> Callable[[], None]:
    def main() -> None:
        raise failure

    return main


@pytest.mark.parametrize(
    ("failure", "code"), [(Temporary("it", "wait"), 1), (Permanent("it", "act"), 2), (RuntimeError("?"), 1)]
)
def test_the_exit_code_says_whether_to_try_again(
    failure: Exception, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Temporary failures end with 1, permanent ones with 2, and each leaves one line in the log, with its kind."""
    with caplog.at_level(logging.ERROR):
        assert guarded(_raise(failure)) == code
    (record,) = caplog.records
    named = type(failure).__name__ if isinstance(failure, ServiceError) else None
    assert getattr(record, "kind", None) == named


def test_a_good_end_is_zero() -> None:
    """Nothing raised, nothing told."""
    assert guarded(lambda: None) == 0
