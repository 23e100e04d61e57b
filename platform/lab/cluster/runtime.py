#!/usr/bin/env python3
"""An OCI runtime in front of runc for hosts whose bounding set lacks CAP_SYS_RESOURCE.

Such a host (some sandboxes, rootless containers) cannot grant that capability, raise limits or lower an OOM score, so
runc refuses every privileged container. This program takes those three wishes out of the container's specification and
then becomes runc. dockerd runs it by its path; it imports the standard library only.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

CAPABILITY = "CAP_SYS_RESOURCE"


def relaxed(process: dict[str, Any]) -> dict[str, Any]:
    """Return an OCI process without what the host cannot grant."""
    capabilities = {
        kind: [name for name in names if name != CAPABILITY]
        for kind, names in (process.get("capabilities") or {}).items()
    }
    kept = {key: value for key, value in process.items() if key not in ("rlimits", "oomScoreAdj")}
    return kept | ({"capabilities": capabilities} if capabilities else {}) | {"oomScoreAdj": 0}


def rewrite(path: Path, *, nested: bool) -> None:
    """Rewrite a bundle's `config.json` (process nested) or a `--process` file in place."""
    content = json.loads(path.read_text())
    if nested:
        content["process"] = relaxed(content.get("process") or {})
    else:
        content = relaxed(content)
    path.write_text(json.dumps(content))


def option(arguments: list[str], name: str) -> str | None:
    """Return the value of `--name value` or `--name=value`."""
    for position, word in enumerate(arguments):
        if word == name and position + 1 < len(arguments):
            return arguments[position + 1]
        if word.startswith(f"{name}="):
            return word.split("=", 1)[1]
    return None


def main(arguments: list[str]) -> None:
    """Relax what runc is about to read, then become runc."""
    bundle, process = option(arguments, "--bundle"), option(arguments, "--process")
    if bundle and "create" in arguments:
        rewrite(Path(bundle) / "config.json", nested=True)
    if process:
        rewrite(Path(process), nested=False)
    os.execvp("runc", ["runc", *arguments])  # noqa: S606, S607  runc is the distribution's own, on PATH


if __name__ == "__main__":
    main(sys.argv[1:])
