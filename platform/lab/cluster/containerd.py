"""What containerd's own client says of a node's images."""

from __future__ import annotations

import re

LISTING = ("-n", "k8s.io", "images", "list")
"""Words of `ctr` that list the images which Kubernetes sees."""
_ROW = re.compile(r"(?P<name>\S+)\s+\S+\s+\w+:[0-9a-f]+\s+(?P<size>[\d.]+)\s+(?P<unit>[KMGT]i)?B\s")
"""Name, media type, digest, size; platforms and labels follow."""
_UNITS = {unit: 1 << (10 * power) for power, unit in enumerate(("", "Ki", "Mi", "Gi", "Ti"))}


def sizes(listing: str) -> dict[str, int]:
    """Return name -> bytes of each image of a listing: what its layers take as they came, to a tenth of ctr's unit."""
    return {
        row["name"]: round(float(row["size"]) * _UNITS[row["unit"] or ""])
        for row in map(_ROW.match, listing.splitlines())
        if row
    }
