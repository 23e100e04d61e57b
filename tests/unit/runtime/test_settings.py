"""Settings come from the environment; what cannot be used stops the process with variable, value and remedy."""

import datetime as dt

import pytest

from ingest.settings import FAMILY, ConsumerSettings, ProducerSettings
from runtime.errors import BadSetting
from runtime.settings import load


def test_values_are_read_with_their_types() -> None:
    """Numbers, switches and instants are read as such; an instant without offset is UTC."""
    env = {"TARMAC_SPEEDUP": "0.5", "TARMAC_START": "2013-02-01", "TARMAC_EXIT_WHEN_DONE": "Yes", "TARMAC_LIMIT": "7"}
    settings = load(ProducerSettings, env, FAMILY)
    assert (settings.speedup, settings.exit_when_done, settings.limit) == (0.5, True, 7)
    assert settings.start == dt.datetime(2013, 2, 1, tzinfo=dt.UTC)


def test_variables_of_the_family_and_of_others_are_no_mistake() -> None:
    """Entry points share one ConfigMap, and Kubernetes adds variables of its own."""
    env = {"TARMAC_SPEEDUP": "5", "INGEST_PORT": "tcp://10.0.0.1:8080", "TARMAC_GROUP": "mine"}
    assert load(ConsumerSettings, env, FAMILY).group == "mine"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TARMAC_SPEDUP", "5", "did you mean TARMAC_SPEEDUP"),
        ("TARMAC_SPEEDUP", "fast", "a number"),
        ("TARMAC_SPEEDUP", "-1", "out of range"),
        ("TARMAC_PORT", "70000", "65535"),
        ("TARMAC_LOG_LEVEL", "loud", "debug, info"),
        ("TARMAC_EXIT_WHEN_DONE", "perhaps", "true or false"),
        ("TARMAC_TRACE_RATIO", "nan", "out of range"),
    ],
)
def test_what_cannot_be_used_is_refused(name: str, value: str, words: str) -> None:
    """The message names the variable and what to give it."""
    with pytest.raises(BadSetting, match=words) as caught:
        load(ProducerSettings, {name: value}, FAMILY)
    assert name in str(caught.value)
    assert caught.value.exit_code == 2
