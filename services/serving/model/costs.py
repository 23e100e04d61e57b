"""What runs of a model take, as it was measured."""

import math

_NEWEST = 0.2
"""Weight of the newest measurement in a mean."""
_SIZES = 64


class Costs:
    """What runs of a model take, by the size of what they are given.

    Sizes are told apart by powers of two: a mean over 1-row and 1,000-row requests would tell neither.
    """

    def __init__(self) -> None:
        self._seconds = [math.inf] * _SIZES
        self.typical = 0.0
        """Seconds of a run, whatever its size."""

    def expected(self, elements: int) -> float:
        """Seconds that a run of so many elements should take; infinite where none was measured."""
        return self._seconds[elements.bit_length()]

    def measured(self, elements: int, seconds: float) -> None:
        """A run of so many elements took so long."""
        size = elements.bit_length()
        known = self._seconds[size]
        self._seconds[size] = seconds if known == math.inf else known + _NEWEST * (seconds - known)
        self.typical = self.typical + _NEWEST * (seconds - self.typical) if self.typical else seconds
