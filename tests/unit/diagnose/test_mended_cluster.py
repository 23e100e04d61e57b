"""Rules that faults on a real cluster asked for: what each has to find, and what it has to pass over."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.diagnose.accuracy import healthy
from lab.diagnose.causes import root
from lab.diagnose.causes.chain import LAB
from lab.diagnose.faults import acts
from lab.diagnose.faults.healthy import clone
from lab.diagnose.faults.world import WARN, unboxed, undecided
from lab.spec import Course
from unit.diagnose.independent.scene import HOUR, Scene

ROOT = Path(__file__).resolve().parents[3]
STATES = {name: state for name, _, state in healthy(Course(ROOT, drafts=False))}
LARGEST = STATES["04 solved"]
_CLAIM = "more"
_NOT_FOUND = 'failed to provision volume with StorageClass "standard": no space left'


def _told(scene: Scene) -> str:
    found = root(scene.state)
    return f"{found.cause.code} {found.where}" if found else ""


@pytest.fixture
def waiting() -> Scene:
    """Return a state in which the scheduler waits for the volume of a claim that Jaeger's pod mounts."""
    scene = Scene(clone(LARGEST), WARN)
    template = scene.workload(*acts.JAEGER.place)["spec"]["template"]
    template["spec"].setdefault("volumes", []).append({"name": _CLAIM, "persistentVolumeClaim": {"claimName": _CLAIM}})
    scene.claim(acts.JAEGER.namespace, _CLAIM)
    for pod in scene.pods(*acts.JAEGER.place):
        undecided(pod)
    return scene


class TestAClaimThatTheSchedulerWaitsFor:
    """With a storage class the scheduler finds a node first, and waits ten minutes for the volume without a word."""

    def test_is_blamed_on_the_provisioner_that_is_gone(self, waiting: Scene) -> None:
        """Whoever makes volumes is told, not the claim."""
        waiting.gone(acts.PROVISIONER.place, kept=True)
        assert _told(waiting) == "TD-PROVISIONER-GONE storage/Deployment/volume-provisioner"

    def test_may_be_met_in_a_moment(self, waiting: Scene) -> None:
        """While whoever makes volumes runs, and says nothing."""
        assert "CLAIM" not in _told(waiting)
        assert "PROVISIONER" not in _told(waiting)

    def test_is_told_once_it_is_refused(self, waiting: Scene) -> None:
        """In the words of whoever refuses it."""
        waiting.warn("PersistentVolumeClaim", acts.JAEGER.namespace, _CLAIM, "ProvisioningFailed", _NOT_FOUND)
        assert _told(waiting) == f"TD-CLAIM-PENDING {acts.JAEGER.namespace}/PersistentVolumeClaim/{_CLAIM}"

    def test_of_another_pod_is_no_reason(self, waiting: Scene) -> None:
        """A claim that nobody mounts waits for its first pod."""
        template = waiting.workload(*acts.JAEGER.place)["spec"]["template"]
        template["spec"]["volumes"] = []
        waiting.gone(acts.PROVISIONER.place, kept=True)
        assert "PROVISIONER" not in _told(waiting)


@pytest.mark.parametrize(("seconds", "blamed"), [(20, False), (90, True)])
def test_a_new_prometheus_may_not_have_found_all_pods(seconds: float, *, blamed: bool) -> None:
    """A pod that is no target of it is told after a minute."""
    scene = Scene(clone(LARGEST), WARN)
    _begun(scene, seconds)
    names = {pod["metadata"]["name"] for pod in scene.pods(*acts.FEATURE.place)}
    scene.health["targets"] = [each for each in scene.health["targets"] if each.get("pod") not in names]
    assert ("TD-SCRAPE-MISSING" in _told(scene)) is blamed


