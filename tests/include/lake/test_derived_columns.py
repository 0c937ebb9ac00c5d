import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.engine.formats.record_batches import SCHEMA, batch_of_rows
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadProblem
from include.lake.derived_columns import require_derivable
from include.lake.row_expressions import (
    accepted_rows,
    events_schema,
    prepare_rows,
    quarantined_rows,
    select_partitions,
)
from include.problems.sections.source import Source

COLUMNS = {
    "id": {"type": "string"},
    "sent_at": {"type": "timestamp"},
    "fare": {"type": "number"},
    "code": {"type": "string"},
    "who": {"type": "string", "pii": "identifier"},
}


def make_source(**derive):
    return Source(
        landing="x",
        grain="month",
        key=["id"],
        event_time="sent_at",
        earliest="2013-01-01T00:00:00Z",
        latest="2014-01-01T00:00:00Z",
        columns=COLUMNS,
        derive={name: {"type": kind, "sql": sql} for name, (kind, sql) in derive.items()},
    )


def record(number, **more):
    given = {"id": f"r{number}", "sent_at": "2013-01-05T10:30:00Z", "fare": 4.0, "code": "7", "who": "ann"} | more
    return json.dumps(given)


def stage(source, *records):
    lines = [(number, 0, line, line, None) for number, line in enumerate(records, 1)]
    raw = relation_of_arrow(open_engine(), pa.Table.from_batches([batch_of_rows("a", lines)], SCHEMA))
    rows = prepare_rows(select_partitions(raw, source, ["2013-01"], {"a": "2013-01"}), source, "secret")
    kept = [chosen(rows, source).order_by("_line_number").to_pyarrow() for chosen in (accepted_rows, quarantined_rows)]
    assert kept[0].schema.names == events_schema(source).names
    return [rows.to_pylist() for rows in kept]


def test_a_derived_column_has_the_value_that_python_computes():
    source = make_source(
        hour=("integer", "extract(hour FROM sent_at)"),
        twice=("number", "fare * 2"),
        is_dear=("boolean", "twice > 5 -- by what was derived before"),
        shout=("string", "upper(id)"),
        next_day=("timestamp", "sent_at + INTERVAL 1 DAY"),
    )
    accepted, quarantined = stage(source, record(1), record(2, fare=1))
    assert quarantined == []
    own = [[row[name] for name in ("hour", "twice", "is_dear", "shout", "next_day")] for row in accepted]
    tomorrow = datetime(2013, 1, 6, 10, 30, tzinfo=UTC)
    assert own == [[10, 8.0, True, "R1", tomorrow], [10, 2.0, False, "R2", tomorrow]]


def test_only_the_row_where_it_cannot_be_computed_goes_to_quarantine():
    source = make_source(number=("integer", "CAST(code AS BIGINT)"))
    bad_code = record(2, code="x7")
    accepted, quarantined = stage(source, record(1), bad_code, record(3, code=None), record(4, code="x", fare="much"))
    assert [(row["id"], row["number"]) for row in accepted] == [("r1", 7), ("r3", None)]
    reasons = [(row["_line_number"], row["reason"], row["field"]) for row in quarantined]
    # What was wrong with a row before stays its reason.
    assert reasons == [
        (2, "number cannot be computed from this row", "number"),
        (4, "fare is not a number", "fare"),
    ]


def test_a_number_that_is_none_is_missing_and_what_is_masked_stays_masked():
    odd = {f"odd_{place}": ("number", sql) for place, sql in enumerate(["ln(fare - 4)", "fare / 0", "'nan'::DOUBLE"])}
    ((row,), quarantined) = stage(make_source(**odd, copy=("string", "who")), record(1))
    assert [row[name] for name in odd] == [None, None, None]
    assert quarantined == []
    assert row["copy"] == row["who"] != "ann"


@pytest.mark.parametrize(
    ("kind", "sql", "said"),
    [
        ("number", "fair * 2", "fair"),
        ("number", "count(*)", "aggregates are not allowed"),
        ("number", "sum(fare) OVER ()", "window functions are not allowed"),
        ("number", "(SELECT 1)", "scalar subquery"),
        ("number", "random()", "volatile"),
        ("integer", "fare / 2", "gives double, and its type says integer. Write CAST(... AS BIGINT)"),
        ("string", "fare", "gives double, and its type says string"),
        ("number", "fare +", "syntax error"),
    ],
)
def test_an_expression_that_is_not_about_one_row_of_its_type_is_refused(kind, sql, said):
    with pytest.raises(BadProblem, match=r"source\.derive\.bad") as caught:
        require_derivable(make_source(bad=(kind, sql)), "bad")
    assert said in str(caught.value)


def test_a_derived_column_cannot_read_one_that_is_derived_after_it():
    with pytest.raises(BadProblem, match="later"):
        require_derivable(make_source(first=("number", "later + 1"), later=("number", "fare")), "first")
