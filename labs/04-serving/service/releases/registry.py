"""MLflow's registry, as a release needs it: which versions there are, and where an alias points."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from releases.errors import BadPlan, NoRegistry
from runtime.mlflow import Mlflow, NotRegistered, RegistryFailure

_SECONDS = 10.0  # time limit of one call


class Registry:
    """The registry at a base address.

    Args:
        address: such as `http://mlflow.data.svc:5000`.
    """

    def __init__(self, address: str) -> None:
        self._mlflow = Mlflow(address, _SECONDS)

    def point(self, model: str, alias: str, version: str) -> None:
        """Let `alias` of `model` point to `version`; the same again changes nothing.

        Raises:
            NoRegistry: there is no such model or version, or MLflow does not answer.
        """
        with _named(f"alias {alias} of {model} to version {version}"):
            self._mlflow.point(model, alias, version)

    def require(self, model: str, version: str) -> None:
        """See that a model has a version.

        Raises:
            BadPlan: it has not.
            NoRegistry: MLflow does not say.
        """
        with _named(f"version {version} of {model}"):
            try:
                self._mlflow.ask("mlflow/model-versions/get", dict[str, Any], name=model, version=version)
            except NotRegistered:
                remedy = "register it first, or name one that MLflow's page shows"
                raise BadPlan(f"plan, version: MLflow has no version {version} of model {model}", remedy) from None

    def close(self) -> None:
        """Leave the connections."""
        self._mlflow.close()


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Let MLflow's failures go by the controller's name, which the tool knows."""
    try:
        yield
    except RegistryFailure as failure:
        raise NoRegistry(f"{what}: {failure.what}", failure.remedy) from failure
