"""Rules that the second set's first run asked for: what each has to find, and what it has to pass over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.diagnose.accuracy import healthy
from lab.diagnose.causes import root
from lab.diagnose.faults import acts
from lab.diagnose.faults.healthy import clone
from lab.diagnose.faults.world import WARN
from lab.spec import Course
from unit.diagnose.independent.measure import SECOND, played
from unit.diagnose.independent.scene import HOUR, Scene

ROOT = Path(__file__).resolve().parents[3]
STATES = {name: state for name, _, state in healthy(Course(ROOT, drafts=False))}
LARGEST = STATES["04 solved"]
_REFUSED = '2026-11-27 16:03:11.402 UTC [733] FATAL:  password authentication failed for user "{}"'


def _scene() -> Scene:
    return Scene(clone(LARGEST), WARN)


def _case(name: str) -> Any:  # noqa: ANN401  a state
    return played(SECOND.cases[name], LARGEST, WARN)


def _told(state: Any) -> str:  # noqa: ANN401  a state
    found = root(state)
    return f"{found.cause.code} {found.where}" if found else ""


def test_a_missing_name_server_is_told_where_it_is_known_what_it_is_called() -> None:
    """In the tool's own clusters; elsewhere DNS may be run by anything, and a bundle may not hold the system at all."""
    state = _case("names-deleted")
    found = root(state)
    assert found is not None
    assert (found.where, found.mend) == ("kube-system/Deployment/coredns", "lab down && lab up 04")
    state["health"]["cluster"]["backend"] = "context"
    assert "TD-DNS-GONE" not in _told(state)
    scene = _scene()
    for each in list(scene.health["objects"]):
        if each["kind"] in ("Deployment", "Pod") and each["metadata"].get("namespace") in ("kube-system", "storage"):
            scene.health["objects"].remove(each)
    assert not _told(scene.state)


def test_a_taint_that_is_named_is_the_one() -> None:
    """A scheduler that names another taint than the node's is not about that one; one that names none may be."""
    state = _case("node-given-to-others")
    assert _told(state) == "TD-NODE-CLOSED Node/tarmac-control-plane"
    for each in state["health"]["objects"]:
        for seen in each["status"].get("conditions", []) if each["kind"] == "Pod" else []:
            if seen.get("reason") == "Unschedulable":
                seen["message"] = "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: true}."
    assert _told(state).startswith("TD-POD-NO-ROOM")


@pytest.mark.parametrize(
    ("ingress", "line", "cut"),
    [
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "data"}}}, "Kafka: timed out", True),
        ({"podSelector": {}}, "Kafka: timed out", True),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "other"}}}, "Kafka: timed out", True),
        ({"namespaceSelector": {}}, "Kafka: timed out", False),
        ({"namespaceSelector": {"matchLabels": {"team": "flights"}}}, "Kafka: timed out", False),
        ({"ipBlock": {"cidr": "10.244.0.0/16"}}, "Kafka: timed out", False),
        ({"podSelector": {}}, "Kafka: connection refused", False),
        ({"podSelector": {}}, "Redis: timed out", False),
    ],
)
def test_a_policy_is_blamed_by_whom_it_shuts_out(ingress: dict[str, Any], line: str, *, cut: bool) -> None:
    """By a client's words about this component, and only where no rule may let that client in."""
    scene = _scene()
    spec = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "kafka"}}, "ingress": [{"from": [ingress]}]}
    policy = {"kind": "NetworkPolicy", "metadata": {"name": "fence", "namespace": "platform"}, "spec": spec}
    scene.health["objects"].append(policy)
    scene.utter(acts.PRODUCER.place, scene.line("runtime.patience", line))
    assert _told(scene.state) == ("TD-POLICY-BLOCKED platform/NetworkPolicy/fence" if cut else "")


