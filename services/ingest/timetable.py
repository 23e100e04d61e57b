"""The timetable of the data set, from the plan of flights alone: nothing that became known on the day gets into it.

python -m ingest.timetable CSV_FOLDER FILE     makes the file; a step of the image of the serving service
"""

import datetime as dt
import sys
from pathlib import Path

from contracts import timetables
from contracts.timetables import Scheduled
from ingest import dataset

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MINUTE = dt.timedelta(minutes=1)


def pack(folder: Path, file: Path) -> int:
    """Make the timetable of the data set's CSV files; the number of flights.

    Raises:
        BadData: a file or a column is missing.
    """
    return timetables.write([_scheduled(each) for each in dataset.plans(folder)], file)


def _scheduled(plan: dataset.Plan) -> Scheduled:
    return Scheduled(
        departure=(plan.departure - _EPOCH) // _MINUTE,
        minutes=(plan.arrival - plan.departure) // _MINUTE,
        day=plan.day,
        carrier=plan.carrier,
        flight=plan.flight,
        origin=plan.origin,
        dest=plan.dest,
        tailnum=plan.tailnum,
    )


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    sys.stdout.write(f"{pack(source, target)} flights in {target}, {target.stat().st_size} bytes\n")
