"""Models in the registry of the cluster, for the time of a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from driver import Driver

CHAMPION, CHALLENGER = "champion", "challenger"
_EXPERIMENT = "faults"
_FILE = "model.onnx"


class Registry:
    """MLflow's own client, which knows nothing of us.

    Args:
        lab: the cluster.

    """

    def __init__(self, lab: Driver) -> None:
        address = f"http://127.0.0.1:{lab.port(15000)}"
        self._client = MlflowClient(address, address)

    def point(self, model: str, alias: str, version: str) -> None:
        """Let an alias name a version."""
        self._client.set_registered_model_alias(model, alias, version)

    def named(self, model: str, alias: str = CHAMPION) -> str:
        """Return the version that an alias names."""
        return str(self._client.get_model_version_by_alias(model, alias).version)

    @contextmanager
    def models(self, names: Sequence[str], versions: Mapping[str, bytes]) -> Iterator[None]:
        """Have models of these names, each with all versions.

        Args:
            names: of the models; what an earlier test left under them goes first.
            versions: what is the matter with each -> its file; numbered from 1 in their order, and 1 is the champion.

        """
        run = self._client.create_run(self._experiment()).info
        try:
            self._sent(run.run_id, versions)
            for name in names:
                self._forget(name)
                self._client.create_registered_model(name)
                for kind in versions:
                    self._client.create_model_version(name, f"{run.artifact_uri}/{kind}", run.run_id)
                self.point(name, CHAMPION, "1")
            yield
        finally:
            for name in names:
                self._forget(name)
            self._client.delete_run(run.run_id)

    def _sent(self, run: str, versions: Mapping[str, bytes]) -> None:
        with TemporaryDirectory() as folder:
            file = Path(folder) / _FILE
            for kind, content in versions.items():
                file.write_bytes(content)
                self._client.log_artifact(run, str(file), kind)

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(_EXPERIMENT)
        return str(found.experiment_id if found else self._client.create_experiment(_EXPERIMENT))

    def _forget(self, name: str) -> None:
        try:
            self._client.delete_registered_model(name)
        except MlflowException as failure:
            if failure.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
