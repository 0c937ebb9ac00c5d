"""Every format, broken at random: no step raises, every record is accounted for, and no object changes another's rows.

MULGIL_TEST_FUZZ_ROUNDS and MULGIL_TEST_FUZZ_SEED make it longer, and another one: `make fuzz` does.
"""

import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from include.engine.formats.field_extraction import explain_flaws, extract_fields, find_unknown, list_keys
from include.engine.formats.fields import Wanted, plain_fields
from include.engine.formats.object_records import Records
from include.engine.object_store.objects import LocalObject, RawObject
from include.engine.relations import relation_of_records
from include.engine.session import open_engine
from include.lake.reading import open_rows
from tests.include.conftest import SPARK
from tests.include.lake.fuzzing import COLUMNS, LOG_COLUMNS, READERS, as_published, is_read, make_objects, unpack
from tests.include.lake.test_bad_input import EVENTS, accounted, ingest_all, write

ROUNDS = int(os.environ.get("MULGIL_TEST_FUZZ_ROUNDS", "1"))
SEED = int(os.environ.get("MULGIL_TEST_FUZZ_SEED", "20130105"))
N_OBJECTS = 80
JANUARY = {"latest": "2013-01-31T23:59:59Z"}


def ingest(landing, log_format, objects):
    """Land and ingest objects; give the published rows of each."""
    more = {"columns": COLUMNS}
    if log_format == "access_log":
        more = {"columns": LOG_COLUMNS, "key": ["remote_host", "request"], "event_time": "time"}
    landing.write_problem(format=log_format, **JANUARY, **more)
    write(landing, **objects)
    ingest_all()
    found = defaultdict(list)
    for row in open_rows(EVENTS).order_by(["_object_key", "_line_number"]).to_pyarrow().to_pylist():
        found[row["_object_key"].removeprefix("flights/")].append(row)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("round_number", range(ROUNDS))
@pytest.mark.parametrize("log_format", ["jsonl", "csv", "parquet"])
def test_whatever_is_broken_is_published_as_others_read_it_or_kept_apart(landing, log_format, round_number):
    objects, sound = make_objects(log_format, SEED + round_number, N_OBJECTS)
    published = ingest(landing, log_format, objects)
    for name, records in sound.items():
        expected = [
            {column: as_published(kind["type"], record[column]) or record[column] for column, kind in COLUMNS.items()}
            for record in records
        ]
        if log_format == "csv":  # an empty field is a missing one
            expected = [{column: None if value == "" else value for column, value in row.items()} for row in expected]
        assert [{column: row[column] for column in COLUMNS} for row in published[name]] == expected, name
    for name in objects.keys() - sound.keys():
        candidates = list(READERS[log_format](objects[name]))
        for row in published[name]:
            assert is_read(row, candidates), (name, row, objects[name])
    counts = accounted(landing)
    assert counts["n_published"] == sum(map(len, published.values()))
    assert counts["n_quarantined"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_a_broken_access_log_gives_nothing_that_does_not_stand_in_its_lines(landing, round_number):
    objects, sound = make_objects("access_log", SEED + round_number, N_OBJECTS)
    published = ingest(landing, "access_log", objects)
    for name, records in sound.items():
        assert [row["user"] for row in published[name]] == [record["flight_id"] for record in records]
    for name in objects:
        text = unpack(objects[name]).decode("utf-8", "replace")
        for row in published[name]:
            assert f'"{row["request"] or "-"}" {row["status"]} ' in text
            assert row["remote_host"] in text
            assert row["user"] is None or f" {row['user']} [" in text
    accounted(landing)


def read_with(engine, items, log_format):
    """Read records, their fields, flaws and undeclared fields on one engine, in one order."""
    names = list(LOG_COLUMNS if log_format == "access_log" else COLUMNS)
    fields = plain_fields(names, names[:1])
    rows = extract_fields(relation_of_records(engine, Records(items, log_format, wanted=Wanted(fields))), fields)
    rows = find_unknown(explain_flaws(list_keys(rows, fields), fields, names[:2]), fields)
    return sorted(map(str, rows.to_pyarrow().select(["_object_key", *names, "_flaw", "_unknown"]).to_pylist()))


@pytest.mark.slow
@SPARK
@pytest.mark.parametrize("log_format", ["jsonl", "csv", "parquet", "access_log"])
def test_what_is_broken_is_read_alike_on_both_engines(spark_engine, monkeypatch, tmp_path, log_format):
    items = []
    for name, content in make_objects(log_format, SEED, 24)[0].items():
        path = Path(tmp_path / name)
        path.write_bytes(content)
        items.append(LocalObject(name, path, RawObject(name, len(content), ""), is_copy=False))
    monkeypatch.setenv("MULGIL_HOME", str(tmp_path / "home"))
    here = read_with(open_engine(), items, log_format)
    monkeypatch.setenv("MULGIL_ENGINE", "spark")
    assert read_with(spark_engine, items, log_format) == here
    assert Counter(row.count("None") > 0 for row in here)[True] > 0
