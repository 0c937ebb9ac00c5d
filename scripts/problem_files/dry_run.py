"""Says what ingest would make of a sample, with ingest's own reading, typing and reasons; nothing is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from include.engine.formats.fields import wanted_of
from include.engine.formats.format_recognition import AUTO, recognise_format
from include.engine.formats.object_records import Records
from include.engine.formats.object_times import Arrival, object_times
from include.engine.object_store.objects import LocalObject, RawObject, list_objects, local_objects
from include.engine.relations import relation_of_arrow, relation_of_records
from include.engine.session import open_engine
from include.errors import BadLanding
from include.lake.joins.label_matches import LabelMatches, count_matches
from include.lake.row_expressions import prepare_rows, select_all, stored_values
from include.lake.type_casting import DETAIL, REASON
from include.names import ROW_KEY, UNKNOWN_FIELDS
from include.partition_keys import partition_key_of
from include.problems.schema import Problem
from include.settings import Settings

MOST_OBJECTS = 3
MOST_RECORDS = 5_000
SAMPLE = "in the sample"  # what stands in place of a partition key
_ANY_KEY = "rows are only counted here"


@dataclass(frozen=True)
class DryRun:
    """What would become of a sample.

    Attributes:
        objects: object key to the format it was read in.
        reasons: why records would be quarantined, each with how many and the first one's detail; most first.
        n_duplicate: rows whose name an earlier one has.
        partitions: key to how many usable rows, in order.
        unknown: fields that nobody declared, and in how many rows they stand.
        classes: of a label of the log: class to how many usable rows; None stands for rows without a label.
        trouble: why the label could not be read; None where nothing is wrong.
        rows: the usable ones, as the lake would store them.
    """

    objects: dict[str, str]
    reasons: tuple[tuple[str, int, str], ...]
    n_duplicate: int
    partitions: dict[str, int]
    rows: pa.Table
    unknown: dict[str, int] = field(default_factory=dict)
    classes: dict[str | None, int] | None = None
    trouble: str | None = None

    @property
    def n_quarantined(self) -> int:
        """How many records would go to quarantine."""
        return sum(n for _, n, _ in self.reasons)

    @property
    def n_published(self) -> int:
        """How many rows would be published."""
        return sum(self.partitions.values()) - self.n_duplicate

    @property
    def n_in(self) -> int:
        """How many records were looked at."""
        return self.n_published + self.n_quarantined + self.n_duplicate


class FirstRecords(Records):
    """The first records of each object, whatever its size."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Read each object as far as is asked."""
        for item in self.objects:
            n_left = MOST_RECORDS
            for batch in self.read(item):
                yield batch.slice(0, n_left)
                n_left -= batch.num_rows
                if n_left <= 0:
                    break


def dry_run(problem: Problem, settings: Settings, given: Path | None = None) -> DryRun | None:
    """Read a sample as ingest would.

    Args:
        given: one file; without it, the first objects of the problem's landing folder.

    Returns:
        None where nothing has landed yet.

    Raises:
        BadLanding: the file is not there, or landing cannot be reached.
    """
    with _chosen(problem, settings, given) as objects:
        if not objects:
            return None
        now = datetime.now(UTC)
        times = object_times(problem.source, {item.key: Arrival(item.changed_at, now) for item in objects})
        wanted = wanted_of(problem.source)
        records = FirstRecords(objects, problem.source.format, wanted=wanted, times=times)
        accepted, reasons = _sort_out(problem, records)
        read_as = {item.key: _read_as(problem, item) for item in objects}
    partitions = Counter(
        partition_key_of(moment, problem.source.grain) for moment in accepted[problem.source.event_time].to_pylist()
    )
    classes, trouble = _count_classes(problem, accepted)
    return DryRun(
        objects=read_as,
        reasons=reasons,
        n_duplicate=accepted.num_rows - len(accepted[ROW_KEY].unique()),
        partitions=dict(sorted(partitions.items())),
        rows=accepted,
        unknown=_count_unknown(accepted),
        classes=classes,
        trouble=trouble,
    )


