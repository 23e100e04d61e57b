"""Which cluster a command works on."""

import pytest

from lab.cluster import choose
from lab.cluster.base import Claim
from lab.errors import BadInput

from .conftest import Machine


@pytest.mark.parametrize(
    ("programs", "backend"),
    [
        ((), "kind"),
        (("docker",), "kind"),
        (("docker", "k3s"), "kind"),
        (("podman", "k3s"), "kind"),
        (("apt-get", "k3s"), "kind"),
        (("k3s",), "k3s"),
    ],
)
def test_auto_is_kind_unless_only_k3s_can_be_had(machine: Machine, programs: tuple[str, ...], backend: str) -> None:
    """k3s is chosen where no engine is there, none can be installed, and k3s is."""
    for name in programs:
        machine.program(name, "exit 0")
    assert choose(machine.settings()).backend == backend
    assert not machine.calls()


@pytest.mark.parametrize(("asked", "backend"), [("kind", "kind"), ("k3s", "k3s"), ("context:mine", "context")])
def test_what_is_asked_for_is_used(machine: Machine, asked: str, backend: str) -> None:
    """LAB_CLUSTER decides."""
    assert choose(machine.settings(LAB_CLUSTER=asked)).backend == backend


def test_auto_keeps_what_a_cluster_was_made_with(machine: Machine) -> None:
    """A cluster made with k3s stays a k3s cluster for later commands that do not say so."""
    Claim(machine.settings()).take("k3s")
    assert choose(machine.settings()).backend == "k3s"


def test_a_folder_from_before_backends_is_kinds(machine: Machine) -> None:
    """A cluster whose folder names no backend was made with kind."""
    claim = Claim(machine.settings())
    claim.take("kind")
    (machine.settings().folder / "backend").unlink()
    assert choose(machine.settings()).backend == "kind"
    with pytest.raises(BadInput):
        choose(machine.settings(LAB_CLUSTER="k3s"))


@pytest.mark.parametrize(
    ("made", "asked"),
    [("kind", "context:mine"), ("context:mine", "context:other"), ("context:mine", "auto"), ("k3s", "kind")],
)
def test_no_command_meets_another_clusters_files(machine: Machine, made: str, asked: str) -> None:
    """A name that was used with another backend is refused, with both ways out; a context must be named each time."""
    Claim(machine.settings()).take(made)
    with pytest.raises(BadInput) as caught:
        choose(machine.settings(LAB_CLUSTER=asked))
    for words in (caught.value.render("en"), caught.value.render("fr")):
        assert f"LAB_CLUSTER={made}" in words
        assert asked in words
        assert "LAB_NAME" in words
