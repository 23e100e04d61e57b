"""MLflow, the only place where it enters: runs with all that a model came from, versions, aliases.

A fit is written once: where a version of the same bytes from the same data stands already, nothing is added.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import environment_variables as mlflows
from mlflow.entities import DatasetInput, LoggedModelOutput, Metric, Param, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from contracts.models import Card
from training import records
from training.dataset import Dataset
from training.errors import NotRegistered, RegistryAway, RegistryRefused
from training.fitting import Fitted

SHA256, SET, GATE, KIND = "sha256", "dataset.sha256", "gate", "kind"
"""Tags of a version: of its bytes, of its training set, what the gate said, and its kind of estimator."""
HELD, VERDICT = "held_out.parquet", "gate.json"
"""Artifacts of its run: the rows it is judged by, and the judgement."""
_RETRIES = 2
_MISSING = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True)
class Recorded:
    """All that is written of a fit.

    Attributes:
        made: the model.
        data: what it was made from.
        folder: with model.onnx and card.json.
        held: file of the held-out rows.
    """

    made: Fitted
    data: Dataset
    folder: Path
    held: Path


@dataclass(frozen=True)
class _Entry:
    """What is written of a model, whatever it is.

    Attributes:
        card: of the model.
        parameters: as text by name.
        folder: with its files.
        held: file of the held-out rows.
        inputs: what it was made from, as MLflow tells it.
    """

    card: Card
    parameters: dict[str, str]
    folder: Path
    held: Path
    inputs: list[DatasetInput]


@dataclass(frozen=True)
class Version:
    """A registered version.

    Attributes:
        name: of the model.
        number: counted by MLflow, from 1.
        run: id of the run it came from.
        new: whether it was registered just now.
    """

    name: str
    number: str
    run: str
    new: bool = False

    def __str__(self) -> str:
        return f"{self.name} version {self.number}"


class Registry:
    """One MLflow server.

    Args:
        address: of the server.
        experiment: that runs are written to; made where there is none.
        seconds: to wait for an answer.

    Raises:
        RegistryAway: by every call, while the server does not answer.
        RegistryRefused: by every call that it does not take.
    """

    def __init__(self, address: str, experiment: str, seconds: int) -> None:
        for variable, value in (
            (mlflows.MLFLOW_HTTP_REQUEST_TIMEOUT, seconds),
            (mlflows.MLFLOW_HTTP_REQUEST_MAX_RETRIES, _RETRIES),
            (mlflows.MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT, True),
            (mlflows.MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR, False),
        ):
            os.environ[variable.name] = str(value)
        self._address = address
        self._experiment = experiment
        self._client = MlflowClient(tracking_uri=address, registry_uri=address)

    def register(self, told: Recorded) -> Version:
        """Write a run, its model and a version of the registered model; the version that stands there then."""
        made = told.made
        return self._registered(_Entry(made.card, made.parameters, told.folder, told.held, records.datasets(told.data)))

    def register_composed(self, card: Card, parameters: dict[str, str], folder: Path, held: Path) -> Version:
        """Write a run and a version of a composition; the version that stands there then.

        Args:
            card: of the composition.
            parameters: what it is made of, as text by name.
            folder: with composition.json and card.json.
            held: file of the rows that it is judged by.
        """
        return self._registered(_Entry(card, parameters, folder, held, []))

    def _registered(self, told: _Entry) -> Version:
        with self._named(f"model {told.card.name}"):
            found = self._same(told.card)
            if found:
                return _version(found)
            self._name_made(told.card.name)
            run = self._client.create_run(self._experiment_made(), run_name=told.card.name).info.run_id
            try:
                version = self._written(told, run)
            except BaseException:
                self._client.set_terminated(run, "FAILED")
                raise
            self._client.set_terminated(run)
            return version

    def version(self, name: str, wanted: str) -> Version:
        """A version by its number or by an alias.

        Raises:
            NotRegistered: there is none.
        """
        with self._named(f"model {name}, version {wanted}"):
            if wanted.isdecimal():
                return _version(self._client.get_model_version(name, wanted))
            return _version(self._client.get_model_version_by_alias(name, wanted))

    def named(self, name: str, alias: str) -> Version | None:
        """The version that an alias names; None where it names none."""
        try:
            return self.version(name, alias)
        except NotRegistered:
            return None

    def files(self, version: Version, folder: Path) -> Path:
        """Fetch model.onnx, MLmodel and card.json of a version; the folder they are in."""
        folder.mkdir(parents=True, exist_ok=True)
        with self._named(f"files of {version}"):
            # A `models:/` address would be looked up at the server of the whole process, not at this one.
            where = self._client.get_model_version_download_uri(version.name, version.number)
            place = mlflow.artifacts.download_artifacts(where, dst_path=str(folder), tracking_uri=self._address)
            return Path(place)

    def held_out(self, version: Version, folder: Path) -> Path:
        """Fetch the rows that a version is judged by; the file."""
        with self._named(f"held-out rows of {version}"):
            return Path(self._client.download_artifacts(version.run, HELD, str(folder)))

    def judged(self, version: Version, *, through: bool, verdict: str) -> None:
        """Write down what the gate said: the verdict (JSON) beside the run, the outcome as a tag of the version."""
        with self._named(f"verdict on {version}"):
            self._client.log_text(version.run, verdict, VERDICT)
            self._client.set_model_version_tag(version.name, version.number, GATE, "passed" if through else "refused")

    def point(self, version: Version, alias: str) -> None:
        """Let an alias name a version."""
        with self._named(f"alias {alias} of {version.name}"):
            self._client.set_registered_model_alias(version.name, alias, version.number)

    def _same(self, card: Card) -> ModelVersion | None:
        wanted = {SHA256: card.sha256, SET: card.dataset["sha256"]}
        for each in self._client.search_model_versions(f"name = '{card.name}'", max_results=1000):
            if each.status == "READY" and wanted.items() <= each.tags.items():
                return each
        return None

    def _name_made(self, name: str) -> None:
        try:
            self._client.create_registered_model(name)
        except MlflowException as failure:
            if failure.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _experiment_made(self) -> str:
        found = self._client.get_experiment_by_name(self._experiment)
        return str(found.experiment_id if found else self._client.create_experiment(self._experiment))

    def _written(self, told: _Entry, run: str) -> Version:
        card, now = told.card, time.time_ns() // 1_000_000
        tags = _tags(card)
        model = self._client.create_logged_model(
            self._client.get_run(run).info.experiment_id, card.name, run, tags, told.parameters, card.kind
        )
        with tempfile.TemporaryDirectory() as place:
            self._client.log_model_artifacts(model.model_id, str(records.folder(told.folder, card, Path(place))))
        if told.inputs:
            self._client.log_inputs(run, told.inputs)
        self._client.log_batch(
            run,
            [Metric(name, value, now, 0, model.model_id) for name, value in card.quality.items()],
            [Param(name, value) for name, value in told.parameters.items()],
            [RunTag(name, value) for name, value in tags.items()],
        )
        self._client.log_artifact(run, str(told.held))
        self._client.finalize_logged_model(model.model_id, "READY")
        self._client.log_outputs(run, [LoggedModelOutput(model.model_id, 0)])
        made = self._client.create_model_version(
            card.name,
            f"models:/{model.model_id}",
            run,
            tags,
            description=_about(card),
            await_creation_for=0,
            model_id=model.model_id,
        )
        return _version(made, new=True)

    @contextmanager
    def _named(self, what: str) -> Iterator[None]:
        """Let MLflow's failures go by our names."""
        try:
            yield
        except MlflowException as failure:
            raise self._failure(what, failure) from None
        except OSError as failure:
            raise RegistryAway(f"{what}: MLflow at {self._address}: {failure}", "see whether its server runs") from None

    def _failure(self, what: str, failure: MlflowException) -> Exception:
        where = f"{what}: MLflow at {self._address}: {str(failure)[:500]}"
        status = getattr(failure, "get_http_status_code", lambda: 500)()
        # An alias that is not there counts as a wrong parameter.
        if failure.error_code == _MISSING or "not found" in str(failure):
            return NotRegistered(where, "see what there is on MLflow's page; `python -m training fit` registers more")
        if status >= 500:  # noqa: PLR2004  HTTP's own bound
            return RegistryAway(where, "see whether its server and its stores run")
        return RegistryRefused(where, "see MLflow's log")


def _version(found: ModelVersion, *, new: bool = False) -> Version:
    return Version(found.name, str(found.version), found.run_id or "", new)


def _tags(card: Card) -> dict[str, str]:
    lineage = {f"dataset.{name}": value for name, value in card.dataset.items()}
    return {SHA256: card.sha256, KIND: card.kind, "service": card.service, "label": card.label, **lineage}


def _about(card: Card) -> str:
    judged = f"RMSE {card.quality['rmse']:.2f} on rows from {card.dataset['held_from']}"
    return f"{card.kind}, {card.label}, {card.service}; {judged}"
