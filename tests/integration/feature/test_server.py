"""The service over HTTP: Feast's answers, Feast's remote client, and every wrong request told what is wrong with it."""

import datetime as dt
import json
import socket
import time
from pathlib import Path
from typing import Any

import feast
import feast.errors
import pandas as pd
import pytest

from contracts import layout
from contracts.online import Row, Writer
from integration.feature import samples
from integration.feature.processes import PASSWORD, SAMPLES, Service, sdk

SECOND = 10**9
NOW = layout.nanos_of(dt.datetime(2013, 6, 1, tzinfo=dt.UTC))
FULL = ("text", 2**63 - 1, -7, 0.5, 0.25, True, b"\x01", 1_357_000_000)
FEATURES = [f"texts:s_{kind}" for kind in samples.KINDS]


@pytest.fixture
def filled(writer: Writer) -> Writer:
    """Fill every view for the name `a` and the number 1."""
    writer.write(
        [
            Row("texts", {"name": "a"}, NOW, FULL),
            Row("more", {"name": "a"}, NOW, [5]),
            Row("numbers", {"number": 1}, NOW, [1.5, "x"]),
            Row("pairs", {"number": 1, "name": "a"}, NOW, [9]),
        ]
    )
    return writer


@pytest.fixture
def remote(registry_file: Path, service: Service) -> feast.FeatureStore:
    """Return Feast's SDK with its own remote online store, pointed at our service."""
    store: feast.FeatureStore = sdk(registry_file, {"type": "remote", "path": service.address})
    return store


def statuses(answer: dict[str, Any], name: str) -> list[str]:
    """Return the statuses of a feature."""
    place = answer["metadata"]["feature_names"].index(name)
    return list(answer["results"][place]["statuses"])


def values(answer: dict[str, Any], name: str) -> list[Any]:
    """Return the values of a feature."""
    place = answer["metadata"]["feature_names"].index(name)
    return list(answer["results"][place]["values"])


class TestFeastsRemoteClient:
    """Feast's own client, unchanged, gets from us what its Redis client gets itself."""

    ROWS = ({"name": "a", "number": 1}, {"name": "b", "number": 1}, {"name": "a", "number": 2})

    @pytest.mark.usefixtures("filled")
    def test_a_feature_service_reads_the_same(self, direct: feast.FeatureStore, remote: feast.FeatureStore) -> None:
        """Every column of every view, present and missing."""
        rows = [dict(row) for row in self.ROWS]
        mine = remote.get_online_features(remote.get_feature_service("all_v1"), rows).to_dict()
        theirs = direct.get_online_features(direct.get_feature_service("all_v1"), rows).to_dict()
        theirs["s_bytes"] = ["AQ==" if each else None for each in theirs["s_bytes"]]  # as JSON carries them, for both
        theirs["s_unix_timestamp"] = [each and int(each.timestamp()) for each in theirs["s_unix_timestamp"]]
        assert mine == theirs

    @pytest.mark.usefixtures("filled")
    def test_single_features_read_the_same(self, direct: feast.FeatureStore, remote: feast.FeatureStore) -> None:
        """By reference, with long names as well."""
        wanted, row = ["texts:s_float64", "numbers:n_string", "pairs:p_int64"], [{"name": "a", "number": 1}]
        for full in (False, True):
            mine = remote.get_online_features(wanted, row, full_feature_names=full).to_dict()
            assert mine == direct.get_online_features(wanted, row, full_feature_names=full).to_dict()

    @pytest.mark.usefixtures("filled")
    def test_a_computed_feature_reads_the_same(self, direct: feast.FeatureStore, remote: feast.FeatureStore) -> None:
        """Feast runs the function from its registry, we run it from the definitions."""
        rows = [{"name": "a", "amount": 3.0}]
        mine = remote.get_online_features(remote.get_feature_service("computed_v1"), rows).to_dict()
        assert mine == direct.get_online_features(direct.get_feature_service("computed_v1"), rows).to_dict()
        assert mine["doubled"] == [3.0]

    def test_what_it_writes_is_read(self, remote: feast.FeatureStore, direct: feast.FeatureStore) -> None:
        """`write_to_online_store` and `push` through us, read through Redis by Feast."""
        instant = dt.datetime(2013, 6, 1, tzinfo=dt.UTC)
        frame = pd.DataFrame({"name": ["n"], "m_int64": [2**62], "event_timestamp": [instant]})
        remote.write_to_online_store("more", df=frame)
        assert direct.get_online_features(["more:m_int64"], [{"name": "n"}]).to_dict()["m_int64"] == [2**62]
        remote.push("more_push", frame.assign(m_int64=[3], event_timestamp=[instant + dt.timedelta(seconds=1)]))
        assert direct.get_online_features(["more:m_int64"], [{"name": "n"}]).to_dict()["m_int64"] == [3]

    def test_our_errors_are_its_exceptions(self, remote: feast.FeatureStore) -> None:
        """A service that its registry knows and ours does not: the exception that Feast's own server would raise."""
        unknown = feast.FeatureService(name="nobody", features=[])
        with pytest.raises(feast.errors.FeatureServiceNotFoundException, match="no feature service nobody"):
            remote._get_provider().get_online_features(
                config=remote.config, features=unknown, entity_rows={"name": ["a"]}, registry=remote.registry,
                project=samples.PROJECT,
            )  # fmt: skip


