"""What containerd's client prints of a node's images."""

from __future__ import annotations

from collections.abc import Mapping

_HEAD = "REF TYPE DIGEST SIZE PLATFORMS LABELS\n"
_KIND = "application/vnd.docker.distribution.manifest.v2+json"


def listing(sizes: Mapping[str, str]) -> str:
    """Return the output of `ctr images list` for name -> size as ctr writes it."""
    label = "io.cri-containerd.image=managed"
    return _HEAD + "".join(
        f"{name:20} {_KIND} sha256:{'0af3' * 16} {size:9} linux/amd64 {label} \n" for name, size in sizes.items()
    )
