"""Values: every one explained, every wrong one refused by its name before anything reaches a cluster."""

import re
from typing import Any

import pytest
import yaml

from contract.charts.rendering import CASES, CHARTS, HELM, ROOT, SETTINGS, Case, helm
from lab import tools
from lab.errors import BadInput
from lab.settings import Settings
from lab.spec import Course
from lab.stack.release import Release
from lab.stack.values import values_for

_EXPLAINED_BY_PARENT = ("requests", "limits")

WRONG = [
    ("kafka", {"brokers": 2}, "brokers"),
    ("kafka", {"brokers": "one"}, "brokers"),
    ("kafka", {"replication": 3}, "replication"),
    ("kafka", {"minInsync": 2}, "minInsync"),
    ("kafka", {"brokers": 3, "replication": 2, "minInsync": 3}, "minInsync"),
    ("kafka", {"retention": {"hours": "week"}}, "retention.hours"),
    ("kafka", {"retention": {"hours": 1, "segmentBytes": 1}}, "retention.segmentBytes"),
    ("kafka", {"storage": {"size": "2 GB"}}, "storage.size"),
    ("kafka", {"image": ""}, "image"),
    ("kafka", {"broker": 1}, "broker"),
    ("kafka", {"resources": {"requests": {"cpu": "many"}}}, "resources.requests.cpu"),
    ("prometheus", {"scrapeSeconds": 0}, "scrapeSeconds"),
    ("prometheus", {"retention": "for ever"}, "retention"),
    ("prometheus", {"nodePort": 9090}, "nodePort"),
    ("jaeger", {"maxTraces": 0}, "maxTraces"),
    ("jaeger", {"resources": {"limits": {"memory": "256"}}}, "resources.limits.memory"),
    ("redis", {"replicas": 3}, "replicas"),
    ("redis", {"maxMemory": "0"}, "maxMemory"),
    ("redis", {"maxMemory": "128Mi"}, "maxMemory"),
    ("redis", {"password": "a"}, "password"),
    ("postgres", {"databases": []}, "databases"),
    ("postgres", {"databases": ["feast; DROP"]}, "databases"),
    ("postgres", {"databases": ["postgres"]}, "databases"),
    ("postgres", {"dump": {"schedule": "daily"}}, "dump.schedule"),
    ("postgres", {"dump": {"keep": 0}}, "dump.keep"),
    ("objectstore", {"buckets": ["Lake"]}, "buckets"),
    ("objectstore", {"buckets": ["../lake"]}, "buckets"),
    ("objectstore", {"metadata": "none"}, "metadata"),
    ("objectstore", {"replicas": 2}, "storage.accessMode"),
    ("mlflow", {"database": "postgresql+psycopg://mlflow:secret@postgres.data.svc:5432/mlflow"}, "database"),
    ("mlflow", {"database": "sqlite:///mlflow.db"}, "database"),
    ("mlflow", {"artifacts": "/var/artifacts"}, "artifacts"),
    ("mlflow", {"hosts": ["*"]}, "hosts"),
    ("mlflow", {"hosts": ["10.*:5000"]}, "hosts"),
    ("mlflow", {"origins": ["*"]}, "origins"),
    ("mlflow", {"workers": 0}, "workers"),
    ("gateway", {"proxyImage": ""}, "proxyImage"),
    ("gateway", {"namespaces": []}, "namespaces"),
    ("gateway", {"namespaces": ["chain", "Lab"]}, "namespaces"),
    ("gateway", {"goMemory": "160Mi"}, "goMemory"),
    ("gateway", {"proxy": {"drainSeconds": 0}}, "proxy.drainSeconds"),
    ("gateway", {"proxy": {"nodePort": 80}}, "proxy.nodePort"),
    ("serving", {"tracks": {"canary": {"weight": 101}}}, "tracks.canary.weight"),
    ("serving", {"tracks": {"blue": {"alias": "champion", "replicas": 1, "weight": 0}}}, "tracks"),
    ("serving", {"tracks": {"stable": {"alias": "the champion"}}}, "tracks.stable.alias"),
    ("serving", {"mlflow": "mlflow.data.svc:5000"}, "mlflow"),
    ("serving", {"route": {"paths": ["v2"]}}, "route.paths"),
    ("serving", {"leaveSeconds": 0}, "leaveSeconds"),
    ("ingest", {"kafka": "kafka"}, "kafka"),
    ("ingest", {"traceRatio": 1.5}, "traceRatio"),
    ("ingest", {"logLevel": "loud"}, "logLevel"),
    ("ingest", {"producer": {"start": "2013"}}, "producer.start"),
    ("ingest", {"consumer": {"commitSeconds": 0}}, "consumer.commitSeconds"),
]