class TestStatuses:
    """What is missing, null or out of date is said so."""

    def test_each_has_its_name(self, writer: Writer, fresh: Service) -> None:
        """PRESENT, NULL_VALUE, NOT_FOUND and OUTSIDE_MAX_AGE, with the value that is there."""
        nulls = [None] * len(samples.KINDS)
        writer.write(
            [
                Row("texts", {"name": "new"}, NOW, FULL),
                Row("texts", {"name": "null"}, NOW, nulls),
                Row("texts", {"name": "old"}, NOW - 3601 * SECOND, FULL),
                Row("texts", {"name": "edge"}, NOW - 3600 * SECOND, FULL),
            ]
        )
        time.sleep(1.5)  # the service looks at the store's clock once a second
        names = ["new", "null", "old", "edge", "none", "new"]
        status, answer = fresh.ask(entities={"name": names}, features=FEATURES)
        assert status == 200
        for kind in samples.KINDS:
            expected = ["PRESENT", "NULL_VALUE", "OUTSIDE_MAX_AGE", "PRESENT", "NOT_FOUND", "PRESENT"]
            assert statuses(answer, f"s_{kind}") == expected
        assert values(answer, "s_int64") == [2**63 - 1, None, 2**63 - 1, 2**63 - 1, None, 2**63 - 1]
        told = fresh.text("/metrics")
        for line in ('rows_read_total{view="texts"} 6.0', 'rows_missing_total{view="texts"} 1.0'):
            assert f"feature_{line}" in told
        assert 'feature_rows_outside_max_age_total{view="texts"} 1.0' in told
        assert 'feature_staleness_seconds{view="texts"}' in told
        assert 'feature_read_duration_seconds_count{view="texts"} 1.0' in told

    @pytest.mark.usefixtures("filled")
    def test_as_feast_says_it_over_redis(self, redis_port: int) -> None:
        """On request, PRESENT for all: what Feast's own server says, null and missing alike."""
        env = {"redis": f"127.0.0.1:{redis_port}", "redis_password": PASSWORD, "definitions": SAMPLES}
        plain = Service({**env, "statuses": "feast"})
        plain.wait()
        _, answer = plain.ask(entities={"name": ["a", "none"]}, features=["more:m_int64"])
        assert (statuses(answer, "m_int64"), values(answer, "m_int64")) == (["PRESENT"] * 2, [5, None])
        assert plain.stop() == 0


