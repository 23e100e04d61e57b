"""A lab's manifests: the trainee's copy is never lost, and goes to the cluster whole or not at all."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from lab.errors import BadInput
from lab.settings import Settings
from lab.spec import Budget, LabSpec
from lab.stack.manifests import Manifests
from lab.text import Text
from unit.stack.conftest import Server
from unit.wire import Wire

KUBECTL = """
record()
if ARGS[0] == "version":
    print(json.dumps({"clientVersion": {"minor": "37"}}))
else:
    path = pathlib.Path(ARGS[1]) / "all.yaml"
    if "broken" in path.read_text():
        fail("error: accumulating resources: yaml: line 3: mapping values are not allowed")
    print(path.read_text())
"""
IMAGES = {"lab-01": "tarmac.local/lab-01:1"}
LAB = LabSpec(
    number=1, name="patterns", title=Text.plain("Lab"), namespace="lab-01", components=[],
    budget=Budget(memory_mib=1, idle_cores=1, peak_mib=1, cpu_seconds=1, disk_mib=1, images_mib=1, seconds=1),
)  # fmt: skip


def _workload(kind: str, name: str) -> dict[str, object]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {
            "initContainers": [{"name": "i", "image": "tarmac.local/lab-01"}],
            "containers": [{"name": "a", "image": "tarmac.local/lab-01"}, {"name": "b", "image": "example.org/b:1"}],
        },
    }
    spec = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    return {"apiVersion": "x/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config", "namespace": "elsewhere"}, "data": {}}


@pytest.fixture
def manifests(wire: Wire, settings: Settings, tmp_path: Path) -> Manifests:
    """Return a lab's manifests in a small checkout."""
    wire.program("kubectl", KUBECTL)
    folder = tmp_path / "labs" / "01-patterns"
    for each, objects in (("start", [CONFIG]), ("solved", [CONFIG, _workload("Deployment", "thing")])):
        (folder / "manifests" / each).mkdir(parents=True)
        (folder / "manifests" / each / "all.yaml").write_text(yaml.safe_dump_all(objects))
    return Manifests(dataclasses.replace(settings, root=tmp_path), folder, LAB)


def _write(manifests: Manifests, *objects: object) -> None:
    manifests.begin()
    (manifests.work / "all.yaml").write_text(yaml.safe_dump_all(objects))


def test_the_working_copy_is_made_once(manifests: Manifests) -> None:
    """A second run leaves the trainee's work alone."""
    assert manifests.begin()
    (manifests.work / "all.yaml").write_text("mine")
    assert not manifests.begin()
    assert (manifests.work / "all.yaml").read_text() == "mine"


def test_work_is_kept_before_it_is_replaced(manifests: Manifests) -> None:
    """`solve` and `reset` put a trainee's own work aside, and nothing that is nobody's."""
    manifests.begin()
    assert manifests.replace("solved") is None
    assert manifests.replace("start") is None
    (manifests.work / "all.yaml").write_text("mine")
    kept = manifests.replace("solved")
    assert kept is not None
    assert (kept / "all.yaml").read_text() == "mine"
    assert "Deployment" in (manifests.work / "all.yaml").read_text()


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "Job", "CronJob"])
def test_every_object_is_labelled_and_placed_and_runs_what_was_made(kind: str, manifests: Manifests) -> None:
    """Labels and namespace are the lab's whatever the file says; our images take their name in the cluster."""
    _write(manifests, CONFIG, _workload(kind, "thing"))
    config, workload = manifests.build({"lab-01": "tarmac.local/lab-01:abc"}, lambda _: None)
    for each in (config, workload):
        assert each["metadata"]["namespace"] == "lab-01"
        assert each["metadata"]["labels"] == {"tarmac.dev/lab": "01", "app.kubernetes.io/part-of": "tarmac"}
    template = workload["spec"].get("jobTemplate", workload)["spec"]["template"]
    assert template["metadata"]["labels"] == {
        "app": "thing",
        "tarmac.dev/lab": "01",
        "app.kubernetes.io/part-of": "tarmac",
    }
    containers = [*template["spec"]["initContainers"], *template["spec"]["containers"]]
    assert [each["image"] for each in containers] == ["tarmac.local/lab-01:abc"] * 2 + ["example.org/b:1"]


