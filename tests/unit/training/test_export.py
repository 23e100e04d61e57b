"""ONNX says what scikit-learn says, in the same bytes each time; what cannot be so is an error."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from sklearn.linear_model import HuberRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from training import estimators, export
from training.dataset import Dataset, Rows
from training.errors import BadModel, NotConverted, Unequal
from training.export import converted, difference, exported
from training.fitting import Fitted, fit
from training.scoring import Scorer

ROOT = Path(__file__).resolve().parents[3]


def test_onnx_predicts_what_the_estimator_predicts(made: Fitted, data: Dataset) -> None:
    """For rows with gaps, for none and for nothing but gaps, alone and together."""
    model = estimators.fitted(made.card.kind, data.train)
    rows = np.vstack([data.held.features[:300], np.full((1, len(data.features)), np.nan, np.float32)])
    assert difference(model, made.content, rows) < 1e-3
    assert made.difference < 1e-3


def test_the_signature_is_the_contract(made: Fitted, data: Dataset) -> None:
    """One input and one output of fixed names and types, any number of rows; no producer's version inside."""
    model = onnx.load_from_string(made.content)
    (given,), (answer,) = model.graph.input, model.graph.output
    told = [
        (each.name, each.type.tensor_type.elem_type, each.type.tensor_type.shape.dim[1].dim_value)
        for each in (given, answer)
    ]
    assert told == [("features", 1, len(data.features)), ("prediction", 1, 1)]
    assert not any(each.type.tensor_type.shape.dim[0].dim_value for each in (given, answer))
    versions = {each.domain: each.version for each in model.opset_import}
    assert versions.get("", 1) == made.card.opset <= export.OPSET
    assert versions["ai.onnx.ml"] <= export.OPSET_ML
    assert (model.producer_name, model.producer_version, model.doc_string) == ("tarmac", "", "")
    scorer = Scorer(made.content, len(data.features), "test")
    assert [len(scorer(data.held.features[:count])) for count in (0, 1, 7)] == [0, 1, 7]


def test_a_value_beside_a_threshold_goes_the_way_it_goes_in_the_estimator() -> None:
    """Given two values with no other float32 between them, then a threshold between the two keeps them apart.

    Rounded to the nearest float32, half of such thresholds become the upper value, and both go the same way.
    """
    for low in np.linspace(1, 2, 6, dtype=np.float32):
        rows = np.array([[low], [np.nextafter(low, np.float32(3))]] * 100, dtype=np.float32)
        label = np.array([0.0, 50.0] * 100)
        model = estimators.fitted("boosting", Rows(rows, label, np.zeros(200, np.int64)))
        assert np.ptp(model.predict(rows.astype("float64"))) > 40
        assert exported(model, rows[:2]).difference < 1e-3


def test_the_same_rows_give_the_same_bytes(made: Fitted, data: Dataset) -> None:
    """Fitted and written again, not one byte differs."""
    again = fit(data, made.card.kind, made.card.name)
    assert again.content == made.content
    assert again.card == made.card


def test_another_process_gives_the_same_bytes(data: Dataset, file: Path, tmp_path: Path) -> None:
    """Other addresses, another order of sets, more threads allowed: the same models."""
    words = ["fit", "--set", str(file), "--out", str(tmp_path)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "services"), "OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-m", "training", *words], env={**env, "PYTHONHASHSEED": "1"}, check=True)
    for kind in estimators.KINDS:
        found = (tmp_path / kind / "model.onnx").read_bytes()
        assert hashlib.sha256(found).hexdigest() == fit(data, kind, kind).card.sha256


def test_the_order_of_what_a_model_needs_is_fixed(made: Fitted) -> None:
    """skl2onnx goes through a set: in the file, versions of operators stand in the order of their names."""
    domains = [each.domain for each in onnx.load_from_string(made.content).opset_import]
    assert domains == sorted(domains)


def test_another_seed_gives_other_bytes(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash tells models apart."""
    one = converted(estimators.fitted("network", data.train), len(data.features))
    monkeypatch.setattr(estimators, "SEED", 2014)
    assert converted(estimators.fitted("network", data.train), len(data.features)) != one


class TestRefusal:
    """What cannot be served as it was trained is never handed on."""

    def test_a_part_that_onnx_does_not_have(self, data: Dataset) -> None:
        """The step is named, and what to do."""
        odd = Pipeline([("bend", FunctionTransformer(np.sin)), ("scale", StandardScaler())]).fit(data.held.features)
        with pytest.raises(NotConverted, match=r"StandardScaler.*skl2onnx"):
            converted(odd, len(data.features))

    def test_a_model_that_predicts_something_else(self, made: Fitted, data: Dataset) -> None:
        """Given the bytes of one model beside another estimator, then row, both values and their number are told."""
        other = estimators.fitted("linear" if made.card.kind != "linear" else "boosting", data.train)
        with pytest.raises(Unequal, match=r"row \d+: ONNX says .*, scikit-learn .*of \d+ rows"):
            difference(other, made.content, data.held.features)

    def test_a_prediction_that_is_no_number(self, data: Dataset) -> None:
        """NaN on one side is no equality: a regression that cannot take gaps is refused."""
        rows = np.nan_to_num(data.train.features)
        model = Pipeline([("scale", StandardScaler()), ("fit", HuberRegressor(max_iter=1000))])
        model.fit(rows, data.train.label)
        exported(model, rows)
        content = converted(model, rows.shape[1])
        holes = rows.copy()
        holes[5] = np.nan
        model.predict = lambda each: np.zeros(len(each))
        with pytest.raises(Unequal):
            difference(model, content, holes)

    @pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x07" * 50])
    def test_bytes_that_are_no_model(self, content: bytes) -> None:
        """They are told as such, by the checker and by the runtime."""
        with pytest.raises(BadModel, match="delay-linear"):
            Scorer(content, 3, "delay-linear")
        with pytest.raises(NotConverted, match="delay-linear"):
            export.verified(content, "delay-linear")

    def test_a_model_of_another_width(self, made: Fitted) -> None:
        """A card that names other columns than the model takes is noticed before anybody asks."""
        with pytest.raises(BadModel, match="signature"):
            Scorer(made.content, 3, "delay")
