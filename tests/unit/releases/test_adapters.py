"""The doors to Kubernetes, Prometheus and MLflow: what goes over the wire, and what comes of what comes back."""

from pathlib import Path
from typing import Any

import pytest

from contracts.units import unit
from releases import machine
from releases.errors import ApiFailure, Conflict, NoAccount, NoMetrics, NoRegistry
from releases.kube import Kube
from releases.prometheus import Prometheus
from releases.registry import Registry
from releases.route import ANNOTATION, Held, Route
from releases.rules import COPIED, weighed
from releases.samples import Histogram, Moments, Share
from releases.settings import ReleaseSettings
from releases.state import Weigh
from releases.statistics.experiment import assigned, dealt
from runtime.errors import BadSetting
from unit.patterns.servers import Reply, nobody, serving
from unit.releases.cluster import HEADER, RULES, UNIT
from unit.releases.gateways import passed
from unit.releases.worlds import plan

PLAN = plan()


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A service account as Kubernetes mounts it."""
    (tmp_path / "token").write_text("first\n")
    return tmp_path


class TestRules:
    """Rules of a route, made from those that are there."""

    def test_weights_are_split_between_the_services(self) -> None:
        """The rule that leads to the stable Service gets both; other rules stay as they are."""
        ours, other = weighed(RULES, PLAN, Weigh(25), HEADER)
        assert [(ref["name"], ref["weight"]) for ref in ours["backendRefs"]] == [
            ("serving-stable", 75),
            ("serving-canary", 25),
        ]
        assert other == RULES[1]

    def test_a_mirror_is_a_filter(self) -> None:
        """A shadow gets copies: all answers come from the stable Service."""
        ours, _ = weighed(RULES, PLAN, Weigh(0, "mirror"), HEADER)
        assert [ref["weight"] for ref in ours["backendRefs"]] == [100, 0]
        marked, mirror = ours["filters"]
        assert mirror["requestMirror"]["backendRef"]["name"] == "serving-canary"
        assert marked["requestHeaderModifier"] == {"set": [{"name": COPIED, "value": "serving-canary"}]}

    def test_headers_that_a_rule_changes_already_stay(self) -> None:
        """Gateway API takes one such filter in a rule: the copies' header goes into it, and comes out of it alone."""
        own = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-own", "value": "1"}]}}
        rules = [{**RULES[0], "filters": [own]}, *RULES[1:]]
        copied = weighed(rules, PLAN, Weigh(0, "mirror"), HEADER)
        (marked,) = [each for each in copied[0]["filters"] if each["type"] == "RequestHeaderModifier"]
        assert [each["name"] for each in marked["requestHeaderModifier"]["set"]] == ["x-own", COPIED]
        assert weighed(copied, PLAN, Weigh(10), HEADER)[0]["filters"] == [own]

    def test_b_is_asked_for_by_a_header(self) -> None:
        """A rule with one more condition leads to the canary; the plain one leads to the stable Service alone."""
        asked, plain, _ = weighed(RULES, PLAN, Weigh(0, "header"), HEADER)
        assert asked["matches"][0]["headers"] == [{"type": "Exact", "name": HEADER, "value": "b"}]
        assert asked["matches"][0]["path"] == RULES[0]["matches"][0]["path"]
        assert [ref["weight"] for ref in asked["backendRefs"]] == [0, 1]
        assert [ref["weight"] for ref in plain["backendRefs"]] == [100, 0]

    @pytest.mark.parametrize("route", [Weigh(25), Weigh(0, "mirror"), Weigh(0, "header")])
    def test_backends_have_no_filters(self, route: Weigh) -> None:
        """The gateway would make a cluster of its own for each that has any."""
        *made, _ = weighed(RULES, PLAN, route, HEADER)
        for rule in made:
            assert [ref["name"] for ref in rule["backendRefs"]] == ["serving-stable", "serving-canary"]
            assert not any("filters" in ref for ref in rule["backendRefs"])

    def test_units_are_dealt_by_the_route(self) -> None:
        """Whoever's unit matches gets B as well as those who ask for it, and servers are told who got what."""
        drawn = {"type": "RegularExpression", "name": UNIT, "value": dealt("autumn", 0.25)}
        rules = weighed(RULES, PLAN, Weigh(0, "header"), HEADER, drawn)
        for number in range(200):
            who, wanted = str(number), "b" if assigned(str(number), "autumn", 0.25) else "a"
            sent = passed(rules, "/v2/models", {UNIT: unit(who)})
            assert sent.service == ("serving-canary" if wanted == "b" else "serving-stable")
            assert sent.headers[HEADER] == wanted
        assert passed(rules, "/v2", {HEADER: "b"}).service == "serving-canary"
        for unknown in ({}, {UNIT: "N14228"}, {UNIT: unit("1").upper()}):
            assert passed(rules, "/v2", unknown) == ("serving-stable", {**unknown, HEADER: "a"})
        assert passed(rules, "/features", {HEADER: "b"}) == ("feature", {HEADER: "b"})
        assert weighed(rules, PLAN, Weigh(10), HEADER) == weighed(RULES, PLAN, Weigh(10), HEADER)

    @pytest.mark.parametrize("first", [Weigh(50), Weigh(0, "mirror"), Weigh(0, "header")])
    @pytest.mark.parametrize("then", [Weigh(), Weigh(10), Weigh(0, "mirror"), Weigh(0, "header")])
    def test_nothing_is_left_of_what_was_before(self, first: Weigh, then: Weigh) -> None:
        """Rules do not depend on the rules before them, and the same again changes nothing."""
        wanted = weighed(RULES, PLAN, then, HEADER)
        assert weighed(weighed(RULES, PLAN, first, HEADER), PLAN, then, HEADER) == wanted
        assert weighed(wanted, PLAN, then, HEADER) == wanted

    def test_a_route_that_leads_elsewhere_is_refused(self) -> None:
        """No rule leads to the stable Service: the message names it."""
        with pytest.raises(ApiFailure, match=r"Service serving-stable - .*backendRefs"):
            weighed(RULES[1:], PLAN, Weigh(10), HEADER)


