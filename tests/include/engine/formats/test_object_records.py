import pytest

from include.engine.formats import object_records
from include.engine.formats.object_records import Records
from include.engine.object_store.objects import LocalObject, RawObject


def item(path, content=b'{"a":1}\n'):
    if content is not None:
        path.write_bytes(content)
    return LocalObject(path.name, path, RawObject(path.name, 0, ""), is_copy=False)


def test_whatever_goes_wrong_in_one_object_is_its_flaw_and_the_next_is_read(tmp_path, monkeypatch):
    read = object_records.read_records

    def fail_in_b(key, *more):
        yield from read(key, *more)
        if key == "b":
            raise ZeroDivisionError("jane@example.org")

    monkeypatch.setattr(object_records, "read_records", fail_in_b)
    records = Records([item(tmp_path / "a"), item(tmp_path / "b"), item(tmp_path / "c")], "jsonl")
    rows = [(row["_object_key"], row["_line_number"]) for batch in records.batches() for row in batch.to_pylist()]
    assert rows == [("a", 1), ("b", 1), ("b", 2), ("c", 1)]
    assert records.flaws == {"b": "object cannot be read: ZeroDivisionError"}
    assert records.n_records == {"a": 1, "b": 2, "c": 1}


def test_an_object_that_cannot_be_opened_says_why(tmp_path):
    records = Records([item(tmp_path / "gone", None), item(tmp_path / "a")], "jsonl")
    assert sum(batch.num_rows for batch in records.batches()) == 2
    assert records.flaws == {"gone": "object cannot be read: No such file or directory"}


def test_a_machine_without_memory_is_no_flaw_of_an_object(tmp_path, monkeypatch):
    def run_out(*_):
        raise MemoryError

    monkeypatch.setattr(object_records, "read_records", run_out)
    with pytest.raises(MemoryError):
        list(Records([item(tmp_path / "a")], "jsonl").batches())
