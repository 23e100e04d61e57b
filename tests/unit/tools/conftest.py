"""An empty machine for the tool: no program but the fakes of a test, and a cache of its own."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lab.settings import Settings
from unit.wire import Wire, install


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Return fakes that are all there is on PATH, and a package index in a folder that pip is pointed to."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return install(tmp_path / "wire", monkeypatch, alone=True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings whose cache is empty."""
    return Settings.load({"HOME": str(tmp_path), "LAB_CACHE": str(tmp_path / "cache")})


def offer(folder: Path, requirement: str, files: dict[str, str]) -> None:
    """Put a wheel with the given files into the index of a test."""
    name, version = requirement.split("==")
    name = name.replace("-", "_")
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / "index" / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
