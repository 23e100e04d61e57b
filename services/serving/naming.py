"""How callers, paths and compositions name a model and one of its versions."""

from serving.errors import Unreadable

Aim = tuple[str, str]
"""A model, and a version, an alias or nothing (the default)."""


def aim(model: str, version: str) -> Aim:
    """A model and a selector; `model@alias` names an alias as MLflow does."""
    name, _, alias = model.partition("@")
    if alias and version:
        raise Unreadable(f"model {model:.60} and version {version:.60} name two versions", "name one")
    return name, version or alias
