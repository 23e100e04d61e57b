"""What every object of every case must have, whoever wrote its chart."""

import re
from decimal import Decimal
from typing import Any

import pytest
import yaml

from contract.charts.rendering import CASES, ROOT, Case, containers, jobs, named, objects, rendered, workloads
from ingest.settings import FAMILY, ConsumerSettings, ProducerSettings
from lab.reset.fingerprint import KINDS
from lab.settings import PORTS
from lab.spec import Course
from runtime.settings import load

DEFAULTS = [case for case in CASES if case.name == "default"]
HA = Case("kafka", "ha")
_UNITS = {"": Decimal(1), "m": Decimal("0.001"), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}
SILENT = {"kafka", "postgres", "objectstore"}
"""Charts of programs that tell Prometheus nothing over HTTP: their clients' figures and the node's say how they are."""
_VOLUMES = {"configMap", "emptyDir", "projected", "secret", "downwardAPI", "persistentVolumeClaim", "ephemeral", "csi"}


def _breaches(spec: dict[str, Any]) -> list[str]:
    """Return what the Pod Security Standard *restricted* has against a pod, and our own read-only root."""
    found = [key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    found += [f"volume {each['name']}" for each in spec.get("volumes", []) if not _VOLUMES & set(each)]
    pod = spec.get("securityContext", {})
    found += ["sysctls"] if pod.get("sysctls") else []
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        context = {**pod, **container.get("securityContext", {})}
        dropped = context.get("capabilities", {})
        rules = {
            "runAsNonRoot": context.get("runAsNonRoot") is True and context.get("runAsUser") != 0,
            "seccompProfile": context.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"),
            "allowPrivilegeEscalation": context.get("allowPrivilegeEscalation") is False,
            "privileged": not context.get("privileged"),
            "capabilities": "ALL" in dropped.get("drop", []) and set(dropped.get("add", [])) <= {"NET_BIND_SERVICE"},
            "procMount": context.get("procMount", "Default") == "Default",
            "hostPort": not any(port.get("hostPort") for port in container.get("ports", [])),
            "readOnlyRootFilesystem": context.get("readOnlyRootFilesystem") is True,
        }
        found += [rule for rule, held in rules.items() if not held]
    return found


def _proxies(case: Case) -> dict[str, Any] | None:
    """Return how the gateway's controller is to start Envoy, where a case says so."""
    found = [each for each in objects(case) if each["kind"] == "EnvoyProxy"]
    return found[0]["spec"]["provider"]["kubernetes"] if found else None


def _amount(words: str) -> Decimal:
    match = re.fullmatch(r"([\d.]+)(m|Mi|Gi|)", words)
    assert match, words
    return Decimal(match[1]) * _UNITS[match[2]]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_object_carries_our_labels(case: Case) -> None:
    """What belongs to the platform can be told, found and counted by its labels; pods and volumes too."""
    wanted = {
        "app.kubernetes.io/name": case.chart,
        "app.kubernetes.io/part-of": "tarmac",
        "app.kubernetes.io/managed-by": "Helm",
        "tarmac.dev/component": case.chart,
    }
    templates = [each["spec"]["template"] for each in [*workloads(case), *jobs(case)]]
    claims = [claim for each in workloads(case) for claim in each["spec"].get("volumeClaimTemplates", [])]
    for each in [*objects(case), *templates, *claims, *jobs(case)]:
        assert wanted.items() <= each["metadata"]["labels"].items()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_pods_meet_the_restricted_standard(case: Case) -> None:
    """Namespaces enforce `restricted`: a pod that does not meet it would never be created."""
    for each in [*workloads(case), *jobs(case)]:
        assert _breaches(each["spec"]["template"]["spec"]) == []


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}, "volume host"),
        ({"securityContext": {"runAsNonRoot": True}}, "seccompProfile"),
        ({"containers": [{"name": "x"}]}, "capabilities"),
    ],
)
def test_the_judge_of_pods_sees_what_is_wrong(change: dict[str, Any], breach: str) -> None:
    """A pod of ours, changed for the worse, is found out."""
    (workload,) = workloads(Case("jaeger", "default"))
    assert breach in _breaches({**workload["spec"]["template"]["spec"], **change})


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_container_has_requests_limits_and_probes(case: Case) -> None:
    """No container takes what it did not ask for; what serves is asked whether it still does."""
    for workload in [*workloads(case), *jobs(case)]:
        for container in containers(workload):
            resources = container["resources"]
            for what in ("cpu", "memory"):
                assert 0 < _amount(resources["requests"][what]) <= _amount(resources["limits"][what])
            if container.get("ports"):
                assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)


