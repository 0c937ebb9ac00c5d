from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.engine.text_types import type_columns
from include.problems.sections.columns import Column

pytestmark = pytest.mark.usefixtures("each_engine")


def typed(form, *texts):
    rows = relation_of_arrow(open_engine(), pa.table({"t": pa.array(texts, pa.string())}))
    typed = type_columns(rows, {"t": Column(type="timestamp", format=form)}, ["t"]).to_pyarrow()
    return typed["_typed_t"].to_pylist()


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_a_time_is_read_as_its_format_says_and_as_nothing_else():
    texts = (" 01/02/2013 05:06 ", "2013-02-01 05:06", "31/02/2013 05:06", "", None)
    assert typed("%d/%m/%Y %H:%M", *texts) == [at(2013, 2, 1, 5, 6), None, None, None, None]


def test_a_zone_in_the_format_is_a_zone():
    assert typed("%Y-%m-%d %H:%M %z", "2013-01-01 08:00 +0900") == [at(2012, 12, 31, 23)]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("epoch_seconds", "1371123456.789"),
        ("epoch_milliseconds", "1371123456789"),
        ("epoch_microseconds", "1.371123456789e15"),
    ],
)
def test_a_number_counts_from_1970_in_the_unit_of_its_format(form, text):
    assert typed(form, text, "x", "1e300") == [at(2013, 6, 13, 11, 37, 36, 789000), None, None]
