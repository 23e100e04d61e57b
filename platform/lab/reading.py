"""YAML, read safely: by libyaml where PyYAML was built with it, in an eighth of the time that Python itself takes."""

from __future__ import annotations

from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def document(text: str) -> Any:  # noqa: ANN401  YAML
    """Return what a text of one document holds.

    Raises:
        yaml.YAMLError: it is no YAML, or more than one document.

    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  a safe one


def documents(text: str) -> list[Any]:
    """Return what each document of a text holds, the empty ones left out.

    Raises:
        yaml.YAMLError: it is no YAML.

    """
    return [each for each in yaml.load_all(text, Loader=_LOADER) if each]