class TestWrongRequests:
    """Each is told which view, entity or feature is wrong, and what to do."""

    @pytest.mark.parametrize(
        ("body", "status", "words"),
        [
            (
                {"entities": {"name": ["a"]}, "feature_service": "none"},
                404,
                "no feature service none; known are all_v1",
            ),
            ({"entities": {"name": ["a"]}, "features": ["none:x"]}, 404, "feature none:x: no feature view none"),
            (
                {"entities": {"name": ["a"]}, "features": ["more:x"]},
                404,
                "no feature of view more x; known are m_int64",
            ),
            ({"entities": {"name": ["a"]}, "features": ["more"]}, 404, "feature more"),
            ({"entities": {"number": [1]}, "features": ["more:m_int64"]}, 422, "entity name is missing; views more"),
            ({"entities": {"name": ["a", 1]}, "features": ["more:m_int64"]}, 422, "entity name, row 1: 1 is no string"),
            ({"entities": {"name": [None]}, "features": ["more:m_int64"]}, 422, "entity name, row 0: None"),
            ({"entities": {"number": ["1"]}, "features": ["numbers:n_string"]}, 422, "entity number: '1' is no whole"),
            ({"entities": {"number": [2**63]}, "features": ["numbers:n_string"]}, 422, "does not fit into 64 bits"),
            ({"entities": {"number": [1.5]}, "features": ["numbers:n_string"]}, 422, "1.5 is no whole number"),
            ({"entities": {"name": ["a"]}}, 422, "neither a feature_service nor features"),
            ({"entities": {"name": ["a"]}, "features": []}, 422, "neither a feature_service nor features"),
            ({"entities": {"name": []}, "features": ["more:m_int64"]}, 422, "entities are empty"),
            ({"entities": {}, "features": ["more:m_int64"]}, 422, "entities are empty"),
            ({"entities": {"name": ["a"], "number": [1, 2]}, "features": ["pairs:p_int64"]}, 422, "name 1, number 2"),
            ({"entities": {"name": ["a"]}, "features": ["more:m_int64"] * 2}, 422, "share a name"),
            ({"entities": {"name": ["a"]}, "feature_service": "computed_v1"}, 422, "input amount is missing"),
            (
                {"entities": {"name": ["a"], "amount": ["3"]}, "feature_service": "computed_v1"},
                422,
                "input amount, row 0: '3' is no float64",
            ),
            ({"entities": "name", "features": []}, 422, "request: Expected `object`, got `str` - at `$.entities`"),
            ({"features": ["more:m_int64"]}, 422, "missing required field `entities`"),
        ],
    )
    def test_a_read(self, service: Service, body: dict[str, Any], status: int, words: str) -> None:
        """Unknown names are 404, wrong values 422; the message names them."""
        found, told = service.ask(**body)
        assert (found, words in told["message"]) == (status, True), told
        assert told["module"] == "feast.errors"
        assert hasattr(feast.errors, told["class"])
        assert told["remedy"]

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"", "no JSON"),
            (b'{"entities": {"number": [NaN]}}', "NaN and Infinity are none, write null instead"),
            (b'{"entities": {"name": ["\xff"]}}', "no JSON"),
            (b'{"entities": {"name": ["\\ud800"]}, "features": ["more:m_int64"]}', ""),
        ],
    )
    def test_what_is_no_json(self, service: Service, data: bytes, words: str) -> None:
        """Told so, with the position."""
        status, told = service.post("/get-online-features", data)
        assert (status, words in told["message"]) == (422, True), told

    @pytest.mark.parametrize(
        ("change", "status", "words"),
        [
            ({"push_source_name": "none"}, 404, "no push source none"),
            ({"to": "offline"}, 501, "the lake is written by ingest"),
            ({"df": {"name": ["a"], "m_int64": [1]}}, 422, "column event_timestamp is missing"),
            ({"m_int64": ["1"]}, 422, "feature more:m_int64, row 0: '1' is no whole number"),
            ({"m_int64": ["NaN"]}, 422, "feature more:m_int64, row 0: 'NaN' is no whole number"),
            ({"m_int64": [1, 2]}, 422, "columns have different lengths"),
            ({"m_int46": [1]}, 422, "has no column m_int46 - did you mean m_int64?"),
            ({"name": [None]}, 422, "view more, entity name"),
            ({"event_timestamp": ["yesterday"]}, 422, "event_timestamp, row 0: 'yesterday' is no instant"),
        ],
    )
    def test_a_push(self, service: Service, change: dict[str, Any], status: int, words: str) -> None:
        """Nothing is written where one value is wrong."""
        body: dict[str, Any] = {"push_source_name": "more_push"}
        frame = {"name": ["a"], "m_int64": [1], "event_timestamp": ["2013-01-01T00:00:00Z"]}
        top = {name: value for name, value in change.items() if name in ("push_source_name", "to", "df")}
        rest = {name: value for name, value in change.items() if name not in top}
        found, told = service.post("/push", {**body, "df": {**frame, **rest}, **top})
        assert (found, words in told["message"]) == (status, True), told
        _, answer = service.ask(entities={"name": ["a"]}, features=["more:m_int64"])
        assert statuses(answer, "m_int64") == ["NOT_FOUND"]

    @pytest.mark.usefixtures("filled")
    def test_a_late_push_is_taken_and_changes_nothing(self, fresh: Service) -> None:
        """As Feast answers it: done; the figures tell that it was late."""
        frame = {"name": ["a"], "m_int64": [1], "event_timestamp": ["2013-01-01T00:00:00"]}
        assert fresh.post("/push", {"push_source_name": "more_push", "df": frame}) == (200, None)
        _, answer = fresh.ask(entities={"name": ["a"]}, features=["more:m_int64"])
        assert values(answer, "m_int64") == [5]
        assert 'feature_rows_written_total{outcome="stale",view="more"} 1.0' in fresh.text("/metrics")

    def test_a_body_without_end_is_refused_early(self, service: Service) -> None:
        """More than 10 MB: 413 from the header alone, nothing of it read; a body that only turns out so as well."""
        with socket.create_connection(("127.0.0.1", service.port), 5) as line:
            line.sendall(b"POST /push HTTP/1.1\r\nhost: x\r\ncontent-length: 10000001\r\n\r\n")
            assert line.recv(4096).startswith(b"HTTP/1.1 413")
        status, told = service.post("/get-online-features", b" " * 20_000_000)
        assert status == 413
        assert "10000000 are the limit" in told["message"]
        assert service.status("/livez") == 200

    @pytest.mark.parametrize("path", ["/get-online-features", "/push"])
    def test_json_of_250_000_levels_is_no_request(self, service: Service, path: str) -> None:
        """It is refused as any body that cannot be read, wherever in the request the levels stand."""
        for body in (b"[" * 250_000, b'{"entities": {"name": [' + b"[" * 250_000 + b"]" * 250_000 + b"]}}"):
            status, told = service.post(path, body)
            assert status == 422, told
        assert service.status("/livez") == 200

    def test_other_paths_and_methods(self, service: Service) -> None:
        """Told what there is."""
        assert service.status("/get-online-features") == 405
        assert service.status("/nothing") == 404
        status, told = service.post("/materialize-incremental", {"end_ts": "2013-01-01"})
        assert (status, "python -m lake build" in told["message"]) == (501, True)