class TestKubernetes:
    """The API."""

    def test_a_patch_holds_for_one_version(self, account: Path) -> None:
        """One merge patch holds weights, state and the resourceVersion, with the token of the moment."""

        def api(*_: object) -> Reply:
            return 200, {"metadata": {"resourceVersion": "8"}, "spec": {"rules": RULES}}

        with serving(api) as server:
            state, _ = machine.start(PLAN, 1000.0)
            route = Route(Kube(server.address, account, "chain"), "serving", HEADER, UNIT)
            (account / "token").write_text("second\n")
            held = route.write(Held(None, "7", "u", RULES), state)
            assert held.version == "8"
            ((method, path, body),) = server.calls
            assert (method, path) == (
                "PATCH",
                "/apis/gateway.networking.k8s.io/v1/namespaces/chain/httproutes/serving?fieldManager=release-controller",
            )
            assert body["metadata"]["resourceVersion"] == "7"
            assert ANNOTATION in body["metadata"]["annotations"]
            assert body["spec"]["rules"] == weighed(RULES, PLAN, Weigh(), HEADER)
            headers = {name.lower(): value for name, value in server.headers[0].items()}
            assert headers["authorization"] == "Bearer second"
            assert headers["content-type"] == "application/merge-patch+json"

    @pytest.mark.parametrize(
        ("status", "kind", "words"),
        [
            (409, Conflict, "read it again"),
            (403, ApiFailure, "Role"),
            (404, ApiFailure, "404"),
            (500, ApiFailure, "500"),
        ],
    )
    def test_refusals_are_told_apart(self, account: Path, status: int, kind: type[ApiFailure], words: str) -> None:
        """Second come, not allowed, and not well: each its own remedy."""
        with serving(lambda *_: (status, {})) as server, pytest.raises(kind, match=words):
            Kube(server.address, account, "chain").patch("/x", {})

    def test_an_annotation_that_is_no_state_says_what_to_do(self, account: Path) -> None:
        """Somebody edited it: the message names the annotation and how to be rid of it."""
        body = {"metadata": {"resourceVersion": "1", "annotations": {ANNOTATION: "{}"}}, "spec": {"rules": RULES}}
        with serving(lambda *_: (200, body)) as server, pytest.raises(ApiFailure, match="remove the annotation"):
            Route(Kube(server.address, account, "chain"), "serving", HEADER, UNIT).read()

    def test_nobody_there_is_a_failure_for_a_while(self, account: Path) -> None:
        """No API at the address: ApiFailure."""
        with nobody() as address, pytest.raises(ApiFailure):
            Kube(address, account, "chain").get("/x")

    def test_without_an_account_it_says_what_to_give_the_pod(self, tmp_path: Path) -> None:
        """No token mounted: a permanent failure that names the fields of the pod."""
        with pytest.raises(NoAccount, match="serviceAccountName"):
            Kube("http://127.0.0.1:1", tmp_path / "nothing", "chain")


