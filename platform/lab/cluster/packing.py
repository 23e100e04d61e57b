"""Folders of a node's volumes, packed while their containers stand still, and unpacked: as words for its shell.

What a packed folder holds is what a disk would hold after a power cut: every store of the platform survives that.
The object store keeps what it knows of an object in extended attributes of the object's file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from lab.errors import BadInput
from lab.text import Text

_PACK = """\
held=
# However this ends, also when nobody reads what it writes any more, the containers go on.
trap 'for each in $held; do $CTR tasks resume "$each" >&2; done' EXIT
trap 'exit 1' INT TERM HUP PIPE
root=$1; shift
while [ "$1" != -- ]; do
    # One that has just ended writes nothing either.
    $CTR tasks pause "$1" >/dev/null 2>&1 && held="$held $1"
    shift
done
shift
tar --create --sparse --numeric-owner --xattrs --xattrs-include="user.*" --directory "$root" --file - "$@"
"""
_UNPACK = """\
set -e
# Beside the volumes until all of it has come: cut off, it leaves them as they were.
aside=$1/.unpacking; shift
rm -rf "$aside"; mkdir "$aside"
trap '[ "$whole" ] || rm -rf "$aside"' EXIT
trap 'exit 1' INT TERM HUP PIPE
tar --extract --numeric-owner --same-permissions --xattrs --xattrs-include="user.*" --directory "$aside" --file - "$@"
whole=yes
"""
_PLACE = """\
set -e
root=$1; shift
while [ $# -gt 0 ]; do rm -rf "$root/$2"; mv "$root/.unpacking/$1" "$root/$2"; shift 2; done
rm -rf "$root/.unpacking"
"""


def packing(ctr: str, root: str, folders: Sequence[str], containers: Sequence[str]) -> tuple[str, ...]:
    """Return the words that write folders of a root as a tar archive to standard output.

    Args:
        ctr: how containerd's client is called.
        root: the folder that all of them lie in.
        folders: their names.
        containers: what stands still meanwhile, by containerd's ids.
    """
    return ("env", f"CTR={ctr} -n k8s.io", "sh", "-c", _PACK, "pack", root, *containers, "--", *folders)


def unpacking(root: str, folders: Collection[str]) -> tuple[str, ...]:
    """Return the words that read such an archive from standard input; what it holds is laid aside, below the root.

    An archive that is cut off leaves nothing.

    Args:
        root: the folder that the others lie in.
        folders: their names in the archive.
    """
    return ("sh", "-c", _UNPACK, "unpack", root, *folders)


def placing(root: str, folders: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words that put what was laid aside in its place; what the folders held goes, and so does the rest.

    Args:
        root: the folder that the others lie in.
        folders: name in the archive -> name below the root.
    """
    return ("sh", "-c", _PLACE, "place", root, *(name for pair in folders.items() for name in pair))


def out_of_reach() -> BadInput:
    """Return the error for a cluster whose volumes lie where the tool does not come."""
    return BadInput(
        Text(
            en="the volumes of this cluster are out of reach: no state can be kept or put back",
            fr="les volumes de ce cluster sont hors de portée : aucun état ne peut être gardé ni remis",
        ),
        Text(
            en="use a cluster of the tool's own (LAB_CLUSTER=kind), or replay: `lab reset`, `lab solve`",
            fr="utilisez un cluster de l'outil (LAB_CLUSTER=kind), ou rejouez : `lab reset`, `lab solve`",
        ),
    )