def test_the_trainees_seed_comes_where_the_file_names_it(manifests: Manifests) -> None:
    """In the file it stays a name, so that the same solution is right on every workstation; it is drawn once."""
    config = {**CONFIG, "data": {"seed": "seed:", "order": "seed:thing:a,b,c", "other": "seedling:"}}
    _write(manifests, config)
    first, second = (manifests.build({}, lambda _: None)[0]["data"] for _ in range(2))
    assert first == second
    assert first["seed"].isdecimal()
    assert sorted(first["order"].split(",")) == ["a", "b", "c"]
    assert first["other"] == "seedling:"
    assert "seed:thing:a,b,c" in (manifests.work / "all.yaml").read_text()


def test_a_file_that_is_no_yaml_is_told_with_its_line(manifests: Manifests) -> None:
    """The trainee reads where, why, and that the cluster is as it was."""
    _write(manifests, "broken")
    with pytest.raises(BadInput) as told:
        manifests.build({}, lambda _: None)
    assert "labs/01-patterns/manifests/work" in told.value.what.fr
    assert "line 3" in told.value.what.en
    assert "nothing was changed" in told.value.remedy.en


def test_a_mistake_in_one_object_changes_none(manifests: Manifests, server: Server) -> None:
    """The server judges all before it takes any."""
    server.refuses = "thing"
    _write(manifests, CONFIG, _workload("Deployment", "thing"))
    with pytest.raises(BadInput, match=r"spec\.replicas"):
        manifests.apply(server, manifests.build(IMAGES, lambda _: None))  # type: ignore[arg-type]
    assert server.held == {}


def test_what_the_copy_no_longer_holds_goes(manifests: Manifests, server: Server) -> None:
    """Removed from the file is removed from the cluster; what is not the lab's stays; doing it twice does nothing."""
    foreign = {"kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": "lab-01"}}
    server.held["ConfigMap", "lab-01", "kube-root-ca.crt"] = foreign
    _write(manifests, CONFIG, _workload("Deployment", "thing"))
    assert manifests.apply(server, manifests.build(IMAGES, lambda _: None)) == ["ConfigMap/config", "Deployment/thing"]  # type: ignore[arg-type]
    assert manifests.apply(server, manifests.build(IMAGES, lambda _: None)) == []  # type: ignore[arg-type]
    _write(manifests, CONFIG)
    assert manifests.apply(server, manifests.build(IMAGES, lambda _: None)) == ["Deployment/thing"]  # type: ignore[arg-type]
    assert {name for _, _, name in server.held} == {"config", "kube-root-ca.crt"}


def test_an_image_of_ours_that_does_not_exist_is_named(manifests: Manifests) -> None:
    """A misspelt name is told with those that there are, before anything waits for a pull."""
    _write(manifests, _workload("Deployment", "thing"))
    with pytest.raises(BadInput, match=r"Deployment/thing: image: tarmac.local/lab-01\? \(tarmac.local/other\)"):
        manifests.build({"other": "tarmac.local/other:1"}, lambda _: None)


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute", "ReferenceGrant", "BackendTrafficPolicy"])
def test_a_route_that_the_copy_no_longer_holds_goes(kind: str, manifests: Manifests, server: Server) -> None:
    """Kinds that a component brought are a lab's to declare, and go with its manifests as all others do."""
    route = {"apiVersion": "x/v1", "kind": kind, "metadata": {"name": "mine"}, "spec": {}}
    _write(manifests, CONFIG, route)
    assert manifests.apply(server, manifests.build(IMAGES, lambda _: None)) == ["ConfigMap/config", f"{kind}/mine"]  # type: ignore[arg-type]
    _write(manifests, CONFIG)
    assert manifests.apply(server, manifests.build(IMAGES, lambda _: None)) == [f"{kind}/mine"]  # type: ignore[arg-type]
    assert (kind, "lab-01", "mine") not in server.held
