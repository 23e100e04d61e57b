"""The figures of a budget and the ways in which a lab can come up, as people read them."""

from __future__ import annotations

from lab.text import Text

PEAK, CPU, DISK, IMAGES, SECONDS = FIGURES = ("peak_mib", "cpu_seconds", "disk_mib", "images_mib", "seconds")
"""Fields of `lab.spec.Budget` that are measured while a lab comes up; it explains each."""
NAMES = {
    PEAK: Text(en="memory at its peak", fr="mémoire au plus haut"),
    CPU: Text(en="CPU time until ready", fr="temps CPU jusqu'à la fin"),
    DISK: Text(en="disk", fr="disque"),
    IMAGES: Text(en="images", fr="images"),
    SECONDS: Text(en="time until ready", fr="durée jusqu'à la fin"),
}
_MIB, _SECONDS = Text(en="MiB", fr="Mio"), Text.plain("s")
UNITS = {PEAK: _MIB, CPU: _SECONDS, DISK: _MIB, IMAGES: _MIB, SECONDS: _SECONDS}

NOTHING, STOPPED, BARE, RESET, KEPT = "nothing", "stopped", "cluster", "reset", "kept"
"""Ways to a lab beside that from another one, which is `lab NN`."""
_WAYS = {
    NOTHING: Text(en="from nothing", fr="de rien"),
    STOPPED: Text(en="from a stopped cluster", fr="d'un cluster arrêté"),
    BARE: Text(en="on a cluster without a lab", fr="sur un cluster sans lab"),
    RESET: Text(en="after a reset", fr="après une remise à zéro"),
    KEPT: Text(en="put back from what was kept", fr="remis depuis ce qui était gardé"),
}


def ways(way: str) -> Text:
    """Return how a lab came, for people."""
    return _WAYS.get(way) or Text(en=f"from {way}", fr=f"depuis le {way}")
