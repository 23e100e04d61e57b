"""How the chart starts a broker, with the real script and a Java that only writes down what it is told."""

import os
import subprocess
from pathlib import Path

import pytest

from contract.charts.rendering import Case, named

_JAVA = """#!/bin/sh
echo "$@" >>"$RECORD"
case "$*" in *StorageTool*) mkdir -p "$DATA/log" && touch "$DATA/log/meta.properties" ;; esac
"""


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """Return the script and its configuration laid out as in the pod, its paths moved under a folder."""
    data = named(Case("kafka", "ha"), "ConfigMap", "kafka")["data"]
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(_JAVA)
    java.chmod(0o755)
    (tmp_path / "tmp").mkdir()
    for name, text in data.items():
        moved = text.replace("/etc/tarmac", str(tmp_path)).replace("/tmp/server", str(tmp_path / "tmp" / "server"))  # noqa: S108  the pod's own path
        (tmp_path / name).write_text(moved.replace("/var/lib/kafka/data", str(tmp_path / "data")))
    return tmp_path


def _run(folder: Path, pod: str) -> list[str]:
    record = folder / "record"
    record.write_text("")
    env = {
        "PATH": f"{folder}/bin:{os.environ['PATH']}", "RECORD": str(record), "DATA": str(folder / "data"),
        "POD_NAME": pod, "EXTERNAL_PORT": "9092", "CLUSTER_ID": "x" * 22, "KAFKA_HEAP_OPTS": "-Xmx1m",
    }  # fmt: skip
    subprocess.run(["sh", str(folder / "start.sh")], env=env, check=True, timeout=20)
    return record.read_text().splitlines()


def test_a_broker_knows_itself_by_its_pod(start: Path) -> None:
    """The third pod is node 2, under its own name inside and its own port outside."""
    _run(start, "kafka-2")
    config = (start / "tmp" / "server.properties").read_text()
    assert "node.id=2" in config.splitlines()
    assert "INTERNAL://kafka-2.kafka-brokers.platform.svc:9092,EXTERNAL://kafka.example.org:9094" in config
    assert "@" not in config.replace("@kafka-", "")


def test_a_volume_is_formatted_once(start: Path) -> None:
    """The first start formats with the cluster's id; a restart leaves the data alone."""
    first, again = _run(start, "kafka-0"), _run(start, "kafka-0")
    assert [("StorageTool" in line, "kafka.Kafka" in line) for line in first] == [(True, False), (False, True)]
    assert f"--cluster-id {'x' * 22}" in first[0]
    assert ["kafka.Kafka" in line for line in again] == [True]


def test_a_pulled_image_starts_like_a_built_one(start: Path) -> None:
    """Of the image the broker needs only Java and /opt/kafka/libs; all else is the chart's, and an archive optional."""
    (line,) = _run(start, "kafka-0")[-1:]
    assert "-cp /opt/kafka/libs/*" in line
    assert "-Xshare:auto" in line
    assert line.count("/opt/kafka/") == 2
