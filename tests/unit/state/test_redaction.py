"""Secrets never reach a bundle."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.state.redaction import REDACTED, redacted

_PIN = "hunter2-Zq8"
_SIGNED = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"


@pytest.mark.parametrize(
    "held",
    [
        {"kind": "Secret", "metadata": {"name": "db"}, "data": {"any": _PIN}, "stringData": {"x": {"y": _PIN}}},
        {"env": [{"name": "DB_PASSWORD", "value": _PIN}]},
        {"env": [{"value": _PIN, "name": "apiKey"}]},
        {"env": [{"name": "OIDC_TOKEN", "value": _PIN}]},
        {"metadata": {"annotations": {"vault/token": _PIN}}},
        {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": f'{{"x":"{_PIN}"}}'}}},
        {"users": [{"user": {"token": _PIN, "client-key-data": _PIN, "client-certificate-data": _PIN}}]},
        {"data": {"kubeconfig": f"users:\n- user:\n    token: {_PIN}\n    client-key-data: {_PIN}\n"}},
        {"data": {"app.properties": f"db.password={_PIN}\nx=1"}},
        {"command": ["run", f"--password={_PIN}", "--token", _PIN]},
        {"args": ["--api-key", _PIN]},
        {"url": f"postgresql://someone:{_PIN}@db:5432/x"},
        {"headers": f"Authorization: Bearer {_PIN}"},
        {"authorization": [_PIN]},
        {"log": f"-----BEGIN RSA PRIVATE KEY-----\n{_PIN}\n-----END RSA PRIVATE KEY-----"},
        {"log": f"-----BEGIN PRIVATE KEY-----\n{_PIN}"},
        {"body": {"secretKey": _PIN, "passphrase": _PIN}},
        {"body": json.dumps({"password": _PIN, "n": 1})},
        {".dockerconfigjson": _PIN},
        {"DB_PASS": _PIN, "pass": _PIN},
    ],
)
def test_a_secret_is_taken_out_wherever_it_stands(held: dict[str, Any]) -> None:
    """By kind, by name or by form: what opens a door leaves a mark and nothing else."""
    shown = json.dumps(redacted([held]))
    assert _PIN not in shown


def test_the_form_of_a_signed_token_gives_it_away() -> None:
    """A token is taken out even where nothing around it says that it is one."""
    assert _SIGNED not in json.dumps(redacted({"note": f"found {_SIGNED} here"}))


@pytest.mark.parametrize(
    "kept",
    [
        {"volumes": [{"name": "x", "secret": {"secretName": "tls"}}]},
        {"env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "user"}}}]},
        {"automountServiceAccountToken": False, "expirationSeconds": 3600},
        {"env": [{"name": "TARMAC_KAFKA", "value": "kafka.platform.svc:9092"}]},
        {"topics": {"flight.departed.v1": {"begin": [0, 0, 0], "end": [5, 6, 7]}}},
        {"labels": {"app.kubernetes.io/name": "gateway"}, "key": "EWR", "author": "x", "authors": "y"},
        {"url": "http://prometheus.platform.svc:9090/api/v1/query", "at": "2013-01-01T10:00:00Z"},
        {"monkey": "x", "partitionKey": "origin", "keyed": True, "bypass": "no"},
    ],
)
def test_what_checks_need_is_kept(kept: dict[str, Any]) -> None:
    """References, figures, names and addresses without credentials come through unchanged."""
    assert redacted(kept) == kept


def test_names_and_keys_stay_where_values_go() -> None:
    """A trainer still sees that a Secret was there, and which keys it held."""
    secret = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"user": "YQ==", "empty": ""}}
    assert redacted(secret) == {**secret, "data": {"user": REDACTED, "empty": ""}}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=15,
)


@given(_JSON)
def test_redaction_is_done_once_and_for_all(value: Any) -> None:  # noqa: ANN401  any JSON
    """A second pass finds nothing more, and any JSON whatever comes through as JSON."""
    once = redacted(value)
    assert redacted(once) == once
    json.dumps(once)


@given(_JSON, st.sampled_from(["password", "DB_PASSWORD", "api-key", "client_secret", "refreshToken"]))
def test_a_secret_is_found_at_any_depth(value: Any, name: str) -> None:  # noqa: ANN401  any JSON
    """However deep a named secret lies, it is taken out."""
    assert _PIN not in json.dumps(redacted([{"a": [value, {name: _PIN}, {"name": name, "value": _PIN}]}]))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("word", ["x", "token", "a.b-", "password ", "eyJ", "://a:"])
def test_a_long_text_takes_as_long_as_it_is(word: str) -> None:
    """A megabyte without a secret is looked through once; sought from every letter it would take hours."""
    text = (word * 1_000_000)[:1_000_000]
    assert redacted({"text": text})
    assert redacted({"text": f"{text} password=hunter2"}) == {"text": f"{redacted(text)} password=REDACTED"}
