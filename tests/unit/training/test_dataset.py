"""A training set as numbers: split by time, gaps as NaN, and refused where it is not what it says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from contracts.training_sets import beside
from training import dataset
from training.dataset import Dataset
from training.errors import BadSet, Leaks, TooFew
from unit.training import sets

FEBRUARY = dt.datetime(2013, 2, 1, tzinfo=dt.UTC)
EPOCH = dt.date(1970, 1, 1)


def changed(file: Path, **fields: object) -> Path:
    """The set with other words in its manifest."""
    place = beside(file)
    told = msgspec.json.decode(place.read_bytes()) | fields
    place.write_bytes(msgspec.json.encode(told))
    return file


class TestSplit:
    """What is learnt from lies before what is held out, with a day between."""

    def test_the_last_month_is_held_out(self, data: Dataset) -> None:
        """January without its last day to learn from, all of February held out."""
        train, held = ([EPOCH + dt.timedelta(days=int(day)) for day in np.unique(side.days)] for side in _sides(data))
        assert (train[0], train[-1]) == (dt.date(2013, 1, 1), dt.date(2013, 1, 30))
        assert (held[0], held[-1]) == (dt.date(2013, 2, 1), dt.date(2013, 2, 28))
        assert (len(data.train), len(data.held)) == (30 * 60, 28 * 60)

    def test_another_day_may_be_named(self, file: Path) -> None:
        """Given a day, then it is the first that is held out."""
        found = dataset.read(file, dt.datetime(2013, 2, 20, tzinfo=dt.UTC))
        assert len(np.unique(found.held.days)) == 9
        assert found.lineage["held_from"] == "2013-02-20T00:00:00Z"

    @pytest.mark.parametrize("day", ["2013-01-01", "2013-03-01"])
    def test_a_side_without_rows_is_refused(self, file: Path, day: str) -> None:
        """Nothing to learn from, or nothing to be judged by: the message says which, and what to do."""
        with pytest.raises(TooFew, match=r"0 rows (to learn from|held out).*--held-from"):
            dataset.read(file, dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC))


def _sides(data: Dataset) -> tuple[dataset.Rows, dataset.Rows]:
    return data.train, data.held


class TestNumbers:
    """The matrix that the estimators see."""

    def test_the_columns_are_the_features_in_order_as_float32(self, data: Dataset, file: Path) -> None:
        """Every number is the set's own, a missing one is NaN, and nothing else is."""
        rows = pl.read_parquet(file).filter(pl.col("predicted_at") >= FEBRUARY)
        assert data.features == sets.FEATURES
        assert data.held.features.dtype == np.float32
        for number, name in enumerate(data.features):
            wanted = rows.get_column(name).cast(pl.Float32).fill_null(float("nan")).to_numpy()
            np.testing.assert_array_equal(data.held.features[:, number], wanted)
        assert 0.05 < np.isnan(data.held.features).mean() < 0.15
        np.testing.assert_array_equal(data.held.label, rows.get_column("label").to_numpy())

    def test_features_can_be_left_out(self, file: Path) -> None:
        """What is left out is no column; by itself the set leaves instants out."""
        assert dataset.read(file, without=sets.FEATURES[:2]).features == sets.FEATURES[2:]
        assert dataset.INSTANTS == ("tail_last_arrival_at",)

    def test_rows_that_are_kept_are_brought_again(self, data: Dataset, tmp_path: Path) -> None:
        """Some of the columns, in any order, to the bit; a column that was not kept is told."""
        place = dataset.kept(data.held, data.features, tmp_path / "rows.parquet")
        names = (data.features[4], data.features[1])
        found = dataset.brought(place, names)
        np.testing.assert_array_equal(found.features, data.held.features[:, [4, 1]])
        np.testing.assert_array_equal(found.label, data.held.label)
        np.testing.assert_array_equal(found.days, data.held.days)
        with pytest.raises(BadSet, match="weather_temp"):
            dataset.brought(place, ("weather_temp",))


def test_the_lineage_names_all_that_the_set_is_made_from(data: Dataset) -> None:
    """Hashes of DVC, file, definitions and steps, and the version of each table."""
    assert data.lineage["dvc"] == sets.MD5
    assert data.lineage["sha256"] == data.manifest.sha256
    assert (data.lineage["registry"], data.lineage["recipe"]) == (data.manifest.registry, "0" * 64)
    assert data.lineage["delta/silver/flights"] == "7"
    assert data.lineage["delta/gold/features/delays"] == "3"


class TestRefusal:
    """A set that is not what it says teaches nothing."""

    def test_one_with_leaks(self, tmp_path: Path) -> None:
        """The columns are named: a model of them is of no use once it is asked."""
        file = sets.made(tmp_path, leaks=("arrival_delay", "air_time"))
        with pytest.raises(Leaks, match=r"arrival_delay, air_time.*--allow-leak"):
            dataset.read(file)

    def test_one_whose_bytes_were_changed(self, tmp_path: Path) -> None:
        """The hash of the file is not that of the manifest."""
        file = sets.made(tmp_path)
        file.write_bytes(file.read_bytes() + b"!")
        with pytest.raises(BadSet, match="its manifest says"):
            dataset.read(file)

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"registry": "f" * 64}, "made by feature definitions ffffffffffff"),
            ({"service": "delay_v9"}, "delay_v9"),
            ({"service": "delay_v2"}, "weather_temp.*which delay_v2 needs"),
            ({"colour": "red"}, "colour"),
            ({"rows": "many"}, "rows"),
        ],
    )
    def test_one_whose_manifest_says_something_else(self, tmp_path: Path, fields: dict[str, object], told: str) -> None:
        """Other definitions, an unknown service, features that are not there, words that are none of a manifest."""
        with pytest.raises(BadSet, match=told):
            dataset.read(changed(sets.made(tmp_path), **fields))

    def test_a_place_without_a_set(self, tmp_path: Path) -> None:
        """An empty folder, a folder with two, a file that is not there, one without a manifest."""
        with pytest.raises(BadSet, match="no Parquet file"):
            dataset.read(tmp_path)
        file = sets.made(tmp_path)
        assert dataset.located(tmp_path) == file
        (tmp_path / "other.parquet").write_bytes(b"")
        with pytest.raises(BadSet, match=r"flights\.parquet, other\.parquet"):
            dataset.read(tmp_path)
        with pytest.raises(BadSet, match="nowhere"):
            dataset.read(tmp_path / "nowhere.parquet")
        beside(file).unlink()
        with pytest.raises(BadSet, match=r"manifest\.json"):
            dataset.read(file)
