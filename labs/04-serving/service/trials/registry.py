"""MLflow, as far as experiments need it: models made up for a trial, and what the training has registered.

A trial's model goes when the trial ends, versions, aliases and files: every server of the stack loads what is
registered, and nothing of a trial is to stay in their memory.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from contracts.models import CHAMPION, MODEL
from runtime.mlflow import Mlflow, NotRegistered, RegistryFailure, path_of

log = logging.getLogger(__name__)

_EXPERIMENT = "trials"
"""Of MLflow, that the runs of trials belong to."""
_SECONDS = 30.0  # time limit of one call

_Told = dict[str, Any]


class Registry:
    """One MLflow server.

    Args:
        address: of the server.

    Raises:
        RegistryFailure: by every call that the server does not answer as it should.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._mlflow = Mlflow(address, _SECONDS)

    def close(self) -> None:
        """Leave the connections."""
        self._mlflow.close()

    @contextmanager
    def trial(self, name: str, *models: bytes, champion: str = "1") -> Iterator[None]:
        """Versions 1, 2, … of a model, until the trial ends.

        Args:
            name: of the model; what an earlier trial left under it goes first.
            models: model.onnx of each version.
            champion: the version that the alias of that name points to at first.
        """
        self.forget(name)
        run = self._run()
        try:
            self._mlflow.order("mlflow/registered-models/create", {"name": name})
            for number, content in enumerate(models, start=1):
                self._version(name, number, content, run)
                # At once: a server that looks at a model without alias takes its newest version, and says so till it
                # looks again.
                if str(number) == champion:
                    self.point(name, CHAMPION, champion)
            yield
        finally:
            self.forget(name)
            self._dropped(run)

    def point(self, name: str, alias: str, version: str) -> None:
        """Let an alias name a version."""
        self._mlflow.point(name, alias, version)

    def version(self, name: str, alias: str) -> dict[str, Any]:
        """The version that an alias names, as MLflow tells of it.

        Raises:
            NotRegistered: it names none.
        """
        told = self._mlflow.ask("mlflow/registered-models/alias", _Told, name=name, alias=alias)
        found: dict[str, Any] = told["model_version"]
        return found

    def current(self, name: str) -> dict[str, Any]:
        """The version in use, or the newest one of a model that has none.

        Raises:
            NotRegistered: there is no version.
        """
        # Versions before the alias: of what is registered and named in between, none is taken for the newest.
        wanted = f"name = '{name}'"
        told = self._mlflow.ask("mlflow/model-versions/search", _Told, filter=wanted, max_results=1000)
        with suppress(NotRegistered):
            return self.version(name, CHAMPION)
        versions = told.get("model_versions", [])
        if not versions:
            what = f"model {name} is not registered at {self._address}"
            raise NotRegistered(what, "let the training register it: `lab up` does")
        found: dict[str, Any] = max(versions, key=lambda each: int(each["version"]))
        return found

    def file(self, version: dict[str, Any], file: str) -> bytes:
        """A file of a version."""
        return self._mlflow.download(path_of(self._mlflow.located(version["name"], str(version["version"]))), file)

    def of_run(self, version: dict[str, Any], file: str) -> bytes:
        """A file of the run that a version came from."""
        run = self._mlflow.ask("mlflow/runs/get", _Told, run_id=version.get("run_id", ""))["run"]
        return self._mlflow.download(path_of(run["info"]["artifact_uri"]), file)

    def _run(self) -> dict[str, str]:
        """A run that the files of a trial belong to: its id and its place among the artifacts."""
        try:
            told = self._mlflow.ask("mlflow/experiments/get-by-name", _Told, experiment_name=_EXPERIMENT)
            experiment = told["experiment"]["experiment_id"]
        except NotRegistered:
            experiment = self._mlflow.order("mlflow/experiments/create", {"name": _EXPERIMENT})["experiment_id"]
        info = self._mlflow.order("mlflow/runs/create", {"experiment_id": experiment})["run"]["info"]
        return {"run_id": info["run_id"], "uri": info["artifact_uri"], "place": path_of(info["artifact_uri"])}

    def _version(self, name: str, number: int, content: bytes, run: dict[str, str]) -> None:
        self._mlflow.upload(f"{run['place']}/{number}", MODEL, content)
        told = {"name": name, "source": f"{run['uri']}/{number}", "run_id": run["run_id"]}
        self._mlflow.order("mlflow/model-versions/create", told)

    def forget(self, name: str) -> None:
        """Let a model go with its versions and aliases, if it is there."""
        order, body = "mlflow/registered-models/delete", {"name": name}
        _left(f"model {name}", lambda: self._mlflow.order(order, body, "DELETE"))

    def _dropped(self, run: dict[str, str]) -> None:
        """Let a trial's run go with its files."""
        _left("files of a trial", lambda: self._mlflow.remove(run["place"]))
        _left("run of a trial", lambda: self._mlflow.order("mlflow/runs/delete", {"run_id": run["run_id"]}))


def _left(what: str, let_go: Callable[[], object]) -> None:
    """Let something of a trial go; where that fails it is told, for the trial itself is done."""
    try:
        let_go()
    except NotRegistered:
        return
    except RegistryFailure as failure:
        log.warning("something of a trial may be left over", extra={"what": what, "cause": failure.what})
