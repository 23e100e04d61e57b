"""How much memory this container has left, as the kernel counts it (cgroup v2)."""

from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
_SHARE = 0.9
"""Of what is left; the server goes on working meanwhile."""


def container_room(cgroup: Path = CGROUP) -> int | None:
    """Bytes that may still be taken; None where nothing bounds them, or nobody tells.

    Args:
        cgroup: folder of the container's control group.
    """
    try:
        most = (cgroup / "memory.max").read_text("ascii").strip()
        now = int((cgroup / "memory.current").read_text("ascii"))
        lines = (cgroup / "memory.stat").read_text("ascii").splitlines()
    except (OSError, ValueError):
        return None
    if most == "max":
        return None
    told = dict(line.split() for line in lines)
    files = int(told.get("inactive_file", 0)) + int(told.get("active_file", 0))  # given up where memory is short
    return max(int(_SHARE * (int(most) - now + files)), 1)
