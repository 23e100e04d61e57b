"""Feast's registry follows the definitions: said, repeated without effect, and refused where somebody would be hurt."""

import dataclasses
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import feast
import pytest

from contracts.views import Definitions, Field, Service
from feature import registry
from feature.__main__ import main
from feature.errors import Breaking, RegistryUnavailable
from feature.settings import ApplySettings
from integration.feature import samples
from integration.feature.processes import SAMPLES, sdk

FLIGHTS = "contracts.views_flights:DEFINITIONS"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return the path of a registry that is not there yet."""
    return tmp_path / "registry.db"


def applied(place: Path, defined: Definitions | str = SAMPLES, retire: str = "") -> list[str]:
    """Apply definitions; what was said."""
    name = defined
    if isinstance(defined, Definitions):
        module = ModuleType("changed_definitions")
        module.FOUND = defined  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module
        name = "changed_definitions:FOUND"
    return registry.apply(
        ApplySettings(registry=str(place), offline=str(place.parent), definitions=str(name), retire=retire)
    )


def changed(**changes: Any) -> Definitions:  # noqa: ANN401  as the callee has it
    """Return the sample definitions with changes."""
    return dataclasses.replace(samples.DEFINITIONS, **changes)


def with_more(*features: Field) -> Definitions:
    """Return the sample definitions with other features in the small view."""
    more = dataclasses.replace(samples.MORE, features=features)
    return changed(views=(samples.TEXTS, more, samples.NUMBERS, samples.PAIRS))


def test_what_is_new_is_said_and_a_second_run_changes_nothing(place: Path) -> None:
    """Every object is named once; after that the registry's file stays as it is."""
    told = applied(place)
    assert {"new entity name", "new feature view texts", "new feature view computed"} < set(told)
    assert {"new feature service all_v1", "unchanged 0"} < set(told)
    before = place.read_bytes()
    assert applied(place) == ["unchanged 9"]
    assert place.read_bytes() == before


def test_the_projects_own_definitions_apply(place: Path) -> None:
    """All entities, views and services; Feast finds each with owner, TTL and words."""
    assert applied(place, FLIGHTS)[-1] == "unchanged 0"
    assert applied(place, FLIGHTS) == ["unchanged 18"]
    config = feast.RepoConfig(
        project="tarmac", provider="local", registry=str(place), online_store=None, entity_key_serialization_version=3
    )
    store = feast.FeatureStore(config=config)
    view = store.get_feature_view("weather_by_origin")
    assert (view.owner, view.ttl.total_seconds(), view.description) == (
        "weather", 6 * 3600, "the newest reading of the station at the origin"
    )  # fmt: skip
    assert {each.name for each in store.list_feature_services()} == {"delay_v1", "delay_v2"}


def test_a_new_feature_is_a_change_that_breaks_nobody(place: Path) -> None:
    """Only its view and the services that take all of it are told as changed."""
    applied(place)
    told = applied(place, with_more(*samples.MORE.features, Field("m_new", "string", "a text")))
    assert told == ["changed feature view more", "unchanged 8"]


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ((Field("m_other", "int64", ""),), "reads more:m_int64, which would go"),
        ((Field("m_int64", "string", ""),), "reads more:m_int64, which would turn from Int64 into String"),
    ],
)
def test_a_change_that_would_break_a_consumer_names_it(place: Path, features: tuple[Field, ...], words: str) -> None:
    """Removed or of another type: refused with every service that reads it, and nothing is applied."""
    applied(place)
    before = place.read_bytes()
    services = (Service("pairs_v1", ("pairs",), "tests", "what does not read it"),)
    with pytest.raises(Breaking) as refused:
        applied(place, dataclasses.replace(with_more(*features), services=services))
    assert words in refused.value.what
    assert "all_v1" in refused.value.what
    assert "computed_v1" in refused.value.what
    assert "TARMAC_RETIRE" in refused.value.remedy
    assert place.read_bytes() == before


def test_the_service_of_somebody_else_counts(place: Path) -> None:
    """A team that registered its own feature service is named as the one that would break."""
    applied(place)
    store = sdk(place, {"type": "redis"})
    store.apply(feast.FeatureService(name="their_model", features=[store.get_feature_view("pairs")[["p_int64"]]]))
    views = (samples.TEXTS, samples.MORE, samples.NUMBERS)
    services = tuple(
        dataclasses.replace(each, features=tuple(name for name in each.features if name != "pairs"))
        for each in samples.DEFINITIONS.services
    )
    with pytest.raises(Breaking, match="their_model reads pairs:p_int64"):
        applied(place, changed(views=views, services=services), retire="all_v1")
    told = applied(place, changed(views=views, services=services), retire="all_v1,their_model")
    assert "removed feature view pairs" in told


def test_a_published_service_keeps_its_features(place: Path) -> None:
    """It may go or shrink only once it is retired by name."""
    applied(place)
    alone = changed(services=(samples.DEFINITIONS.services[0],))
    with pytest.raises(Breaking, match="computed_v1 reads computed:doubled, which it would no longer have"):
        applied(place, alone)
    assert "removed feature service computed_v1" in applied(place, alone, retire="computed_v1")


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"TARMAC_DEFINITIONS": "nowhere:AT_ALL"}, "definitions nowhere:AT_ALL"),
        ({"TARMAC_DEFINITIONS": "contracts.views_flights:PROJECT"}, "are a str"),
        ({"TARMAC_REGISTRY": "postgresql+psycopg://u:secret@127.0.0.1:1/none"}, "registry postgresql+psycopg://u:…@"),
        ({"TARMAC_REGISTRY_PASSWORD": "x", "TARMAC_REGISTRY": "file"}, "has no user for its password"),
        ({"TARMAC_REGISTRI": "x"}, "TARMAC_REGISTRI is unknown"),
    ],
)
def test_wrong_settings_end_with_2_and_a_remedy(
    env: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Object, field and remedy, and no password."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert main(["apply"]) == 2
    line = capfd.readouterr().err
    assert words in line
    assert '"remedy"' in line
    assert "secret" not in line


def test_an_unreadable_registry_is_named(tmp_path: Path) -> None:
    """A file that is none of Feast's."""
    place = tmp_path / "registry.db"
    place.write_bytes(b"\xff" * 100)
    with pytest.raises(RegistryUnavailable, match="registry"):
        applied(place)
