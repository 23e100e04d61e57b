"""MLflow's registry over REST: which versions there are, and where an alias points."""

import httpx

from releases.errors import BadPlan, NoRegistry

_SECONDS = 10.0  # time limit of one call
_VERSION = "/api/2.0/mlflow/model-versions/get"
_ALIAS = "/api/2.0/mlflow/registered-models/alias"


class Registry:
    """The registry at a base address.

    Args:
        address: such as `http://mlflow.platform.svc:5000`.
    """

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False)

    def point(self, model: str, alias: str, version: str) -> None:
        """Let `alias` of `model` point to `version`; the same again changes nothing.

        Raises:
            NoRegistry: there is no such model or version, or MLflow does not answer.
        """
        body = {"name": model, "alias": alias, "version": version}
        what = f"alias {alias} of {model} to version {version}"
        try:
            answer = self._client.post(_ALIAS, json=body)
        except httpx.HTTPError as failure:
            raise NoRegistry(f"{what}: {failure!r}", "`lab status` shows whether MLflow stands") from failure
        if answer.is_error:
            remedy = "look into MLflow whether the model has that version"
            raise NoRegistry(f"{what}: MLflow answered {answer.status_code} {answer.text[:200]}", remedy)

    def require(self, model: str, version: str) -> None:
        """See that a model has a version.

        Raises:
            BadPlan: it has not.
            NoRegistry: MLflow does not say.
        """
        what = f"version {version} of {model}"
        try:
            answer = self._client.get(_VERSION, params={"name": model, "version": version})
        except httpx.HTTPError as failure:
            raise NoRegistry(f"{what}: {failure!r}", "`lab status` shows whether MLflow stands") from failure
        if answer.status_code == httpx.codes.NOT_FOUND:
            remedy = "register it first, or name one that MLflow's page shows"
            raise BadPlan(f"plan, version: MLflow has no version {version} of model {model}", remedy)
        if answer.is_error:
            remedy = "look at MLflow's log"
            raise NoRegistry(f"{what}: MLflow answered {answer.status_code} {answer.text[:200]}", remedy)

    def close(self) -> None:
        """Leave the connections."""
        self._client.close()
