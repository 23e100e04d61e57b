"""What is declared: the platform's components (stack.yaml) and each lab (lab.yaml)."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab import reading
from lab.errors import BadInput
from lab.text import Text

LABS = 9
Model = TypeVar("Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Topic(_Strict):
    """A Kafka topic, declared by the component or lab that owns it.

    Attributes:
        name: its name.
        partitions: how many.
        config: its own settings, all of them; None leaves them to whoever else owns them.

    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    partitions: int = Field(default=1, ge=1)
    config: dict[str, str] | None = None


class Secret(_Strict):
    """A Secret whose values are made at random, declared by the component that is opened with it.

    Attributes:
        name: its name, the same in every namespace.
        keys: what it holds, a value of its own under each.
        into: namespaces that hold a copy for who comes in from there; `lab` is the lab's that is brought up.

    """

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    keys: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]] = Field(min_length=1)
    into: list[str] = []


class Definitions(_Strict):
    """Kinds that a component brings to the cluster, from a chart inside the Go module that its program comes from.

    Attributes:
        module: the module.
        version: its version.
        chart: the chart's folder inside the module.
        values: the chart's values.
        kinds: group and version, `apps/v1` -> the kinds of it that are wanted; the chart may hold more.

    """

    module: str = Field(pattern=r"^[a-z0-9.-]+(/[\w.-]+)+$")
    version: str = Field(pattern=r"^v[0-9]")
    chart: str = Field(pattern=r"^[\w-]+(/[\w-]+)*$")
    values: dict[str, Any] = {}
    kinds: dict[Annotated[str, Field(pattern=r"^[a-z0-9.-]+/v[a-z0-9]+$")], list[str]] = Field(min_length=1)


class Component(_Strict):
    """One Helm release of the platform; stack.yaml explains the fields."""

    namespace: str
    images: dict[str, str]
    needs: list[str] = []
    ports: dict[str, str] = {}
    topics: list[Topic] = []
    secrets: list[Secret] = []
    jobs: list[str] = []
    definitions: Definitions | None = None
    makes: list[str] = []


class Exercise(_Strict):
    """One exercise of a lab.

    Attributes:
        id: its name in commands and verdicts.
        title: what the trainee is to reach.
        check: function of the lab's checks that judges it.
        hints: from a nudge to nearly the answer.

    """

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: Text
    check: str
    hints: list[Text] = Field(min_length=1)


class Evidence(_Strict):
    """What a state bundle records besides Kubernetes objects and topics.

    Attributes:
        metrics: name -> PromQL.
        http: name -> `service:/path`, the service by its host port's name.
        groups: consumer groups.
        traces: names of services in Jaeger.

    """

    metrics: dict[str, str] = {}
    http: dict[str, str] = {}
    groups: list[str] = []
    traces: list[str] = []


class Budget(_Strict):
    """What a lab may take, the most of each: once it stands and nobody asks anything of it, and while it comes up.

    Memory, CPU and time are the whole stack's, cluster included; what comes up on an earlier lab takes less.

    Attributes:
        memory_mib: working set once it stands, in MiB.
        idle_cores: CPU cores once it stands, on the average.
        peak_mib: working set at its greatest while it comes up, in MiB.
        cpu_seconds: CPU time until it is proven, on all cores together.
        disk_mib: what its node holds when it is proven: images, copied and unpacked, volumes, what pods wrote, in MiB.
        images_mib: what is pulled or built for it: the sizes of its images, each whole, in MiB.
        seconds: from nothing until it is proven, on two cores with its images in the engine.

    """

    memory_mib: int = Field(ge=1)
    idle_cores: float = Field(gt=0)
    peak_mib: int = Field(ge=1)
    cpu_seconds: int = Field(ge=1)
    disk_mib: int = Field(ge=1)
    images_mib: int = Field(ge=1)
    seconds: int = Field(ge=1)


class LabSpec(_Strict):
    """One lab, as its lab.yaml declares it."""

    number: int = Field(ge=1, le=LABS)
    name: str
    title: Text
    namespace: str = Field(pattern=r"^lab-0[1-9]$")
    components: list[str]
    images: list[str] = []
    budget: Budget
    topics: list[Topic] = []
    values: dict[str, dict[str, Any]] = {}
    """Component -> values of its chart that this lab wants otherwise."""
    evidence: Evidence = Evidence()
    checkpoint: bool = False
    """Whether its start is kept once it stands: a reset then puts it back, where replaying would take too long."""
    experiments: list[str] = []
    """What the lab's service measures on request (`lab compare`), in the order of a full run."""
    exercises: list[Exercise] = []

    @property
    def code(self) -> str:
        """Return the number as commands and labels write it, `01`."""
        return f"{self.number:02d}"