@pytest.mark.parametrize("case", [case for case in CASES if case.namespace != "platform"], ids=str)
def test_what_a_reset_takes_away_stands_in_its_namespace(case: Case) -> None:
    """A reset deletes all that is in these namespaces, without Helm: nothing of theirs may stand outside, in none."""
    kinds = {each["kind"] for each in objects(case)}
    assert kinds <= set(KINDS), kinds - set(KINDS)


def test_the_platform_fits_a_small_machine() -> None:
    """On two cores kubeadm's own pods reserve 850 m: all of the platform keeps within 800 m, and within 2.5 GiB.

    What is left is for a lab's own pods (105 m in lab 04, the only one that runs it all) and for jobs.
    """
    requests = [
        each["resources"]["requests"] for case in DEFAULTS for load in workloads(case) for each in containers(load)
    ]
    for made in filter(None, map(_proxies, DEFAULTS)):
        deployment = made["envoyDeployment"]
        beside = deployment["patch"]["value"]["spec"]["template"]["spec"]["containers"]
        every = [deployment["container"], *(each for each in beside if "resources" in each)]
        requests += [each["resources"]["requests"] for each in every]
    assert sum(_amount(each["cpu"]) for each in requests) <= Decimal("0.8")
    assert sum(_amount(each["memory"]) for each in requests) <= Decimal("2.5") * 2**30


