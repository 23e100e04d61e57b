"""Variants are smaller in some way, say what that costs, and are the same bytes each time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from contracts import models
from training import arguments, estimators, variants
from training.dataset import Dataset
from training.errors import NotConverted
from training.fitting import Fitted, fit
from training.quantising import quantised
from training.scoring import Scorer

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module", params=sorted(variants.MAKERS))
def variant(request: pytest.FixtureRequest, data: Dataset) -> Fitted:
    """A variant of each kind."""
    return variants.fit(data, request.param, f"delay-{request.param}")


@pytest.fixture(scope="module")
def original(variant: Fitted, data: Dataset) -> Fitted:
    """What it was made of."""
    of = variants.MAKERS[variant.card.kind][0]
    return fit(data, of, f"delay-{of}")


def test_the_kinds_of_the_command_line_are_those_there_are() -> None:
    """`--kind` offers each variant beside the kinds."""
    assert set(arguments.VARIANTS) == set(variants.MAKERS)


def test_the_card_has_the_originals_figures_beside_its_own(variant: Fitted, original: Fitted) -> None:
    """Accuracy and bytes of both, on the same rows: what a variant costs stands where it is chosen."""
    told, before = variant.card.quality, original.card.quality
    for name in ("rmse", "mae", "calibration", "bias"):
        assert told[f"original_{name}"] == before[name]
        assert told[name] == variant.quality.figures()[name]
    assert (told["bytes"], told["original_bytes"]) == (len(variant.content), len(original.content))
    assert told["bytes_packed"] < told["original_bytes_packed"]
    assert told["rmse"] < 1.1 * told["original_rmse"]
    assert variant.parameters["original"] == original.card.name
    models.check(variant.card, variant.content)


def test_a_variant_is_served_as_its_original(variant: Fitted, original: Fitted, data: Dataset) -> None:
    """Same input and output, any number of rows, missing values too; predictions are near the original's."""
    scorers = [Scorer(each.content, len(data.features), "test") for each in (variant, original)]
    rows = data.held.features[:500]
    one, other = (each(rows) for each in scorers)
    assert np.isfinite(one).all()
    assert np.abs(one - other).max() <= variant.difference
    assert float(np.corrcoef(one, other)[0, 1]) > 0.9
    assert [len(scorers[0](rows[:count])) for count in (0, 1, 7)] == [0, 1, 7]
    assert variant.card.features == original.card.features


def test_the_same_rows_give_the_same_bytes(variant: Fitted, data: Dataset) -> None:
    """Made again, not one byte differs, nor does its card."""
    again = variants.fit(data, variant.card.kind, variant.card.name)
    assert again.content == variant.content
    assert again.card == variant.card


def test_another_process_gives_the_same_bytes(variant: Fitted, file: Path, tmp_path: Path) -> None:
    """Other addresses, another order of sets, more threads allowed: the same model."""
    words = ["fit", "--set", str(file), "--out", str(tmp_path), "--kind", variant.card.kind]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "services"), "OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-m", "training", *words], env={**env, "PYTHONHASHSEED": "1"}, check=True)
    assert (tmp_path / variant.card.kind / "model.onnx").read_bytes() == variant.content


def test_weights_of_eight_bits_are_weights_of_eight_bits(data: Dataset) -> None:
    """The layers' weights are INT8 in the file, and their scales were found without a held-out row."""
    made = variants.fit(data, "network-int8", "delay-network-int8")
    kinds = {
        numpy_helper.to_array(each).dtype
        for each in onnx.load_from_string(made.content).graph.initializer
        if numpy_helper.to_array(each).ndim == 2
    }
    assert kinds == {np.dtype(np.int8)}
    other = Dataset(data.manifest, data.name, data.features, data.train, data.train, data.lineage)
    assert variants.fit(other, "network-int8", "delay-network-int8").content == made.content


def test_pruned_weights_are_zero_and_no_others(data: Dataset) -> None:
    """As many as the card says, the smallest of each hidden layer; the last layer stays whole."""
    made = variants.fit(data, "network-pruned", "delay-network-pruned")
    before = estimators.fitted("network", data.train)[-1].coefs_
    found = [
        numpy_helper.to_array(each)
        for each in onnx.load_from_string(made.content).graph.initializer
        if numpy_helper.to_array(each).ndim == 2 and numpy_helper.to_array(each).shape in {it.shape for it in before}
    ]
    assert len(found) == len(before)
    zeros = sum(int((each == 0).sum()) for each in found)
    assert made.card.quality["sparsity"] == pytest.approx(zeros / sum(each.size for each in before), abs=1e-6)
    for after, was in zip(found[:-1], before[:-1], strict=True):
        assert np.abs(was[after == 0]).max() < np.abs(was[after != 0]).min()
        assert (after == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert (found[-1] != 0).all()


def test_the_first_trees_stay(data: Dataset) -> None:
    """A third of them: the model is a third as large, and predicts what the original did after so many trees."""
    made = variants.fit(data, "boosting-pruned", "delay-boosting-pruned")
    assert made.card.quality["trees"] == 50
    assert made.card.quality["bytes"] < 0.4 * made.card.quality["original_bytes"]
    trees = estimators.fitted("boosting", data.train)[-1]
    staged = list(trees.staged_predict(data.held.features.astype("float64")))[49]
    found = Scorer(made.content, len(data.features), "test")(data.held.features)
    np.testing.assert_allclose(found, staged, atol=1e-3)


def test_what_cannot_be_quantised_is_told() -> None:
    """The model is named."""
    with pytest.raises(NotConverted, match="model delay: onnxruntime cannot quantise it"):
        quantised(b"no model", np.zeros((10, 3), np.float32), "delay")


def test_int8_runs_in_whole_numbers(data: Dataset, tmp_path: Path) -> None:
    """The optimiser makes operators of eight bits of it: it is no model that is merely rounded."""
    made = variants.fit(data, "network-int8", "delay-network-int8")
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(made.content, options, providers=["CPUExecutionProvider"])
    operators = {each.op_type for each in onnx.load(tmp_path / "optimised.onnx").graph.node}
    assert operators & {"QLinearMatMul", "QGemm", "MatMulIntegerToFloat"}