@contextmanager
def _chosen(problem: Problem, settings: Settings, given: Path | None) -> Iterator[list[LocalObject]]:
    """Give the objects to read: one file, or the first that have landed."""
    if given is not None:
        if not given.is_file():
            raise BadLanding(f"There is no file {given}. FROM= takes the path of one file.")
        seen = RawObject(f"{problem.source.landing}/{given.name}", given.stat().st_size, "")
        yield [LocalObject(seen.key, given, seen, is_copy=False)]
        return
    landed = list_objects(settings, problem.source.landing)[:MOST_OBJECTS]
    with local_objects(settings, [item.key for item in landed]) as objects:
        yield objects


def _sort_out(problem: Problem, records: Records) -> tuple[pa.Table, tuple[tuple[str, int, str], ...]]:
    """Type a sample; give the rows that can be used, and why others cannot."""
    source = problem.source
    every = select_all(relation_of_records(open_engine(), records), source, SAMPLE)
    rows = prepare_rows(every, source, _ANY_KEY)
    # One query for both: half of the time goes into writing the SQL.
    found = rows.select(REASON, DETAIL, **stored_values(rows, source)).to_pyarrow()
    is_good = found[REASON].is_null()
    bad = found.select([REASON, DETAIL]).filter(pc.invert(is_good)).to_pylist()
    details = {row[REASON]: row[DETAIL] or row[REASON] for row in reversed(bad)}
    counted = Counter(row[REASON] for row in bad)
    accepted = found.filter(is_good).drop_columns([REASON, DETAIL])
    return accepted, tuple((reason, n, details[reason]) for reason, n in counted.most_common())


def _read_as(problem: Problem, item: LocalObject) -> str:
    """Say which format an object was read in."""
    if problem.source.format != AUTO:
        return problem.source.format
    with item.path.open("rb") as stream:
        return recognise_format(stream, wanted_of(problem.source).names)


def _count_unknown(accepted: pa.Table) -> dict[str, int]:
    """Count the fields that nobody declared."""
    query = f"""
        SELECT field, count(*) FROM (
            SELECT unnest(json_keys("{UNKNOWN_FIELDS}")) AS field FROM accepted WHERE "{UNKNOWN_FIELDS}" IS NOT NULL
        ) GROUP BY field ORDER BY 2 DESC, 1
    """
    with duckdb.connect() as connection:
        connection.register("accepted", accepted)
        return dict(connection.execute(query).fetchall())


def _count_classes(problem: Problem, accepted: pa.Table) -> tuple[dict[str | None, int] | None, str | None]:
    """Count the classes of a label of the log; or say why it cannot be read."""
    label = problem.label
    if label is None or label.source != "log" or label.known_when is None:
        return None, None
    if label.positive_when is not None:
        other = next((name for name in label.classes if name != label.positive), "other")
        said = f"CASE WHEN {label.positive_when} THEN {_text(label.positive_class)} ELSE {_text(other)} END"
    elif label.value is not None and label.kind == "several_classes":
        said = f"CAST({label.value} AS VARCHAR)"
    else:
        return None, None
    query = f"SELECT CASE WHEN {label.known_when} THEN {said} END, count(*) FROM accepted GROUP BY 1 ORDER BY 2 DESC, 1"
    try:
        with duckdb.connect() as connection:
            connection.register("accepted", accepted)
            return dict(connection.execute(query).fetchall()), None
    except duckdb.Error as error:
        return None, str(error).splitlines()[0]


def match_labels(problem: Problem, rows: pa.Table, labels: pa.Table) -> LabelMatches:
    """Say how many rows of a sample of a problem's label log name a row of a sample of the problem.

    Args:
        rows: usable ones of the problem.
        labels: usable ones of the log that `label.from` names.

    Raises:
        ValueError: the problem has no label log.
    """
    events, said = (relation_of_arrow(open_engine(), table) for table in (rows, labels))
    return count_matches(problem, events, said, SAMPLE)


def _text(value: str) -> str:
    """Write a text as SQL."""
    return "'" + value.replace("'", "''") + "'"
