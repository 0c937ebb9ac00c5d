import pyarrow as pa
import pytest

from include.engine.formats.record_batches import (
    MAX_RECORD_BYTES,
    SCHEMA,
    TOO_LONG,
    batch_of_rows,
    flawed,
    make_batch,
    too_long,
)


def test_rows_become_a_batch_of_their_object_and_nobody_counted_their_keys():
    batch = batch_of_rows("a/b", [(1, 0, "{}", "{}", None), (3, None, "\u2028", None, "record is not JSON")])
    assert batch.schema == SCHEMA
    first, second = batch.to_pylist()
    assert list(first.values()) == ["a/b", 1, 0, "{}", "{}", None, None, None, None]
    assert list(second.values()) == ["a/b", 3, None, "\u2028", None, "record is not JSON", None, None, None]


def test_no_row_is_an_empty_batch_with_all_columns():
    assert batch_of_rows("a", []).to_pydict() == {name: [] for name in SCHEMA.names}


def test_counted_keys_are_kept_and_columns_of_other_lengths_are_refused():
    texts, none = pa.array(["{}", "{}"], pa.large_string()), pa.nulls(2, pa.string())
    assert make_batch("a", [1, 2], [0, 2], texts, texts, none, pa.array([0, 5]))["_n_keys"].to_pylist() == [0, 5]
    with pytest.raises(ValueError, match="same length: 1 vs 2"):
        make_batch("a", [1], [0, 2], texts, texts, none)


def test_what_could_not_be_read_is_one_record_with_its_reason_and_no_document():
    (row,) = flawed("a", 7, None, "", "object is empty").to_pylist()
    assert (row["_line_number"], row["_document"], row["_flaw"]) == (7, None, "object is empty")


@pytest.mark.parametrize(("n_bytes", "shown"), [(16 << 20, "16 MiB"), (256 << 10, "256 KiB"), (1 << 20, "1 MiB")])
def test_a_limit_is_told_in_the_unit_that_people_read(n_bytes, shown):
    assert too_long(n_bytes) == f"record is longer than {shown}"
    assert too_long(MAX_RECORD_BYTES) == TOO_LONG