def _release(chart: str, extra: dict[str, Any], settings: Settings = SETTINGS) -> Release:
    """Return a release with the values that `lab` gives it and some more."""
    component = Course(ROOT).components[chart]
    images = {name: f"tarmac.local/{name}:ci" for name in component.images.values()}
    values = {**values_for(component, images, settings), **extra}
    return Release(chart, component, tools.helm(settings, lambda _: None), values, settings)


@pytest.mark.parametrize(("chart", "values", "field"), WRONG, ids=[f"{chart}-{field}" for chart, _, field in WRONG])
def test_a_wrong_value_is_refused_by_its_name(chart: str, values: dict[str, Any], field: str) -> None:
    """The message names the chart, the field and what to do, and the command ends with 2."""
    with pytest.raises(BadInput) as refused:
        _ = _release(chart, values).manifests
    assert refused.value.exit_code == 2
    for words in (refused.value.render("en"), refused.value.render("fr")):
        assert f"chart {chart}" in words
        assert re.search(rf"(?<!\w){re.escape(field)}(?!\w)", words.splitlines()[0])
        assert f"platform/helm/{chart}/values.yaml" in words


@pytest.mark.parametrize("chart", CHARTS)
def test_the_values_that_lab_gives_fit(chart: str) -> None:
    """What stack.yaml hands over (images, host ports) is known to the chart and renders."""
    assert _release(chart, {}).manifests


@pytest.mark.parametrize("chart", CHARTS)
def test_the_image_must_be_given(chart: str) -> None:
    """A chart without its image is refused: no release ever waits for an image that nobody named."""
    component = Course(ROOT).components[chart]
    bare = Release(chart, component, tools.helm(SETTINGS, lambda _: None), {}, SETTINGS)
    with pytest.raises(BadInput, match="image"):
        _ = bare.manifests


@pytest.mark.parametrize("case", CASES, ids=str)
def test_helm_finds_nothing_to_complain_of(case: Case) -> None:
    """`helm lint --strict` passes with the case's values."""
    assert "0 chart(s) failed" in helm("lint", "--strict", case.folder, *case.values)


@pytest.mark.parametrize("chart", CHARTS)
def test_every_value_is_explained(chart: str) -> None:
    """Each key of values.yaml stands under a comment of its own."""
    lines = (HELM / chart / "values.yaml").read_text().splitlines()
    keys = [(number, match[1]) for number, line in enumerate(lines) if (match := re.match(r" *([\w.-]+):", line))]
    bare = [
        key
        for number, key in keys
        if key not in _EXPLAINED_BY_PARENT and not lines[number - 1].lstrip().startswith("# ")
    ]
    assert keys
    assert bare == []


@pytest.mark.parametrize("chart", CHARTS)
def test_the_schema_knows_every_value(chart: str) -> None:
    """No value is out of the schema's sight: at each level it lists them all and refuses others."""
    schema = yaml.safe_load((HELM / chart / "values.schema.json").read_text())
    values = yaml.safe_load((HELM / chart / "values.yaml").read_text())

    def agree(value: Any, rule: dict[str, Any]) -> None:  # noqa: ANN401  JSON
        if "$ref" in rule:
            rule = schema["definitions"][rule["$ref"].rsplit("/", 1)[-1]]
        if isinstance(value, dict):
            assert rule["additionalProperties"] is False
            assert set(rule["properties"]) - {"global"} == set(value)
            for key, inner in value.items():
                agree(inner, rule["properties"][key])

    agree(values, schema)


def test_what_charts_share_is_written_once() -> None:
    """Labels and security settings come from one file."""
    for chart in CHARTS:
        assert (HELM / chart / "templates" / "_labels.tpl").resolve() == HELM / "_labels.tpl"


def test_the_profile_chooses_the_values() -> None:
    """LAB_PROFILE=ha gives a chart its values for several nodes, under what `lab` itself hands over."""
    several = Settings.load({"LAB_PROFILE": "ha", "LAB_PORT_OFFSET": "100"})
    (brokers,) = _release("kafka", {}, several).workloads()
    assert brokers["spec"]["replicas"] == 3
    assert brokers["spec"]["template"]["spec"]["containers"][0]["image"] == "tarmac.local/kafka:ci"
    (single,) = _release("kafka", {}).workloads()
    assert single["spec"]["replicas"] == 1
