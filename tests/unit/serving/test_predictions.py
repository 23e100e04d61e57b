"""The histogram of predictions: what a release compares between two versions."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from serving.figures import Figures
from serving.tally import MINUTES
from unit.serving.asking import Site, tensor
from unit.serving.graphs import identity, linear, mixed, put

BUCKET = 'serving_prediction_bucket{le="%s",model="m",version="1"} %s\n'


def test_each_row_is_counted(tmp_path: Path) -> None:
    """By one request or several, with the bound that Prometheus means: up to and with it."""
    put(tmp_path, "m", "1", linear())
    site = Site(tmp_path)
    for rows in ([[1, 2, 2]], [[-100, 0, 0], [300, 0, 0], [5, 0, 0.5]]):
        asked = {"inputs": [tensor("features", [len(rows), 3], data=rows)]}
        assert site.post("/v2/models/m/infer", asked).status == 200
    page = site.get("/metrics").body.decode()
    for bound, count in (("-60", 1.0), ("0", 1.0), ("5", 2.0), ("10", 3.0), ("240", 3.0), ("+Inf", 4.0)):
        assert BUCKET % (bound, count) in page


@pytest.mark.parametrize("model", [mixed(), identity(TensorProto.INT64, ("N", 1)), identity(TensorProto.FLOAT)])
def test_outputs_that_are_no_column_of_floats_are_not_counted(tmp_path: Path, model: onnx.ModelProto) -> None:
    """Then there is no such metric of the model, rather than an empty one."""
    put(tmp_path, "m", "1", model)
    assert "serving_prediction_bucket" not in Site(tmp_path).get("/metrics").body.decode()


def test_what_is_not_finite_is_left_out() -> None:
    """A value that is none falls into no bucket and spoils no sum."""
    tally = Figures().tally("m", "1")
    tally.watch("y")
    for values in ([math.nan], [math.nan, math.inf, 3.0], [], [5.0], [5.0] * 100 + [-math.inf]):
        tally.predicted(["x", "y"], [np.zeros(9), np.array(values, np.float32).reshape(-1, 1)])
    tally.predicted(["x"], [np.zeros(9)])
    assert tally.predictions
    assert sum(tally.predictions.counts) == tally.predictions.counts[MINUTES.index(5)] == 102
    assert tally.predictions.total == 508
