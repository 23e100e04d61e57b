"""Settings: what the environment may say, and what is answered when it says something else."""

from pathlib import Path

import pytest

from lab.errors import BadInput
from lab.settings import PORTS, Settings
from lab.text import language


def test_without_any_variable_the_defaults_hold(tmp_path: Path) -> None:
    """A trainee sets nothing: one cluster, under the home folder, on the ports of the guides."""
    settings = Settings.load({"HOME": str(tmp_path)})
    assert (settings.name, settings.cluster, settings.lang, settings.port_offset) == ("tarmac", "auto", "en", 0)
    assert settings.folder == tmp_path / ".local/state/tarmac/tarmac"
    assert settings.cache == tmp_path / ".cache/tarmac"
    assert settings.kubeconfig.is_relative_to(settings.folder)
    assert {name: settings.port(name) for name in PORTS} == PORTS
    assert (settings.root / "kind-config.yaml").is_file()


def test_every_variable_is_heard(tmp_path: Path) -> None:
    """Each LAB_* variable moves what it names and nothing else."""
    settings = Settings.load(
        {
            "LAB_NAME": "room-2", "LAB_HOME": f"{tmp_path}/h", "LAB_CACHE": f"{tmp_path}/c", "LAB_CLUSTER": "k3s",
            "LAB_LANG": "fr", "LAB_PORT_OFFSET": "100", "LAB_PROFILE": "ha",
        }
    )  # fmt: skip
    assert (settings.folder, settings.cache) == (tmp_path / "h" / "room-2", tmp_path / "c")
    assert (settings.cluster, settings.lang, settings.port("kafka")) == ("k3s", "fr", PORTS["kafka"] + 100)
    assert settings.profile == "ha"


@pytest.mark.parametrize(
    "variable", ["LAB_NAME", "LAB_HOME", "LAB_CACHE", "LAB_CLUSTER", "LAB_LANG", "LAB_PORT_OFFSET", "LAB_PROFILE"]
)
def test_an_empty_variable_counts_as_unset(variable: str, tmp_path: Path) -> None:
    """`LAB_NAME= make lab-01` is the default, not an error."""
    home = {"HOME": str(tmp_path)}
    assert Settings.load({**home, variable: ""}) == Settings.load(home)


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("LAB_NAME", "Room 2", ("a-z", "a-z")),
        ("LAB_NAME", "../elsewhere", ("a-z", "a-z")),
        ("LAB_NAME", "-a", ("a-z", "a-z")),
        ("LAB_NAME", "a" * 31, ("a-z", "a-z")),
        ("LAB_HOME", "relative/folder", ("an absolute path", "un chemin absolu")),
        ("LAB_CACHE", "~/cache", ("an absolute path", "un chemin absolu")),
        ("LAB_CLUSTER", "minikube", ("context:NAME", "context:NAME")),
        ("LAB_CLUSTER", "context:", ("context:NAME", "context:NAME")),
        ("LAB_LANG", "de", ("en, fr", "en, fr")),
        ("LAB_PORT_OFFSET", "-1", ("0..46535", "0..46535")),
        ("LAB_PORT_OFFSET", "ten", ("0..46535", "0..46535")),
        ("LAB_PORT_OFFSET", "²", ("0..46535", "0..46535")),
        ("LAB_PORT_OFFSET", "60000", ("0..46535", "0..46535")),
        ("LAB_PROFILE", "big", ("one, ha", "one, ha")),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(variable: str, value: str, accepted: tuple[str, str]) -> None:
    """The error names the variable, its value and what it accepts, in both languages; exit code 2."""
    with pytest.raises(BadInput) as caught:
        Settings.load({variable: value})
    assert caught.value.exit_code == 2
    for words, wanted in zip((caught.value.render("en"), caught.value.render("fr")), accepted, strict=True):
        assert f"{variable}={value!r}" in words
        assert wanted in words


@pytest.mark.parametrize(
    ("environment", "chosen"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "fr_CA.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LC_MESSAGES": "fr_BE", "LANG": "en_US.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LAB_LANG": "en"}, "en"),
        ({"LANG": "en_US.UTF-8", "LAB_LANG": "fr"}, "fr"),
    ],
)
def test_the_language_follows_lab_lang_then_the_locale(environment: dict[str, str], chosen: str) -> None:
    """LAB_LANG wins; then LC_ALL, LC_MESSAGES and LANG as every program reads them; else English."""
    assert language(environment) == chosen
