"""One partition through land, stage, audit and publish on each engine: what is published is the same, row by row."""

import gzip
import json

import pytest
from sqlalchemy import select

from include.lake import files
from include.lake.reading import open_rows
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.quality.steps import audit_partition
from include.warehouse.tables.landing import LANDING_OBJECT
from include.warehouse.tables.quality import PARTITION_AUDIT, QUALITY_RESULT, REJECTED_RECORD
from tests.spark_cluster import run_cluster

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]

JANUARY, FEBRUARY = "2013-01", "2013-02"
EVENTS, QUARANTINE = "lake.flights", "lake.flights__quarantine"
# What differs by right: moments, names of runs, and names of files, which hold a hash of bytes that engines lay out
# in their own ways.
BY_RIGHT = {"run_id", "snapshot_id", "files", "files_sha256", "evaluated_at_utc"}
COLUMNS = {
    "flight_id": {"type": "string"},
    "at": {"type": "timestamp"},
    "delay": {"type": "number"},
    "gate": {"type": "integer"},
    "is_cancelled": {"type": "boolean"},
    "pilot": {"type": "string", "pii": "identifier"},
    "mail": {"type": "string", "pii": "contact"},
    "note": {"type": "string", "pii": "free_text"},
}
QUALITY = [
    {"expect": "ExpectColumnValuesToNotBeNull", "column": "flight_id", "severity": "stop"},
    {
        "expect": "ExpectColumnValuesToBeBetween",
        "column": "delay",
        "severity": "warn",
        "arguments": {"min_value": -60, "max_value": 900},
    },
]


def drop_everything(landing, flight):
    """Drop what producers really send: all types of flaws, in several objects, of which one is cut short."""
    landing.drop(
        "a.jsonl.gz",
        flight("a", delay=7, pilot="Ünal", mail="kim@example.org", note="call +49 30 1234567 or İbo@example.org"),
        flight("b", "2013-01-31T23:59:59.123456Z", delay="12.7", gate="5", note="straße 192.168.0.1"),
        flight("b", delay=8),
        flight("c", FEBRUARY + "-03T00:00:00+09:00", delay=-0.0),
        flight("d", "0102-01-01T00:00:00Z"),
        flight("e", gate=2.5),
        flight("f", gate=1e300, delay="NaN"),
        flight("g", " 2013-01-05 10:00:00 ", is_cancelled="yes", seat="12A", owner={"mail": "lee@example.org"}),
        flight("h", delay=[1, 2]),
        flight("i", 1357400000),
        '{"flight_id": "j", ',
        "",
        flight("k|\\", delay=1e-7, gate=-(2**53), note="4111 1111 1111 1111"),
        {"at": "2013-01-06T00:00:00Z"},
    )
    landing.drop("b.jsonl", *(flight(f"n{i % 70}", delay=i / 7, gate=i, note=f"no. {i}") for i in range(200)))
    landing.drop("c.jsonl", flight("a", delay=99), flight("z", "2013-02-01T00:00:00Z", mail="x@y.kr"))
    whole = gzip.compress("".join(json.dumps(flight(f"t{i}", delay=i**0.5)) + "\n" for i in range(3_000)).encode())
    (landing.folder / "flights" / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])


def write_problem(landing):
    landing.write_problem(columns=COLUMNS)
    path = landing.problems_dir / "flights.yaml"
    path.write_text(path.read_text() + f"\nquality: {json.dumps({'expectations': QUALITY})}\n")


def stage(*keys):
    """Stage partitions; what is given is what JSON keeps of it, as between Airflow's tasks."""
    return json.loads(json.dumps([stage_partition(problem="flights", partition_key=key) for key in keys]))


def ingest(key, staged=None):
    """Stage, audit by Great Expectations, and publish; return what was staged."""
    where = {"problem": "flights", "partition_key": key}
    staged = staged or stage(key)[0]
    publish_partition(staged=staged, audit=audit_partition(staged=staged, **where), **where)
    return staged


def rows_of(table):
    """Read a lake table in an order of its own, so that equal tables are equal lists."""
    return open_rows(table).to_pyarrow().sort_by([("_object_key", "ascending"), ("_line_number", "ascending")])


def rows_in(landing, table):
    """Read a warehouse table without what differs by right."""
    with landing.house.engine.connect() as connection:
        rows = connection.execute(select(table)).mappings().all()
    kept = [{k: v for k, v in row.items() if k not in BY_RIGHT and not k.endswith("_at_utc")} for row in rows]
    return sorted(kept, key=repr)


def everything(landing):
    lake = {table: rows_of(table).to_pydict() for table in (EVENTS, QUARANTINE)}
    tables = (PARTITION_AUDIT, QUALITY_RESULT, REJECTED_RECORD)
    return lake | {table.name: rows_in(landing, table) for table in tables}


def test_both_engines_publish_the_same_rows_and_count_the_same(landing, flight, monkeypatch, spark_engine):
    monkeypatch.setenv("MULGIL_PII_KEY", "k" * 32)
    write_problem(landing)
    drop_everything(landing, flight)
    keys = find_new_partitions(problem="flights")["partitions"]
    by_duckdb = {key: ingest(key) for key in keys}
    expected, landed = everything(landing), rows_in(landing, LANDING_OBJECT)

    monkeypatch.setenv("MULGIL_ENGINE", "spark")
    by_spark = {key: ingest(key) for key in keys}
    read_by_spark = everything(landing)
    monkeypatch.setenv("MULGIL_ENGINE", "duckdb")
    assert repr(everything(landing)) == repr(expected)  # as text, where a NaN equals a NaN
    assert repr(read_by_spark) == repr(expected)
    counts = [name for name in by_duckdb[JANUARY] if name.startswith("n_") or name == "unknown_fields"]
    for key in keys:
        assert {name: by_spark[key][name] for name in counts} == {name: by_duckdb[key][name] for name in counts}
        assert by_spark[key]["manifest"] == by_duckdb[key]["manifest"]

    monkeypatch.setenv("MULGIL_ENGINE", "spark")
    again = stage_partition(problem="flights", partition_key=JANUARY)
    assert again["staged"] == by_spark[JANUARY]["staged"]
    assert all(files.hash_file(path).startswith(path.rsplit("/")[-1].split(".")[0]) for path in again["staged"])
    with landing.house.engine.begin() as connection:
        connection.execute(LANDING_OBJECT.delete())
    assert find_new_partitions(problem="flights")["partitions"] == keys
    assert rows_in(landing, LANDING_OBJECT) == landed


@pytest.mark.thorough
def test_a_cluster_of_two_workers_publishes_the_same_rows(landing, flight, monkeypatch, tmp_path, require_java):
    monkeypatch.setenv("MULGIL_PII_KEY", "k" * 32)
    write_problem(landing)
    drop_everything(landing, flight)
    keys = find_new_partitions(problem="flights")["partitions"]
    for key in keys:
        ingest(key)
    expected = everything(landing)

    with run_cluster(tmp_path) as cluster:
        staged = cluster.call("tests.include.lake.test_engines:stage", *keys)
        assert all(cluster.n_executors())
    for key, of_cluster in zip(keys, staged, strict=True):
        ingest(key, of_cluster)
    assert repr(everything(landing)) == repr(expected)
