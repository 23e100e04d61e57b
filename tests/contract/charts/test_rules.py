"""Prometheus' configuration and alerts, judged by Prometheus' own tool."""

from pathlib import Path

import pytest
import yaml

from contract.charts.rendering import HELM, SETTINGS, Case, named
from lab import tools
from lab.process import CommandFailed, run
from lab.text import Text

RULES = HELM / "prometheus" / "files" / "rules"
FILES = sorted(path.name for path in RULES.glob("*.yaml"))


def _promtool(*words: str | Path) -> str:
    return run([tools.promtool(SETTINGS), *words], what=Text.plain("promtool"), timeout=60)


def test_the_configuration_is_one_that_prometheus_takes(tmp_path: Path) -> None:
    """The rendered file holds, as do the rules that it names."""
    data = named(Case("prometheus", "default"), "ConfigMap", "prometheus")["data"]
    config = tmp_path / "prometheus.yaml"
    config.write_text(data["prometheus.yaml"])
    assert "SUCCESS" in _promtool("check", "config", "--syntax-only", config)
    assert yaml.safe_load(data["prometheus.yaml"])["rule_files"] == [f"/etc/prometheus/{name}" for name in FILES]
    for name in FILES:
        assert data[name].strip() == (RULES / name).read_text().strip()


def test_pods_kubelet_and_containers_are_read() -> None:
    """Services, the node and the use of each container all have a job."""
    data = named(Case("prometheus", "default"), "ConfigMap", "prometheus")["data"]
    jobs = yaml.safe_load(data["prometheus.yaml"])["scrape_configs"]
    assert [job["job_name"] for job in jobs] == ["pods", "kubelet", "cadvisor"]


@pytest.mark.parametrize("name", FILES)
def test_alerts_fire_when_they_must_and_only_then(name: str) -> None:
    """The tests beside the rules pass."""
    assert "SUCCESS" in _promtool("test", "rules", RULES / "tests" / name)


@pytest.mark.parametrize("name", FILES)
def test_every_alert_is_tested_firing(name: str) -> None:
    """No alert is without a case in which it fires, and none without words for who reads it."""
    rules = [rule for group in yaml.safe_load((RULES / name).read_text())["groups"] for rule in group["rules"]]
    tests = yaml.safe_load((RULES / "tests" / name).read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert {rule["alert"] for rule in rules} == fired
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules)


def test_a_broken_rule_is_found_out(tmp_path: Path) -> None:
    """The tests can fail: an alert that waits longer than it may does not pass."""
    (tmp_path / "tests").mkdir()
    for name in ("platform.yaml", "tests/platform.yaml"):
        (tmp_path / name).write_text((RULES / name).read_text().replace("for: 30s", "for: 30m"))
    with pytest.raises(CommandFailed, match="TargetDown"):
        _promtool("test", "rules", tmp_path / "tests" / "platform.yaml")