def prometheus(before: dict[str, float], now: dict[str, float]) -> Any:  # noqa: ANN401  the fake's signature
    """A Prometheus that knows these series of each version at 100 s and at 115 s; a name is `metric|label=value`."""

    def answer(_: str, path: str, __: object) -> Reply:
        series = before if "time=100.000" in path else now
        side = "canary" if "canary" in path else "stable"
        result = [
            {"metric": _labels(name.removeprefix(f"{side}/")), "value": [0, str(value)]}
            for name, value in series.items()
            if name.startswith(f"{side}/")
        ]
        return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}

    return answer


def _labels(name: str) -> dict[str, str]:
    metric, *labels = name.split("|")
    return {"__name__": metric, **dict(label.split("=", 1) for label in labels)}


REQUESTS = "serving_requests_total|pod=a|status"
BUCKET = "serving_request_duration_seconds_bucket|pod"


class TestPrometheus:
    """Counters between two instants."""

    def observed(self, before: dict[str, float], now: dict[str, float], failed: str = "5xx,422") -> Any:  # noqa: ANN401
        """What is seen of both versions: an observation."""
        with serving(prometheus(before, now)) as server:
            return Prometheus(ReleaseSettings(prometheus=server.address, failed=failed)).observe(PLAN, 100, 115)

    def test_counters_are_subtracted_series_by_series(self) -> None:
        """A series that is new counts whole, and one that began again counts from 0."""
        before = {f"stable/{REQUESTS}=200": 100.0, f"stable/{REQUESTS}=500": 50.0}
        now = {
            f"stable/{REQUESTS}=200": 160.0,
            f"stable/{REQUESTS}=500": 5.0,
            f"canary/{REQUESTS}=200": 18.0,
            f"canary/{REQUESTS}=503": 2.0,
        }
        seen = self.observed(before, now)
        assert seen.stable.answers == Share(5, 65)
        assert seen.canary.answers == Share(2, 20)
        assert seen.missing == ""

    def test_a_version_that_fails_on_values_fails(self) -> None:
        """422 counts as an error, as 5xx do: it is what serving says of a version that cannot compute or be loaded.

        Other 4xx are the caller's own, and a setting says otherwise where that is wanted.
        """
        base = {f"{side}/{REQUESTS}={status}": 0.0 for side in ("stable", "canary") for status in (200, 422, 404, 503)}
        now = dict(zip(base, (90.0, 3.0, 5.0, 2.0, 10.0, 7.0, 1.0, 2.0), strict=True))
        seen = self.observed(base, now)
        assert (seen.stable.answers, seen.canary.answers) == (Share(5, 100), Share(9, 20))
        assert self.observed(base, now, failed="5xx").canary.answers == Share(2, 20)
        assert self.observed(base, now, failed="4xx, 503").canary.answers == Share(10, 20)

    @pytest.mark.parametrize("text", ["", "5", "5xx,", "6xx", "all", "5XX", "42x"])
    def test_what_is_no_status_is_refused_at_once(self, text: str) -> None:
        """With variable and remedy, before anything is asked."""
        with pytest.raises(BadSetting, match="TARMAC_FAILED"):
            Prometheus(ReleaseSettings(failed=text))

    def test_no_data_is_not_zero(self) -> None:
        """A version without series is missing; one whose series stand still had no requests."""
        still = {f"stable/{REQUESTS}=200": 100.0}
        seen = self.observed(still, still)
        assert seen.canary is None
        assert seen.stable.answers == Share(0, 0)
        assert seen.missing == "Prometheus has no serving_requests_total of the canary"

    def test_a_stable_version_that_was_not_seen_before_is_missing(self) -> None:
        """After an outage of Prometheus everything the stable version ever did is not counted as done since."""
        seen = self.observed({}, {f"stable/{REQUESTS}=200": 1e6, f"canary/{REQUESTS}=200": 9.0})
        assert seen.stable is None

    def test_buckets_of_several_pods_are_put_together(self) -> None:
        """Cumulative buckets of two pods become counts in each bucket."""
        base = {f"stable/{REQUESTS}=200": 1.0}
        pods = {
            f"stable/{BUCKET}={pod}|le={bound}": value
            for pod in "ab"
            for bound, value in (("0.1", 3.0), ("0.5", 5.0), ("+Inf", 6.0))
        }
        seen = self.observed(base, {**base, **pods})
        assert seen.stable.latency == Histogram((0.1, 0.5), (6, 4, 2))
        assert seen.stable.outputs is None

    def test_differences_may_be_below_zero(self) -> None:
        """What is above and what is below 0 are counted apart, because a counter only grows."""
        base = {f"stable/{REQUESTS}=200": 1.0, f"canary/{REQUESTS}=200": 1.0}
        told = {"values": 10.0, "above": 3.0, "below": 8.0, "squares": 20.0}
        pairs = {f"canary/serving_label_difference_{name}_total": value for name, value in told.items()}
        assert self.observed(base, {**base, **pairs}).pairs == Moments(10, -5.0, 20.0)

    @pytest.mark.parametrize(
        "reply",
        [(503, "away"), (400, {"status": "error", "error": "parse error"}), (200, "<html>"), (200, [])],
    )
    def test_what_cannot_be_read_is_no_metrics(self, reply: Reply) -> None:
        """No JSON, an error, another program at that address: NoMetrics, never zeros."""
        with serving(lambda *_: reply) as server, pytest.raises(NoMetrics):
            Prometheus(ReleaseSettings(prometheus=server.address)).observe(PLAN, 100, 115)

    def test_nobody_there_is_no_metrics(self) -> None:
        """No Prometheus at the address: NoMetrics."""
        with nobody() as address, pytest.raises(NoMetrics):
            Prometheus(ReleaseSettings(prometheus=address)).observe(PLAN, 100, 115)


class TestRegistry:
    """MLflow."""

    def test_an_alias_is_pointed_to_a_version(self) -> None:
        """One POST of MLflow's own REST interface."""
        with serving(lambda *_: (200, {})) as server:
            Registry(server.address).point("delay-boosting", "champion", "7")
            body = {"name": "delay-boosting", "alias": "champion", "version": "7"}
            assert server.calls == [("POST", "/api/2.0/mlflow/registered-models/alias", body)]

    def test_a_version_that_is_not_there_is_told(self) -> None:
        """MLflow's own words are in the message."""
        refusal = {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        with serving(lambda *_: (404, refusal)) as server, pytest.raises(NoRegistry, match="RESOURCE_DOES_NOT_EXIST"):
            Registry(server.address).point("delay-boosting", "champion", "99")

    def test_nobody_there_is_a_failure_for_a_while(self) -> None:
        """No MLflow at the address: NoRegistry."""
        with nobody() as address, pytest.raises(NoRegistry):
            Registry(address).point("delay-boosting", "champion", "7")