class _Stack(_Strict):
    components: dict[str, Component]


DECLARED, DRAFT = "lab.yaml", "lab.draft.yaml"


class Course:
    """All that a checkout declares.

    Args:
        root: the checkout.
        drafts: whether labs count that are still being made, declared in lab.draft.yaml; None: where LAB_DRAFTS is 1.

    """

    def __init__(self, root: Path, *, drafts: bool | None = None) -> None:
        self.root = root
        wanted = os.environ.get("LAB_DRAFTS") == "1" if drafts is None else drafts
        self._names = (DECLARED, DRAFT) if wanted else (DECLARED,)

    @cached_property
    def components(self) -> dict[str, Component]:
        """Return the platform's components by name.

        Raises:
            BadInput: stack.yaml has an unknown key, names a component that it does not hold, or a Secret twice.

        """
        path = self.root / "platform" / "stack.yaml"
        components = _load(path, _Stack).components
        owners: dict[str, str] = {}
        for name, component in components.items():
            for need in set(component.needs) - set(components):
                raise _bad(path, f"components.{name}.needs", f"{need}?")
            for secret in component.secrets:
                if secret.name in owners:
                    # Copies of both would lie under one name.
                    raise _bad(path, f"components.{name}.secrets", f"{secret.name}: {owners[secret.name]}")
                owners[secret.name] = name
        return components

    def folder(self, code: str) -> Path:
        """Return a lab's folder.

        Args:
            code: the lab's number, `1` or `01`.

        Raises:
            BadInput: there is no such lab, or not yet.

        """
        if not re.fullmatch(r"0?[1-9]", code):
            raise BadInput(
                Text(en=f"there is no lab {code!r}", fr=f"il n'y a pas de lab {code!r}"),
                Text(en=f"choose one of 01 to {LABS:02d}", fr=f"choisissez un numéro de 01 à {LABS:02d}"),
            )
        files = self._files(f"{int(code):02d}-*")
        if not files:
            there = ", ".join(self.codes())
            raise BadInput(
                Text(en=f"lab {int(code):02d} does not exist yet", fr=f"le lab {int(code):02d} n'existe pas encore"),
                Text(en=f"labs that exist: {there}", fr=f"labs qui existent : {there}"),
            )
        return files[0].parent

    def lab(self, code: str) -> LabSpec:
        """Return a lab by its number.

        Raises:
            BadInput: there is no such lab, or its lab.yaml does not hold.

        """
        path = next(file for name in self._names if (file := self.folder(code) / name).exists())
        lab = _load(path, LabSpec)
        if f"{lab.number:02d}" != path.parent.name[:2]:
            raise _bad(path, "number", f"{lab.number} != {path.parent.name[:2]}")
        for name in set(lab.components) - set(self.components):
            raise _bad(path, "components", f"{name}?")
        for name in set(lab.values) - set(lab.components):
            raise _bad(path, "values", f"{name}?")
        return lab

    def codes(self) -> list[str]:
        """Return the numbers of the labs that exist."""
        return [path.parent.name[:2] for path in self._files("0[1-9]-*")]

    def _files(self, folders: str) -> list[Path]:
        """Return the files that declare labs, in the order of their folders."""
        return sorted(path for name in self._names for path in (self.root / "labs").glob(f"{folders}/{name}"))

    def topics(self, lab: LabSpec) -> list[Topic]:
        """Return every topic that a lab works with: its components' and its own."""
        return [*(topic for name in lab.components for topic in self.components[name].topics), *lab.topics]

    def images(self, lab: LabSpec) -> set[str]:
        """Return the names of every image that a lab runs: its components' and its own."""
        return {image for name in lab.components for image in self.components[name].images.values()} | set(lab.images)


def _load(path: Path, model: type[Model]) -> Model:
    try:
        content: Any = reading.document(path.read_text())
        return model.model_validate(content)
    except OSError as error:
        raise _bad(path, "file", error.strerror or str(error)) from error
    except yaml.YAMLError as error:
        raise _bad(path, "YAML", str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "content"
        raise _bad(path, field, first["msg"]) from error


def _bad(path: Path, field: str, reason: str) -> BadInput:
    where = f"{path.parent.name}/{path.name}"
    return BadInput(
        Text.plain(f"{where}: {field}: {reason}"),
        Text(en=f"correct the field {field} of {where}", fr=f"corrigez le champ {field} de {where}"),
    )
