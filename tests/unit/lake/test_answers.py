"""What `watch` answers: the daily pages, and the row that came from a place of the log."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import httpx
import polars as pl
import pytest

from contracts.topics import DEPARTED, WEATHER
from lake.answers import Reports, Rows
from lake.quality import daily, report, watch
from lake.store import Origin
from runtime.health import Health
from runtime.web import Page, Web
from unit.lake.worlds import World, departed, reading

GOOD, BAD = dt.date(2013, 1, 4), dt.date(2013, 1, 5)


def judgement(day: dt.date, *, alarm: bool) -> dict[str, object]:
    """What a monitor said of a day."""
    return {
        "table": "silver/weather", "monitor": "volume", "column": "", "value": 3.0, "low": 0.0, "high": 5.0,
        "alarm": alarm, "rows": 24, "date": day,
    }  # fmt: skip


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[str]:
    """Return where the answers of a lake with two judged days are: a good one, then a bad one."""
    rows = [judgement(GOOD, alarm=False), judgement(BAD, alarm=True), judgement(BAD, alarm=True)]
    found = pl.DataFrame(rows)
    world.lake.write(daily.TABLE, found, Origin((), ""), partition="date")
    report.write(found, tmp_path / "pages")
    (tmp_path / "pages" / "2013-01-06.part").write_text("half of a page")
    watched = watch.Watch(world.lake, figures := watch.Figures(), Health())
    watched.look()
    reports = Reports(tmp_path / "pages", lambda: watched.alarms)
    questions = {"reports": reports.told, "rows": Rows(world.lake).told}
    web = Web(0, Health(), figures.registry, questions=questions, host="127.0.0.1").start()
    yield f"http://127.0.0.1:{web.port}"
    web.close()


class TestReports:
    """The pages that `quality` wrote, for whoever has a browser and no way into the volume."""

    def test_the_list_leads_to_each_day_newest_first_and_marks_alarms(self, site: str) -> None:
        """A bad day is seen from the list; what is only half written is not there yet."""
        answer = httpx.get(f"{site}/reports")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        lines = [line for line in answer.text.split("<tr") if "/reports/" in line]
        assert [f"/reports/{day}" in line for day, line in zip((BAD, GOOD), lines, strict=True)] == [True, True]
        assert [("class=bad" in line, "<td>2<" in line) for line in lines] == [(True, True), (False, False)]

    def test_each_link_of_the_list_leads_to_a_page(self, site: str) -> None:
        """The page of a day is the file that was written, as it was written."""
        answer = httpx.get(f"{site}/reports/{BAD}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "monitors that alarm: 2 of 2 / moniteurs en alerte : 2 sur 2" in answer.text
        assert "Qualité des données, 2013-01-05" in answer.text

    def test_a_day_without_a_page_names_those_that_have_one(self, site: str) -> None:
        """Whoever asks for the wrong day is told which ones there are."""
        answer = httpx.get(f"{site}/reports/2013-01-06")
        assert answer.status_code == 404
        assert answer.json()["days"] == ["2013-01-04", "2013-01-05"]

    @pytest.mark.parametrize(
        "path",
        ["yesterday", "..", "%2e%2e%2fsecret", "2013-01-05.html", "2013-02-30", "2013-01-05/2013-01-04"],
    )
    def test_only_a_day_is_ever_looked_up(self, site: str, path: str) -> None:
        """No path leads out of the folder: what is no date is refused before any file is touched."""
        # Not the usual client, which resolves dots by itself.
        with closing(HTTPConnection(site.removeprefix("http://"))) as web:
            web.request("GET", f"/reports/{path}")
            answer = web.getresponse()
            assert answer.status == HTTPStatus.BAD_REQUEST
            assert "2013-01-05" in json.load(answer)["error"]

    def test_a_lake_that_was_never_judged_says_so(self, tmp_path: Path) -> None:
        """No folder yet, no day yet: a page all the same, in both languages."""
        status, answer = Reports(tmp_path / "nothing", dict).told(())
        assert status == HTTPStatus.OK
        assert isinstance(answer, Page)
        assert "no day has been judged yet / aucun jour n'a encore été jugé" in answer.html


class TestRows:
    """From a place of the log to the row of bronze."""

    @pytest.mark.parametrize("offset", [0, 1, 2])
    def test_a_place_leads_to_its_row(self, world: World, offset: int) -> None:
        """All columns as JSON takes them; instants in ISO 8601."""
        world.add([departed(number, flight=11 + number) for number in range(2)])
        world.add([departed(2, flight=13)])
        status, row = Rows(world.lake).told((DEPARTED, "0", str(offset)))
        assert status == HTTPStatus.OK
        assert (row["flight"], row["kafka_offset"], row["date"]) == (11 + offset, offset, "2013-01-01")
        assert row["time"] == f"2013-01-01T00:0{offset}:00+00:00"

    def test_the_row_comes_out_over_http(self, site: str, world: World) -> None:
        """Missing values and instants survive the way."""
        world.add([reading(0, temp=None)])
        row = httpx.get(f"{site}/rows/{WEATHER}/0/0").json()
        assert (row["station"], row["temp"], row["time"]) == ("JFK", None, "2013-01-01T00:00:00+00:00")

    def test_only_files_that_may_hold_the_row_are_read(self, world: World, tmp_path: Path) -> None:
        """The table's own figures exclude the others: with those gone from the disk, the answer is the same."""
        files: list[set[Path]] = []
        for number in range(3):
            world.add([departed(number, flight=11 + number)])
            files.append(set(tmp_path.glob(f"lake/bronze/{DEPARTED}/**/*.parquet")).difference(*files))
        for file in (*files[0], *files[2]):
            file.unlink()
        status, row = Rows(world.lake).told((DEPARTED, "0", "1"))
        assert (status, row["flight"]) == (HTTPStatus.OK, 12)

    def test_of_two_rows_from_one_place_the_later_one_counts(self, world: World, tmp_path: Path) -> None:
        """A topic that was made anew counts from 0 again, and the lake keeps what the old one brought."""
        world.add([departed(number) for number in range(3)])
        row = Rows(world.lake).told((DEPARTED, "0", "2"))[1]
        later = pl.DataFrame([row]).with_columns(
            pl.col("time", "scheduled", "kafka_time").str.to_datetime("%+", time_unit="us", time_zone="UTC"),
            pl.col("date").str.to_date(), kafka_offset=pl.lit(0), flight=pl.lit(77),
        )  # fmt: skip
        later.write_delta(f"{tmp_path}/lake/bronze/{DEPARTED}", mode="append")
        assert Rows(world.lake).told((DEPARTED, "0", "0"))[1]["flight"] == 77

    @pytest.mark.parametrize(("partition", "offset"), [("0", "1"), ("1", "0"), ("0", "999999999999999999")])
    def test_a_place_without_a_row_is_not_there_yet(self, world: World, partition: str, offset: str) -> None:
        """Another offset, another partition: 404, and which table was looked into."""
        world.add([departed(0)])
        status, answer = Rows(world.lake).told((DEPARTED, partition, offset))
        assert status == HTTPStatus.NOT_FOUND
        assert f"bronze/{DEPARTED}" in answer["error"]

    def test_a_table_that_is_not_made_yet_has_no_row(self, tmp_path: Path) -> None:
        """Before the writer's first commit the answer is 404 as well: whoever waits goes on waiting."""
        bare = World(tmp_path)
        for file in tmp_path.glob(f"lake/bronze/{WEATHER}/_delta_log/*"):
            file.unlink()
        status, answer = Rows(bare.lake).told((WEATHER, "0", "0"))
        assert status == HTTPStatus.NOT_FOUND
        assert f"bronze/{WEATHER}" in answer["error"]

    def test_a_damaged_table_is_no_missing_row(self, world: World, tmp_path: Path) -> None:
        """A file that is gone makes the answer 503: nobody may take it for a row that never came."""
        world.add([departed(0)])
        for file in tmp_path.glob(f"lake/bronze/{DEPARTED}/**/*.parquet"):
            file.unlink()
        assert Rows(world.lake).told((DEPARTED, "0", "0"))[0] == HTTPStatus.SERVICE_UNAVAILABLE

    @pytest.mark.parametrize(
        "numbers", [(), ("0",), ("0", "x"), ("-1", "0"), ("0", "1.5"), ("0", "1" * 19), ("٣", "0"), ("0", "0", "0")]
    )
    def test_what_is_no_place_is_refused(self, world: World, numbers: tuple[str, ...]) -> None:
        """Numbers of another form, too few, too many: 400, and how to ask."""
        status, answer = Rows(world.lake).told((DEPARTED, *numbers))
        assert status == HTTPStatus.BAD_REQUEST
        assert f"/rows/{DEPARTED}/0/4711" in answer["error"]

    @pytest.mark.parametrize("path", [(), ("..", "0", "0"), ("lab-02.burst", "0", "0")])
    def test_a_topic_that_the_lake_does_not_have_is_told(self, world: World, path: tuple[str, ...]) -> None:
        """The answer names those that there are; no path leads to another table."""
        status, answer = Rows(world.lake).told(path)
        assert status == HTTPStatus.NOT_FOUND
        assert DEPARTED in answer["topics"]


def test_every_day_that_was_judged_is_known(world: World) -> None:
    """The newest day is Prometheus' matter; the list of pages needs the alarms of them all."""
    rows = pl.DataFrame([judgement(GOOD, alarm=False), judgement(BAD, alarm=True)])
    world.lake.write(daily.TABLE, rows, Origin((), ""), partition="date")
    watched = watch.Watch(world.lake, watch.Figures(), Health())
    assert watched.alarms == {}
    watched.look()
    assert watched.alarms == {GOOD: 0, BAD: 1}
