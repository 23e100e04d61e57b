"""python -m trials.bare MODEL: the least that predicts; a model, its runtime, and one row after the other.

Each line of standard input holds the values of a row; its prediction is a line of standard output.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trials.local import Local


def main(arguments: Sequence[str]) -> int:
    """Predict until there are no more lines; the exit code."""
    model = Local(Path(arguments[0]).read_bytes())
    for line in sys.stdin:
        row = np.array([[float(value) for value in line.split()]], np.float32)
        sys.stdout.write(f"{model(row)[0]:.6g}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