@pytest.mark.parametrize(("seconds", "blamed"), [(90, False), (HOUR, True)])
def test_a_new_prometheus_has_no_increase_yet(seconds: float, *, blamed: bool) -> None:
    """What grew in five minutes takes two samples in them."""
    scene = Scene(clone(LARGEST), WARN)
    _begun(scene, seconds)
    scene.health["figures"]["redis_refused"] = []
    assert ("TD-SCRAPE-MISSING" in _told(scene)) is blamed


@pytest.mark.parametrize(("seconds", "told"), [(10, ""), (60, "TD-POD-SANDBOX")])
def test_a_node_may_try_again_to_make_a_sandbox(seconds: float, told: str) -> None:
    """It often succeeds at the second try."""
    scene = Scene(clone(LARGEST), WARN)

    def young(pod: dict[str, dict[str, object]]) -> None:
        unboxed("no IP addresses available")(pod)
        pod["status"]["startTime"] = scene.at(seconds)

    scene.rolled(acts.WATCH.place, young)
    assert _told(scene).partition(" ")[0] == told


def test_what_a_sandbox_lacked_once_is_no_cause(waiting: Scene) -> None:
    """The kubelet's warning stays for an hour; the pod has its containers."""
    (pod,) = waiting.pods(*acts.WATCH.place)
    waiting.warn("Pod", acts.WATCH.namespace, pod["metadata"]["name"], "FailedCreatePodSandBox", "OOM-killed")
    assert "lake-watch" not in _told(waiting)


def test_a_pod_of_the_lab_may_be_wrong_in_a_trainees_files() -> None:
    """What is applied again is the trainee's own: where that does not converge, the start is put back."""
    scene = Scene(clone(LARGEST), WARN)
    scene.fallen(next(iter(scene.parts(LAB))), scene.crashes("ImportError: harmonic", restarts=5))
    found = root(scene.state)
    assert found
    assert (found.cause.code, found.mend) == ("TD-POD-CRASH", "lab up 04 || lab reset 04")


@pytest.mark.parametrize(("bucket", "mend"), [("lake", "lab reset 04"), ("lakes", "lab up 04")])
def test_a_bucket_that_was_deleted_is_not_one_that_was_misspelt(bucket: str, mend: str) -> None:
    """What was in it comes back with the start only."""
    scene = Scene(clone(LARGEST), WARN)
    told = f"<Error><Code>NoSuchBucket</Code><BucketName>{bucket}</BucketName></Error>"
    scene.utter(acts.BRONZE.place, scene.line("ingest.bronze.writer", "the lake does not take events", cause=told))
    found = root(scene.state)
    assert found
    assert (found.cause.code, found.mend) == ("TD-BUCKET-MISSING", mend)


def _begun(scene: Scene, seconds: float) -> None:
    for pod in scene.pods(*acts.PROMETHEUS.place):
        pod["status"]["startTime"] = scene.at(seconds)


class TestFeaturesAheadOfTheEvents:
    """After its topics were lost the replay begins anew; the online store keeps what is newer."""

    def test_are_told_while_all_that_comes_is_older(self) -> None:
        """A reset takes both back; another `lab up` would not."""
        found = root(_offered(older=640, unwritten=95).state)
        assert found is not None
        assert (found.cause.code, found.mend) == ("TD-FEATURES-AHEAD", "lab reset 04")

    def test_are_no_cause_while_a_topic_is_read_once_more(self) -> None:
        """Old rows are offered again, and new ones after them."""
        assert not _told(_offered(older=40_000, unwritten=3))

    def test_are_no_cause_while_nothing_comes(self) -> None:
        """A replay that rests leaves every view as it was."""
        assert not _told(_offered(older=0, unwritten=95))


def _offered(older: float, unwritten: float) -> Scene:
    scene = Scene(clone(LARGEST), WARN)
    ages = {
        "weather_by_origin": unwritten + 10,
        "departure_delay_by_origin": unwritten,
        "punctuality_30d_by_carrier": 1.0,
    }
    scene.health["figures"] |= {
        "rows_older": [{"labels": {}, "value": older}],
        "feature_staleness": [{"labels": {"view": view}, "value": age} for view, age in ages.items()],
    }
    return scene