def test_many_callers_get_their_own_answers(filled: Writer, service: Service) -> None:
    """Questions share one connection to Redis; no answer ever reaches another caller."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  only here

    names = [f"n{number}" for number in range(200)]
    filled.write([Row("more", {"name": name}, NOW, [n]) for n, name in enumerate(names)])

    def ask(n: int) -> list[int]:
        rows = [names[n], names[(n * 7 + 1) % 200], names[n]]
        _, answer = service.ask(entities={"name": rows}, features=["more:m_int64"])
        return values(answer, "m_int64")

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(ask, range(200)))
    assert answers == [[n, (n * 7 + 1) % 200, n] for n in range(200)]


@pytest.mark.usefixtures("filled")
def test_an_answer_is_json_and_shaped_as_feasts(service: Service) -> None:
    """Names, results, values, statuses and times; view metadata on request."""
    _, answer = service.ask(
        entities={"name": ["a"]}, features=["more:m_int64"], include_feature_view_version_metadata=True
    )
    assert answer == {
        "metadata": {"feature_names": ["name", "m_int64"], "feature_view_metadata": [{"name": "more"}]},
        "results": [
            {"values": ["a"], "statuses": ["PRESENT"], "event_timestamps": ["1970-01-01T00:00:00Z"]},
            {"values": [5], "statuses": ["PRESENT"], "event_timestamps": ["2013-06-01T00:00:00Z"]},
        ],
        "status": True,
    }
    assert json.dumps(answer)


def test_a_signal_ends_it_well(fresh: Service) -> None:
    """SIGTERM: no new callers, exit code 0."""
    assert fresh.ask(entities={"name": ["a"]}, features=["more:m_int64"])[0] == 200
    assert fresh.stop() == 0
