"""python -m trials.job MODEL ROWS PREDICTIONS: predict all rows of a file at once, and end.

Both files are numpy's; rows are float32 [N, K], predictions float32 [N].
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trials.local import Local

BATCH = 512
"""Rows of a run."""


def main(arguments: Sequence[str]) -> int:
    """Predict; the exit code."""
    model, source, target = map(Path, arguments)
    local, rows = Local(model.read_bytes()), np.load(source)
    parts = [local(rows[begin : begin + BATCH]) for begin in range(0, len(rows), BATCH)]
    np.save(target, np.concatenate(parts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
