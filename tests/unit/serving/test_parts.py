"""A server has the parts that its settings name, and refuses settings of which none can be made."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from runtime.errors import BadSetting
from serving import parts
from serving.errors import NotOffered
from serving.settings import ServeSettings
from unit.serving.schedules import timetable


def test_without_settings_there_are_none() -> None:
    """No journal, and flights are refused."""
    assert parts.written(ServeSettings(), CollectorRegistry()) is None
    with pytest.raises(NotOffered):
        parts.people(ServeSettings(), None, CollectorRegistry()).offered()


def test_what_is_named_is_made(tmp_path: Path) -> None:
    """A journal that can be counted, and flights with or without a timetable."""
    registry = CollectorRegistry()
    assert parts.written(ServeSettings(kafka="127.0.0.1:1"), registry)
    assert registry.get_sample_value("serving_log_dropped_total") == 0
    timetable(tmp_path)
    for file in ("", str(tmp_path / "timetable.gz")):
        settings = ServeSettings(feature="http://feature.test:6566", timetable=file)
        assert parts.people(settings, None, CollectorRegistry()).offered()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (ServeSettings(feature="feature.test:6566"), "TARMAC_FEATURE"),
        (ServeSettings(feature="http://feature.test:6566", timetable="/nowhere"), "TARMAC_TIMETABLE"),
    ],
)
def test_what_cannot_be_used_ends_the_start(settings: ServeSettings, named: str) -> None:
    """With the variable and the remedy."""
    with pytest.raises(BadSetting, match=named):
        parts.people(settings, None, CollectorRegistry())