@pytest.mark.parametrize(
    ("egress", "cut"),
    [
        ([], True),
        ([{"ports": [{"port": 9092}]}], True),
        ([{"to": [{"podSelector": {}}]}], True),
        ([{"ports": [{"port": 53, "protocol": "UDP"}]}], False),
        ([{"to": [{"namespaceSelector": {}}]}], False),
        ([{"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}], False),
    ],
)
def test_a_policy_that_lets_no_question_for_names_out_is_blamed(egress: list[Any], *, cut: bool) -> None:
    """For names that are not resolved; where the way to the name server is open, those tell nothing of it."""
    state = _case("no-way-out")
    policy = next(each for each in state["health"]["objects"] if each["kind"] == "NetworkPolicy")
    policy["spec"]["egress"] = egress
    assert (_told(state) == "TD-POLICY-BLOCKED chain/NetworkPolicy/default-deny-egress") is cut


@pytest.mark.parametrize(
    ("words", "cut"),
    [
        ("DNS lookup failed for kafka.platform.svc:9092, gaierror(-3, 'Temporary failure in name resolution')", True),
        ("KafkaConnectionError('DNS Resolution failure')", True),
        ("gaierror(-2, 'Name or service not known')", False),
    ],
)
def test_a_name_server_that_answers_was_reached(words: str, *, cut: bool) -> None:
    """As the client of Kafka and the C library say that there was no answer; that a name is unknown is one."""
    scene = _scene()
    policy = {"kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "chain"}}
    scene.health["objects"].append({**policy, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}})
    scene.utter(acts.PRODUCER.place, words)
    assert _told(scene.state) == ("TD-POLICY-BLOCKED chain/NetworkPolicy/deny" if cut else "")


def test_only_claims_that_the_pod_mounts_are_named() -> None:
    """Another one of the namespace waits for its first pod: nobody is kept waiting by it."""
    state = _case("claim-asks-for-a-selector")
    waiting = {
        each["metadata"]["name"]
        for each in state["health"]["objects"]
        if each["kind"] == "PersistentVolumeClaim" and each["status"]["phase"] == "Pending"
    }
    assert {"objectstore", "postgres-dumps"} <= waiting
    assert _told(state) == "TD-CLAIM-PENDING data/PersistentVolumeClaim/objectstore"


@pytest.mark.parametrize(("producing", "told"), [("flight.arrived.v1", True), ("weather.read.v1", False)])
def test_a_view_is_stale_where_its_own_events_come(producing: str, *, told: bool) -> None:
    """At night no plane lands, and readings of the weather come all the same."""
    scene = _scene()
    scene.health["figures"]["produced"] = [{"labels": {"topic": producing}, "value": 2.0}]
    scene.figure("feature_staleness", "arrival_delay_by_origin", 4100)
    scene.figure("feature_staleness", "punctuality_30d_by_carrier", 40_000)
    assert _told(scene.state) == ("TD-FEATURES-STALE chain/View/arrival_delay_by_origin" if told else "")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("references non-existent secret key: password", "TD-SECRET-MISSING data/StatefulSet/redis"),
        ("references non-existent config key: redis.conf", "TD-SECRET-MISSING data/StatefulSet/redis"),
        ("failed to sync secret cache: timed out waiting for the condition", ""),
    ],
)
def test_a_key_that_a_volume_lacks_is_missing(message: str, told: str) -> None:
    """The kubelet has other words for a key than for the Secret; that it was slow is no such word."""
    scene = _scene()
    scene.fallen(
        acts.REDIS.place, scene.creating(("FailedMount", f'MountVolume.SetUp failed for volume "x" : {message}'))
    )
    assert (_told(scene.state) == told) if told else ("TD-SECRET-MISSING" not in _told(scene.state))


@pytest.mark.parametrize(("ago", "code"), [(15, "TD-PROBE-FAILING"), (HOUR, "TD-POD-CRASH")])
def test_a_slow_start_is_cut_by_a_probe_that_failed_while_it_ran(ago: float, code: str) -> None:
    """What the probe said in a life before ended nobody: then a signal came from elsewhere."""
    scene = _scene()
    scene.fallen(acts.MLFLOW.place, scene.crashes(code=137, restarts=8, backing_off=False))
    for pod in scene.pods(*acts.MLFLOW.place):
        name, message = pod["metadata"]["name"], "Startup probe failed: connection refused"
        scene.warn("Pod", "data", name, "Unhealthy", message, ago=ago)
    assert _told(scene.state) == f"{code} data/Deployment/mlflow"


def test_a_mistyped_password_is_nobodys_fault() -> None:
    """A few refusals by a database that stands; with a service of ours that says so too, or again and again, it is."""
    found = "TD-PASSWORD-WRONG data/StatefulSet/postgres"
    scene = _scene()
    scene.utter(acts.POSTGRES.place, _REFUSED.format("trainee"))
    assert not _told(scene.state)
    scene.utter(acts.MLFLOW.place, f"OperationalError: {_REFUSED.format('mlflow')[40:]}")
    assert "postgres" not in _told(scene.state)
    scene.utter(acts.POSTGRES.place, _REFUSED.format("mlflow"))
    assert _told(scene.state) == found
    again = _scene()
    again.utter(acts.POSTGRES.place, *(f"{number} {_REFUSED.format('mlflow')}" for number in range(6)))
    assert _told(again.state) == found


def test_a_route_that_nobody_takes_leads_nowhere() -> None:
    """Its Gateway is not there; where the controller does not stand, it would not have said anything of any route."""
    state = _case("route-of-a-misspelt-gateway")
    assert _told(state) == "TD-ROUTE-NOWHERE chain/HTTPRoute/serving"
    scene = Scene(state, WARN)
    scene.gone(acts.CONTROLLER.place, kept=True)
    assert _told(scene.state) == "TD-GATEWAY-GONE platform/Deployment/envoy-gateway"


def test_an_alert_of_tls_tells_of_an_expired_certificate() -> None:
    """The side that is refused hears a code, no sentence; it counts where that side is not ready."""
    assert _told(_case("client-certificate-over")).startswith("TD-CERTIFICATE-EXPIRED platform/Pod/gateway-")
    scene = _scene()
    scene.utter(acts.PROXY.place, "TLS_error:|268436501:SSL routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_EXPIRED")
    assert not _told(scene.state)


@pytest.mark.parametrize("name", STATES)
def test_healthy_states_stay_without_blame(name: str) -> None:
    """Every recorded one, as it is."""
    assert root(STATES[name]) is None
