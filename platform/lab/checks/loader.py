"""A lab's checks: its `checks` package, loaded by path, for a lab's folder name starts with a digit."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Protocol

from lab.checks.verdict import Check
from lab.errors import BadInput
from lab.text import Text


class Exercise(Protocol):
    """What is needed of an exercise of `lab.yaml`: `check` names a function of the lab's package."""

    @property
    def id(self) -> str:
        """Return its identifier, unique within the lab."""

    @property
    def title(self) -> Text:
        """Return its title."""

    @property
    def check(self) -> str:
        """Return the name of its check."""


def load(folder: Path, exercises: Iterable[Exercise]) -> dict[str, Check]:
    """Return the check of each exercise, by exercise.

    Args:
        folder: the lab's folder, such as `labs/01-patterns`.
        exercises: those of its `lab.yaml`.

    Raises:
        BadInput: the package is missing, cannot be loaded, or lacks a check.

    """
    package = _package(folder / "checks")
    return {exercise.id: _function(package, folder, exercise) for exercise in exercises}


def _package(folder: Path) -> ModuleType:
    name = "_lab_checks_" + re.sub(r"\W", "_", str(folder.resolve()))
    if name in sys.modules:
        return sys.modules[name]
    entry = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, entry, submodule_search_locations=[str(folder)])
    if not entry.is_file() or spec is None or spec.loader is None:
        raise BadInput(
            Text(en=f"{entry} is missing", fr=f"{entry} manque"),
            Text(en=f"restore it: git checkout -- {folder}", fr=f"rétablissez-le : git checkout -- {folder}"),
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        _forget(name)
        raise _broken(folder, error) from error
    return module


def _function(package: ModuleType, folder: Path, exercise: Exercise) -> Check:
    function: Check | None = getattr(package, exercise.check, None)
    if callable(function):
        return function
    where, wanted = folder / "checks", repr(exercise.check)
    raise BadInput(
        Text(
            en=f"exercise {exercise.id}: check: {wanted} is not in {where}",
            fr=f"exercice {exercise.id} : check : {wanted} n'est pas dans {where}",
        ),
        Text(
            en="correct `check` in lab.yaml, or export the function in checks/__init__.py",
            fr="corrigez `check` dans lab.yaml, ou exportez la fonction dans checks/__init__.py",
        ),
    )


def _forget(name: str) -> None:
    # A half-loaded package must not answer the next load.
    for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[module]


def _broken(folder: Path, error: Exception) -> BadInput:
    shown = f"{type(error).__name__}: {error}"
    return BadInput(
        Text(en=f"{folder} cannot be loaded: {shown}", fr=f"{folder} ne se charge pas : {shown}"),
        Text(
            en=f"correct it, or restore it: git checkout -- {folder}",
            fr=f"corrigez-le, ou rétablissez-le : git checkout -- {folder}",
        ),
    )
