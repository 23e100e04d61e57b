"""A small checkout for tests to break."""

from __future__ import annotations

from pathlib import Path

from lab.commands import lab
from lab.docs import Checkout

GUIDE = """# Lab 01

See [the other](guide.fr.md#lab-01) and `manifests/start/one.yaml`.

## Look

```bash
lab check 01 || true
```

```output
✗ one  Do it
…
0 of <number> exercises are done.
```

```bash
echo done > /dev/null
echo pod-5f2b ready
```

```output
pod-<id> ready
```
"""
FRENCH = (
    GUIDE.replace("guide.fr.md", "guide.md")
    .replace("<number>", "<nombre>")
    .replace("<id>", "<identifiant>")
    .replace("## Look", "## Regarder")
)


def made(root: Path) -> Checkout:
    """Write a checkout of one lab whose documents say nothing wrong."""
    files = {
        "Makefile": "lab-%: venv ## up\n",
        "README.md": "Type `make lab-01`, or `lab up 01`.\n",
        "labs/01-first/lab.yaml": "",
        "labs/01-first/guide.md": GUIDE,
        "labs/01-first/guide.fr.md": FRENCH,
        "labs/01-first/manifests/start/one.yaml": "",
        "docs/adr/0001-first.md": "# First\n",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Checkout(root, lab)
