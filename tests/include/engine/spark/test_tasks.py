"""Spark's workers run these; here they are handed through pickle, as they travel, and run without Spark."""

import pickle
from dataclasses import replace

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from include.engine.formats.object_records import Records
from include.engine.object_store.objects import local_objects
from include.engine.spark.tasks import Fragment, ObjectReader, Runner, Writer
from include.errors import BadLanding

SCHEMA = pa.schema([("n", pa.int64())])


def batch(*numbers):
    return pa.record_batch({"n": numbers}, schema=SCHEMA)


def ids(*numbers):
    return pa.record_batch({"id": numbers}, schema=pa.schema([("id", pa.int64())]))


def test_a_runner_runs_the_tasks_it_was_sent_in_that_order_and_no_other():
    runner = Runner([lambda number=number: [batch(number)] for number in range(5)])
    assert [b["n"][0].as_py() for b in runner(iter([ids(3, 1), ids(), ids(4)]))] == [3, 1, 4]


def test_a_fragment_gives_the_columns_it_was_asked_for(tmp_path):
    pq.write_table(pa.table({"more": ["x"], "n": [7]}), tmp_path / "a.parquet")
    (fragment,) = ds.dataset(tmp_path, schema=SCHEMA).get_fragments()
    travelled = pickle.loads(pickle.dumps(Fragment(fragment, SCHEMA)))  # noqa: S301 - our own
    assert pa.Table.from_batches(travelled(), SCHEMA).to_pydict() == {"n": [7]}


def test_a_writer_writes_one_file_of_all_that_came_and_none_of_nothing():
    saved = []

    def save(schema, batches):
        saved.append([number for one in batches for number in one["n"].to_pylist()])
        return "p", len(saved[-1])

    (told,) = Writer(save, SCHEMA)(iter([batch(), batch(1), batch(), batch(2, 3)]))
    assert (told.to_pylist(), saved) == ([{"path": "p", "n_rows": 3}], [[1, 2, 3]])
    assert list(Writer(save, SCHEMA)(iter([batch(), batch()]))) == []
    assert len(saved) == 1


@pytest.fixture
def item(house):
    folder = house.home / "landing" / "p"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    with local_objects(house.settings, ["p/a.jsonl"]) as [found]:
        yield found


def test_a_reader_cuts_its_object_and_takes_no_secret_along(house, item):
    reader = ObjectReader(Records([item], "jsonl"), item, replace(house.settings, pii_key="a secret"))
    assert sum(read.num_rows for read in reader()) == 2
    assert (reader.settings.pii_key, reader.settings.warehouse_url) == ("", "")


def test_a_worker_without_the_copy_reads_the_object_itself(house, item, tmp_path):
    copied = replace(item, path=tmp_path / "elsewhere", is_copy=True)
    reader = ObjectReader(Records([copied], "jsonl"), copied, house.settings)
    assert sum(read.num_rows for read in reader()) == 2


def test_an_object_that_was_replaced_meanwhile_is_refused_by_name(house, item, tmp_path):
    copied = replace(item, path=tmp_path / "elsewhere", is_copy=True, seen=replace(item.seen, version="older"))
    with pytest.raises(BadLanding, match=r"p/a\.jsonl was replaced while it was read\. Clear the task"):
        list(ObjectReader(Records([copied], "jsonl"), copied, house.settings)())
