"""What a trainee can get wrong on a running lab: each mistake is named with its remedy, and nothing is half done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from driver import Driver, until

pytestmark = pytest.mark.cluster


@pytest.fixture
def work(lab: Driver) -> Iterator[Driver]:
    """Return the lab; the working copy is put back afterwards, and applied."""
    files = {path: path.read_text() for path in lab.work.glob("*.yaml")}
    yield lab
    for path in lab.work.glob("*.yaml"):
        if path not in files:
            path.unlink()
    for path, text in files.items():
        path.write_text(text)
    lab.run("up", "01")


def _generations(lab: Driver) -> dict[str, int]:
    found = json.loads(lab.kubectl("get", "deployments,statefulsets", "-n", "lab-01", "-o", "json"))["items"]
    return {each["metadata"]["name"]: each["metadata"]["generation"] for each in found}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_file_that_is_no_yaml_is_named_and_changes_nothing(work: Driver, language: str) -> None:
    """Kustomize's complaint reaches the trainee with the folder to look in."""
    before = _generations(work)
    (work.work / "bulkhead.yaml").write_text("kind: Deployment\n  wrong: indent\n")
    done = work.run("up", "01", code=2, LAB_LANG=language)
    assert "bulkhead.yaml" in done.stderr
    assert {"en": "What to do", "fr": "Que faire"}[language] in done.stderr
    assert _generations(work) == before


def test_a_field_that_the_server_refuses_is_named_and_nothing_is_applied(work: Driver) -> None:
    """One wrong field in one object leaves all the others as they were, those before it too."""
    before = _generations(work)
    file = work.work / "processing-modes.yaml"
    file.write_text(file.read_text().replace('"20"', '"3"'))
    extra = work.work / "zz-wrong.yaml"
    extra.write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: zz-wrong}\nspec: {ports: [{name: http, port: 99999}]}\n"
    )
    kustomization = work.work / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("[../base]", "[../base, zz-wrong.yaml]"))
    done = work.run("up", "01", code=2)
    assert "Service/zz-wrong" in done.stderr
    assert "spec.ports[0].port" in done.stderr
    assert _generations(work) == before


def test_a_setting_that_a_service_refuses_is_told_in_its_own_words(work: Driver) -> None:
    """A pod that ends at once for a wrong setting is not waited for; its last line names variable, value and remedy."""
    file = work.work / "processing-modes.yaml"
    file.write_text(file.read_text().replace('"20"', '"soon"'))
    done = work.run("up", "01", code=5)
    assert "Deployment/analyst" in done.stderr
    assert "TARMAC_WINDOW_SECONDS" in done.stderr
    assert "soon" in done.stderr


def test_an_image_that_the_lab_does_not_have_is_named_at_once(work: Driver) -> None:
    """A misspelt image of ours is an error of the manifest, not a pull that never ends."""
    kustomization = work.work / "kustomization.yaml"
    (work.work / "extra.yaml").write_text(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: extra}\n"
        "spec: {template: {spec: {containers: [{name: extra, image: tarmac.local/lab-91}]}}}\n"
    )
    kustomization.write_text(kustomization.read_text().replace("[../base]", "[../base, extra.yaml]"))
    done = work.run("up", "01", code=2)
    assert "tarmac.local/lab-91" in done.stderr
    assert "lab-01" in done.stderr


def test_a_poisoned_event_is_kept_with_its_reason_and_can_be_put_back(lab: Driver) -> None:
    """It goes to the dead-letter topic with reason and offset; repaired and put back, it counts like any other."""
    address = f"127.0.0.1:{lab.port(9092)}"
    poison = {"type": "weather.read.v1", "id": "wx-poisoned-1", "time": "2013-01-01T00:00:00Z", "station": "YYY",
              "temp": 9999.0}  # fmt: skip
    producer = KafkaProducer(bootstrap_servers=address, acks="all")
    sent = producer.send("weather.read.v1", key=b"YYY", value=json.dumps(poison).encode()).get(timeout=20)
    producer.close()
    letter = until(lambda: _letter(address, sent.offset), "the dead letter is written", 30)
    assert letter["dead-topic"] == "weather.read.v1"
    assert letter["dead-field"] == "temp"
    assert letter["dead-reason"]
    assert httpx.get(_weather(lab, "YYY"), timeout=10).status_code == 404

    pod = lab.kubectl("get", "pod", "-n", "chain", "-l", "app.kubernetes.io/component=consumer", "-o", "name").strip()
    repairs = json.dumps({"temp": 32.0})
    told = lab.kubectl("exec", "-n", "chain", pod, "--", "env", f"TARMAC_REPAIRS={repairs}",
                       "python3", "-m", "ingest", "replay-dead-letters")  # fmt: skip
    assert json.loads(told.splitlines()[-1])["put_back"] == 1
    until(lambda: "wx-poisoned-1" in httpx.get(_weather(lab, "YYY"), timeout=10).text, "the repaired event shows", 60)


def _weather(lab: Driver, station: str) -> str:
    return f"http://127.0.0.1:{lab.port(8080)}/weather/{station}"


def _letter(address: str, offset: int) -> dict[str, Any] | None:
    """Return the headers of the dead letter about an offset of the weather topic."""
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    try:
        place = TopicPartition("dead-letter.v1", 0)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        for records in consumer.poll(timeout_ms=3000).values():
            for record in records:
                headers = {name: value.decode() for name, value in record.headers}
                if headers["dead-offset"] == str(offset):
                    return headers
    finally:
        consumer.close()
    return None
