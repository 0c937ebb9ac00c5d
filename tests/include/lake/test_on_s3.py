import pyarrow as pa

from include.lake import files
from include.lake.reading import hash_files, list_partitions, open_rows
from include.lake.steps import stage_partition
from include.lake.writing import replace_partition
from include.landing.steps import find_new_partitions

TABLE = "lake.flights"


def test_a_lake_on_a_bucket_behaves_like_one_in_a_folder(bucket):
    for key, value in (("2013-01", 1.0), ("2013-02", 2.0), ("2013-01", 3.0)):
        replace_partition(TABLE, key, pa.table({"_partition_key": [key], "v": [value]}))
    assert sorted(open_rows(TABLE).to_pyarrow()["v"].to_pylist()) == [2.0, 3.0]
    assert open_rows(TABLE, ["2013-02"]).to_pyarrow()["v"].to_pylist() == [2.0]
    assert list_partitions(TABLE) == ["2013-01", "2013-02"]
    old_and_new = files.list_folder("flights/data/2013-01")
    assert len(old_and_new) == 2
    assert len(hash_files(old_and_new)) == 64


def test_a_partition_is_staged_into_a_bucket_and_nothing_of_it_stays_on_disk(landing, bucket, flight):
    landing.drop("a.jsonl", flight("a"), flight("b", gate="x"))
    find_new_partitions(problem="flights")
    staged = stage_partition(problem="flights", partition_key="2013-01")
    assert (staged["n_staged"], staged["n_quarantined"]) == (1, 1)
    assert files.list_folder("flights/data/2013-01") == staged["staged"]
    assert files.list_folder("flights__quarantine/data/2013-01") == staged["quarantined"]
    assert stage_partition(problem="flights", partition_key="2013-01")["staged"] == staged["staged"]
    assert list((landing.house.home / "spool").iterdir()) == []
