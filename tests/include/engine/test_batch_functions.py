from threading import get_ident

import ibis
import pyarrow as pa
import pytest

from include.engine.batch_functions import read_ahead, stream
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine


def numbers(n_rows):
    return relation_of_arrow(open_engine(), pa.table({"n": range(n_rows)}))


def doubled(batches):
    for batch in batches:
        yield pa.record_batch([pa.compute.multiply(batch["n"], 2)], ["n"])


def test_a_function_sees_all_rows_in_their_order_and_few_at_a_time():
    batches = list(stream(numbers(10_000), doubled, 3_000))
    assert [value for batch in batches for value in batch["n"].to_pylist()] == list(range(0, 20_000, 2))
    assert max(batch.num_rows for batch in batches) <= 3_000


def test_no_rows_give_no_row():
    assert sum(batch.num_rows for batch in stream(numbers(0), doubled, 10)) == 0


def test_an_iterator_is_read_one_item_ahead_and_no_more():
    read = []

    def items():
        for number in range(5):
            read.append(number)
            yield number

    ahead = read_ahead(items())
    assert next(ahead) == 0
    assert next(ahead) == 1
    assert max(read) <= 2
    assert list(ahead) == [2, 3, 4]


def test_an_error_comes_where_its_item_would_have_come():
    def items():
        yield 1
        raise ValueError("the second")

    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="the second"):
        next(ahead)


def test_all_items_are_fetched_by_one_other_thread():
    threads = set(read_ahead(get_ident() for _ in range(20)))
    assert len(threads) == 1
    assert get_ident() not in threads


def test_who_stops_early_leaves_the_engine_usable():
    rows = numbers(100_000)
    first = next(stream(rows, doubled, 1_000))
    assert first.num_rows
    assert rows.aggregate(total=ibis._.n.count()).to_pyarrow()["total"].to_pylist() == [100_000]
