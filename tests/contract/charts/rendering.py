"""What the charts make of their CI values: one case for each file `platform/helm/<chart>/ci/<case>-values.yaml`.

A case of the same name as one of the chart's own profiles (`values-<case>.yaml`) stands on that profile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lab import tools
from lab.process import run
from lab.settings import Settings
from lab.spec import Course
from lab.text import Text

ROOT = Path(__file__).resolve().parents[3]
HELM = ROOT / "platform" / "helm"
SETTINGS = Settings.load(os.environ)


@dataclass(frozen=True)
class Case:
    """One way to install a chart.

    Attributes:
        chart: the chart's name.
        name: the case's.

    """

    chart: str
    name: str

    @property
    def folder(self) -> Path:
        """Return the chart's folder."""
        return HELM / self.chart

    @property
    def namespace(self) -> str:
        """Return the namespace in which the platform installs the chart."""
        return Course(ROOT).components[self.chart].namespace

    @property
    def values(self) -> list[str | Path]:
        """Return Helm's options for the case's values files, the profile's first."""
        files = (self.folder / f"values-{self.name}.yaml", self.folder / "ci" / f"{self.name}-values.yaml")
        return [word for each in files if each.exists() for word in ("--values", each)]

    def __str__(self) -> str:
        """Return the name that test reports and golden files carry."""
        return f"{self.chart}-{self.name}"


CASES = [
    Case(path.parents[1].name, path.name.removesuffix("-values.yaml"))
    for path in sorted(HELM.glob("*/ci/*-values.yaml"))
]
CHARTS = sorted(path.parent.name for path in HELM.glob("*/Chart.yaml"))


def helm(*words: str | Path) -> str:
    """Run the Helm that the tool uses, and return what it prints."""
    program = tools.helm(SETTINGS, lambda _: None)
    return run([program, *words], what=Text.plain(f"helm {words[0]}"), timeout=120)


@cache
def rendered(case: Case) -> str:
    """Return the manifests of a case, as Helm prints them."""
    return helm("template", case.chart, case.folder, "--namespace", case.namespace, *case.values)


def objects(case: Case) -> list[dict[str, Any]]:
    """Return the objects of a case."""
    return [each for each in yaml.safe_load_all(rendered(case)) if each]


def named(case: Case, kind: str, name: str) -> dict[str, Any]:
    """Return one object of a case."""
    (found,) = [each for each in objects(case) if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def workloads(case: Case) -> Iterator[dict[str, Any]]:
    """Yield the objects of a case that make pods."""
    return (each for each in objects(case) if "template" in each.get("spec", {}))


def jobs(case: Case) -> Iterator[dict[str, Any]]:
    """Yield the jobs that a case's CronJobs make, each with a template of its pods like a workload."""
    return (each["spec"]["jobTemplate"] for each in objects(case) if each["kind"] == "CronJob")


def containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all containers of a workload's pods."""
    spec = workload["spec"]["template"]["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]
