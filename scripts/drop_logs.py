"""Replay the built-in problems' data as log files, the way a producer would drop them into landing.

    python -m scripts.drop_logs [--problem NAME ...] [--to FOLDER]

One gzip JSON-lines object per period. Running it again leaves objects that are already right untouched, so nothing
downstream takes them for new.
"""

import argparse
import gzip
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from include.errors import BadLanding, MulgilError
from include.settings import REPOSITORY, read_settings

DATA = REPOSITORY / "include" / "problems" / "data"
GZIP_LEVEL = 1  # logs are read once or twice; level 6 takes three times as long to save a quarter


@dataclass(frozen=True)
class Replay:
    """What is replayed for a problem, and how its rows are cut into objects.

    Attributes:
        file: Parquet file under the problem's data folder.
        object_key: SQL over one row, giving the object's path below the problem's landing folder.
        left_out: columns that only say which object a row lies in, and are in no record.
    """

    file: str
    object_key: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class DropReport:
    """What one problem's replay did.

    Attributes:
        n_objects: objects that landing now holds for it.
        n_written: those that were missing or different before.
        n_rows: log records in all objects together.
    """

    n_objects: int
    n_written: int
    n_rows: int


REPLAYS = {
    # By arrival, as a mail server files them; the sent date may be another month's, or nonsense.
    "ad_review": Replay(
        file="mail.parquet",
        object_key="'arrived=' || coalesce(left(arrived_at, 7), 'unknown') || '/mail.jsonl.gz'",
    ),
    # By local day, as an airport closes its books. New York is behind UTC, so a UTC hour below the local hour means
    # that UTC is already at the next day: evenings of a month's last day belong to the next month in UTC.
    "flight_delay": Replay(
        file="flights.parquet",
        object_key="""strftime(
            CAST(left(scheduled_at, 10) AS DATE)
            - CAST(CAST(substr(scheduled_at, 12, 2) AS INTEGER) < scheduled_hour_local AS INTEGER),
            '%Y/%m/flights-%Y-%m-%d.jsonl.gz'
        )""",
    ),
    "campaign": Replay(
        file="events.parquet",
        object_key="strftime(CAST(left(event_at, 10) AS DATE), '%Y/%m/events-%Y-%m-%d.jsonl.gz')",
    ),
    # By day, as a rental system closes its books; the package counts days from 1.
    "bikes": Replay(
        file="hours.parquet",
        object_key="strftime(DATE '2011-01-01' + (day - 1), '%Y/%m/hours-%Y-%m-%d.jsonl.gz')",
    ),
    # One file for each delivery, as a bank's archive gives them; what tells them apart is in the name only.
    "credit_scoring": Replay(file="applications.parquet", object_key="delivery || '.jsonl.gz'", left_out=("delivery",)),
    "patient": Replay(file="visits.parquet", object_key="'survey.jsonl.gz'"),
    # By season, as a field book is closed.
    "penguins": Replay(file="penguins.parquet", object_key="'season=' || studyName || '/birds.jsonl.gz'"),
}


def drop_logs(problem: str, landing: Path) -> DropReport:
    """Replay one built-in problem into landing.

    Args:
        problem: name of a built-in problem that has data.
        landing: folder of landing; objects go below `<landing>/<problem>/`.

    Raises:
        BadLanding: the problem has no replay, or its data file is missing.
    """
    n_objects = n_written = n_rows = 0
    for object_key, lines, n_lines in make_objects(problem, DATA):
        n_written += write_object(landing, f"{problem}/{object_key}", pack(lines))
        n_objects += 1
        n_rows += n_lines
    return DropReport(n_objects=n_objects, n_written=n_written, n_rows=n_rows)


def pack(lines: str) -> bytes:
    """Compress an object's lines: the same bytes whenever they are packed."""
    return gzip.compress(lines.encode(), compresslevel=GZIP_LEVEL, mtime=0)


def make_objects(problem: str, data: Path) -> Iterator[tuple[str, str, int]]:
    """Cut a problem's rows into log objects.

    Args:
        problem: name of a built-in problem that has data.
        data: folder that holds `<problem>/*.parquet`.

    Yields:
        path below the problem's landing folder, JSON lines in the file's order, and how many lines; by path.

    Raises:
        BadLanding: the problem has no replay, or its data file is missing.
    """
    if problem not in REPLAYS:
        raise BadLanding(f"No data ships for the problem {problem!r}; {', '.join(REPLAYS)} can be replayed.")
    replay = REPLAYS[problem]
    path = data / problem / replay.file
    if not path.is_file():
        raise BadLanding(
            f"{path} is missing. Is the clone complete? `python -m scripts.build_datasets` makes it again."
        )
    said = f"struct_pack({', '.join(_fields(path, replay))})" if replay.left_out else "record"
    # DuckDB writes the JSON: 336,776 records take 1.6 seconds, where Python needs 4.5.
    query = f"""
        SELECT
            {replay.object_key} AS object_key,
            string_agg(CAST(to_json({said}) AS VARCHAR), chr(10) ORDER BY row_number) || chr(10) AS lines,
            count(*) AS n_lines
        FROM (SELECT record, row_number() OVER () AS row_number, record.* FROM read_parquet(?) AS record)
        GROUP BY ALL
        ORDER BY object_key
    """
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
        yield from connection.execute(query, [str(path)]).fetchall()


def _fields(path: Path, replay: Replay) -> list[str]:
    """Name the fields of a record that leaves some columns out, as arguments of struct_pack."""
    names = pq.read_schema(path).names
    return [f'"{name}" := record."{name}"' for name in names if name not in replay.left_out]


def write_object(landing: Path, key: str, content: bytes) -> bool:
    """Put one object into landing, whole or not at all.

    Args:
        landing: folder of landing.
        key: the object's path below it.
        content: its bytes.

    Returns:
        False when the object was there already, byte for byte, and was left alone.
    """
    target = landing / key
    if target.is_file() and target.read_bytes() == content:
        return False
    # Unfinished files stay outside every problem's folder, where nobody who lists a problem's objects meets them.
    unfinished = landing / ".unfinished"
    unfinished.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=unfinished)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)  # mkstemp makes files that only their owner reads
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def landing_folder(place: str) -> Path:
    """Turn what stands after `--to` into a folder.

    Raises:
        BadLanding: it is the URL of something that is no folder.
    """
    scheme, is_url, rest = place.partition("://")
    if is_url and scheme != "file":
        raise BadLanding(f"{place} is no folder. Drop the logs into one and copy them: aws s3 sync FOLDER {place}")
    return Path(rest if is_url else place)


def main() -> None:
    """Read the command line and replay."""
    parser = argparse.ArgumentParser(description="Replay the built-in problems' data as log files into landing.")
    parser.add_argument("--problem", nargs="+", choices=sorted(REPLAYS), default=list(REPLAYS), metavar="NAME")
    parser.add_argument(
        "--to", default=read_settings().landing_url, help="folder or file:// URL (default: %(default)s)"
    )
    arguments = parser.parse_args()
    landing = landing_folder(arguments.to)
    for problem in arguments.problem:
        report = drop_logs(problem, landing)
        print(f"{problem}: {report.n_rows:,} records in {report.n_objects} objects, {report.n_written} of them new")


if __name__ == "__main__":
    try:
        main()
    except MulgilError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
