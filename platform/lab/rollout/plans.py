"""A plan of a release from a file (YAML or JSON) and from options of the command; the controller judges it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lab import reading
from lab.errors import BadInput
from lab.text import Text

Plan = dict[str, Any]

_STRATEGY = "canary"


def plan(file: Path | None, *, model: str | None, version: str | None, strategy: str | None) -> Plan:
    """Return the plan of a file, with what is named beside it in the place of what the file says.

    Raises:
        BadInput: the file cannot be read or holds no plan, or the model or its version is named nowhere.

    """
    content = _read(file) if file is not None else {}
    given = {"model": model, "version": version, "strategy": strategy}
    told: Plan = {"strategy": _STRATEGY, **content, **{key: value for key, value in given.items() if value is not None}}
    for field in ("model", "version"):
        if field not in told:
            where = str(file) if file is not None else "lab release start"
            raise BadInput(
                Text(en=f"{where}: there is no {field}", fr=f"{where} : il n'y a pas de {field}"),
                Text(
                    en=f"name it in the plan, or with --{field}; MLflow's page lists models and versions",
                    fr=f"nommez-le dans le plan, ou avec --{field} ; la page de MLflow liste modèles et versions",
                ),
            )
    return told


def _read(file: Path) -> Plan:
    try:
        content = reading.document(file.read_text("utf-8"))
    except OSError as error:
        raise _unusable(file, error.strerror or str(error)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _unusable(file, " ".join(str(error).split())) from error
    if not isinstance(content, dict):
        raise _unusable(file, f"{type(content).__name__}, not fields with values")
    return content


def _unusable(file: Path, reason: str) -> BadInput:
    return BadInput(
        Text(en=f"plan {file}: {reason}", fr=f"plan {file} : {reason}"),
        Text(
            en="give a YAML or JSON file with strategy, model, version and what else the release is to heed",
            fr="donnez un fichier YAML ou JSON avec strategy, model, version et ce que la livraison doit respecter",
        ),
    )