@pytest.mark.parametrize("case", CASES, ids=str)
def test_names_of_ports_hold(case: Case) -> None:
    """Each Service selects pods of its chart and leads to a port that they have."""
    templates = [each["spec"]["template"] for each in workloads(case)]
    for service in (each for each in objects(case) if each["kind"] == "Service"):
        selector = dict(service["spec"]["selector"])
        selector.pop("statefulset.kubernetes.io/pod-name", None)
        others = [each["spec"]["template"] for each in jobs(case)]
        chosen = [each for each in [*templates, *others] if selector.items() <= each["metadata"]["labels"].items()]
        assert len(chosen) == 1, service["metadata"]["name"]
        ports = {port["name"] for container in chosen[0]["spec"]["containers"] for port in container.get("ports", [])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_the_workstation_reaches_what_the_cluster_file_promises() -> None:
    """Each port that kind-config.yaml maps leads to one Service of the platform (the labs' own ports apart)."""
    kind = yaml.safe_load((ROOT / "kind-config.yaml").read_text())
    mapped = {each["containerPort"]: each["hostPort"] for each in kind["nodes"][0]["extraPortMappings"]}
    labs = {port for name, port in PORTS.items() if name.startswith("lab-")}
    mapped = {port: host for port, host in mapped.items() if host not in labs}
    services = [each for case in DEFAULTS for each in objects(case) if each["kind"] == "Service"]
    services += [each["envoyService"]["patch"]["value"] for each in filter(None, map(_proxies, DEFAULTS))]
    ports = [port["nodePort"] for each in services for port in each["spec"]["ports"] if "nodePort" in port]
    assert sorted(ports) == sorted(mapped)


@pytest.mark.parametrize("case", [case for case in CASES if case.chart == "ingest"], ids=str)
def test_ingest_understands_what_its_chart_says(case: Case) -> None:
    """Every variable that the chart sets is one that the service knows, with a value that it takes."""
    for role, settings in (("producer", ProducerSettings), ("consumer", ConsumerSettings)):
        (container,) = containers(named(case, "Deployment", f"ingest-{role}"))
        env = {each["name"]: each.get("value", "from a Secret") for each in container["env"]}
        read = load(settings, env, FAMILY)
        assert read.traces == env["TARMAC_TRACES"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_prometheus_finds_every_service(case: Case) -> None:
    """Each pod names a port of metrics that it has; the broker, which speaks no HTTP, is seen through ingest's lag.

    A job is over before it is read.
    """
    for workload in workloads(case):
        if case.chart in SILENT or workload["kind"] == "Job":
            continue
        port = int(workload["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"])
        assert port in [each["containerPort"] for every in containers(workload) for each in every.get("ports", [])]


class TestThreeBrokers:
    """Any one broker, or its node, may go: no write is refused, none that was acknowledged is lost."""

    def test_each_write_is_on_two_of_three_brokers(self) -> None:
        """Three brokers, three copies, two of which confirm; Kafka's own topics likewise."""
        config = named(HA, "ConfigMap", "kafka")["data"]["server.properties"].splitlines()
        assert named(HA, "StatefulSet", "kafka")["spec"]["replicas"] == 3
        for line in (
            "default.replication.factor=3",
            "min.insync.replicas=2",
            "offsets.topic.replication.factor=3",
            "transaction.state.log.replication.factor=3",
            "transaction.state.log.min.isr=2",
        ):
            assert line in config
        (voters,) = [line for line in config if line.startswith("controller.quorum.voters=")]
        assert [voter.split("@")[0] for voter in voters.split("=")[1].split(",")] == ["0", "1", "2"]

    def test_nodes_are_drained_one_at_a_time(self) -> None:
        """An eviction that would leave one broker is refused."""
        budget = named(HA, "PodDisruptionBudget", "kafka")["spec"]
        assert budget["maxUnavailable"] == 1
        pods = named(HA, "StatefulSet", "kafka")["spec"]["template"]["metadata"]["labels"]
        assert budget["selector"]["matchLabels"].items() <= pods.items()

    def test_brokers_stand_on_different_nodes(self) -> None:
        """No node takes a second broker while another has none; zones are shared out where there are some."""
        spec = named(HA, "StatefulSet", "kafka")["spec"]["template"]["spec"]
        spread = {each["topologyKey"]: each for each in spec["topologySpreadConstraints"]}
        assert spread["kubernetes.io/hostname"]["whenUnsatisfiable"] == "DoNotSchedule"
        assert spread["topology.kubernetes.io/zone"]["whenUnsatisfiable"] == "ScheduleAnyway"
        assert {each["maxSkew"] for each in spread.values()} == {1}

    def test_clients_outside_reach_each_broker_by_its_own_port(self) -> None:
        """A partition's leader is one certain broker: each has a Service, a port of the node, and an address."""
        services = [each for each in objects(HA) if each["metadata"]["name"].startswith("kafka-external")]
        pods = [each["spec"]["selector"]["statefulset.kubernetes.io/pod-name"] for each in services]
        assert pods == ["kafka-0", "kafka-1", "kafka-2"]
        assert [each["spec"]["ports"][0]["nodePort"] for each in services] == [30092, 30093, 30094]

    def test_a_workstation_has_none_of_it(self) -> None:
        """One broker needs no budget, which would only keep a node from being drained."""
        kinds = [each["kind"] for each in objects(Case("kafka", "default"))]
        assert "PodDisruptionBudget" not in kinds
        assert "topologySpreadConstraints" not in rendered(Case("kafka", "default"))


@pytest.mark.parametrize(("kind", "name"), [("StatefulSet", "redis"), ("Deployment", "objectstore")])
def test_of_two_copies_one_always_stands(kind: str, name: str) -> None:
    """On a multi-node cluster they stand on different nodes, and nodes are drained one at a time."""
    workload, budget = named(Case(name, "ha"), kind, name), named(Case(name, "ha"), "PodDisruptionBudget", name)
    template = workload["spec"]["template"]
    (spread,) = template["spec"]["topologySpreadConstraints"]
    assert (workload["spec"]["replicas"], budget["spec"]["maxUnavailable"]) == (2, 1)
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")
    assert budget["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert "PodDisruptionBudget" not in [each["kind"] for each in objects(Case(name, "default"))]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.chart in {"postgres", "redis", "objectstore", "mlflow"}], ids=str
)
def test_no_password_is_in_what_a_chart_renders(case: Case) -> None:
    """Charts name Secrets and never hold one; each that they name is one that stack.yaml declares, with its keys."""
    declared = {
        (secret.name, key)
        for each in Course(ROOT).components.values()
        for secret in each.secrets
        for key in secret.keys
    }
    text = rendered(case)
    named_ = set(re.findall(r"secret: \{(?:secretName|name): ([\w-]+), items: \[\{key: ([\w-]+)", text))
    named_ |= set(re.findall(r"secretKeyRef: \{name: ([\w-]+), key: ([\w-]+)\}", text))
    assert named_
    assert named_ <= declared
    assert "Secret" not in [each["kind"] for each in objects(case)]


def test_dumps_and_objects_outlive_their_release() -> None:
    """Helm leaves the volumes that no StatefulSet keeps: a release that is taken away takes no data along."""
    for chart, name in (("postgres", "postgres-dumps"), ("objectstore", "objectstore")):
        claim = named(Case(chart, "default"), "PersistentVolumeClaim", name)
        assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


@pytest.mark.parametrize("case", [case for case in CASES if case.chart == "kafka"], ids=str)
def test_topics_are_never_made_by_a_slip_of_the_pen(case: Case) -> None:
    """A misspelt topic is an error, in every profile."""
    config = named(case, "ConfigMap", "kafka")["data"]["server.properties"]
    assert "auto.create.topics.enable=false" in config.splitlines()
