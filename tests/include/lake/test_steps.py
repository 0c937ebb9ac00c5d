import json
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from include.errors import (
    AuditFailed,
    BadLanding,
    BadSettings,
    CountsDoNotAddUp,
    LakeConflict,
    PartitionRefused,
    UnknownPartitionKey,
)
from include.lake import files
from include.lake.reading import hash_files, list_partitions, open_rows
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.names import Stage
from include.warehouse.coverage import read_statuses
from include.warehouse.tables.quality import PARTITION_AUDIT, REJECTED_RECORD

JANUARY, FEBRUARY = "2013-01", "2013-02"
EVENTS, QUARANTINE = "lake.flights", "lake.flights__quarantine"


def stage(key=JANUARY):
    return stage_partition(problem="flights", partition_key=key)


def audit_of(staged):
    """What an audit says of files that pass it."""
    return {
        "verdict": "pass",
        "first_reason": None,
        "n_warnings": 0,
        "files": {path: files.hash_file(path) for path in staged["staged"]},
        "files_sha256": hash_files(staged["staged"]),
        "n_rows": staged["n_staged"],
    }


def publish(staged, key=JANUARY, **more):
    run_id, audit = more.pop("run_id", "r1"), audit_of(staged)
    return publish_partition(problem="flights", partition_key=key, staged=staged, audit=audit | more, run_id=run_id)


def ingest(key=JANUARY):
    """Walk one partition through ingest, handing on what XCom would: JSON."""
    return publish(json.loads(json.dumps(stage(key))), key)


def land():
    return find_new_partitions(problem="flights")["partitions"]


def ids(table=EVENTS, column="flight_id", partitions=None):
    return sorted(open_rows(table, partitions).to_pyarrow()[column].to_pylist())


def audit_row(landing, key=JANUARY):
    with landing.house.engine.begin() as connection:
        query = select(PARTITION_AUDIT).where(PARTITION_AUDIT.c.partition_key == key)
        return connection.execute(query).mappings().one()


def reasons(landing):
    with landing.house.engine.begin() as connection:
        query = select(REJECTED_RECORD.c.reason, REJECTED_RECORD.c.n_rows, REJECTED_RECORD.c.example)
        return sorted(tuple(row) for row in connection.execute(query))


def ingest_status(landing, key=JANUARY):
    with landing.house.engine.begin() as connection:
        return read_statuses(connection, "flights", Stage.INGEST)[key]


def test_rows_are_published_typed_with_where_they_came_from(landing, flight):
    key = landing.drop("a.jsonl.gz", flight("a", delay=7), flight("b", "2013-02-01T00:00:00Z"))
    land()
    done = ingest()
    (row,) = open_rows(EVENTS).to_pyarrow().to_pylist()
    assert row["at"].isoformat() == "2013-01-05T10:00:00+00:00"
    assert (row["delay"], row["gate"], row["is_cancelled"]) == (7.0, 3, False)
    assert (row["_partition_key"], row["_row_key"], row["_object_key"], row["_line_number"]) == (JANUARY, "a", key, 1)
    assert (done["n_published"], done["n_rows"], done["verdict"]) == (1, 1, "published")
    assert ingest_status(landing) == "done"


def test_the_counts_add_up_and_every_reason_is_counted(landing, flight):
    landing.drop(
        "a.jsonl",
        flight("a"),
        flight("a", delay=9),
        flight("b", "0102-09-01T10:00:00Z"),
        flight("c", "2028-09-01T10:00:00Z"),
        flight("d", gate="A3"),
        '{"flight_id": "e',
        flight(None),
    )
    land()
    done = ingest()
    assert done == {
        "verdict": "published",
        "snapshot_id": done["snapshot_id"],
        "n_published": 1,
        "n_quarantined": 5,
        "n_duplicate": 1,
        "n_refused": 0,
        "n_withdrawn": 0,
        "reason": "",
        "n_rows": 1,
    }
    assert reasons(landing) == [
        ("at is after 2014-01-01", 1, "flights/a.jsonl:4"),
        ("at is before 2013-01-01", 1, "flights/a.jsonl:3"),
        ("flight_id is missing", 1, "flights/a.jsonl:7"),
        ("gate is not a whole number", 1, "flights/a.jsonl:5"),
        ("record is not JSON", 1, "flights/a.jsonl:6"),
    ]
    row = audit_row(landing)
    assert row["n_in"] == 7 == row["n_published"] + row["n_quarantined"] + row["n_duplicate"]
    assert (row["verdict"], row["run_id"], row["snapshot_id"]) == ("published", "r1", done["snapshot_id"])


def test_a_record_without_a_time_is_quarantined_once_where_most_of_its_object_is(landing, flight):
    there = "2013-02-03T00:00:00Z"
    landing.drop("a.jsonl", flight("a"), flight("b", there), flight("c", there), flight("lost", "yesterday"))
    assert [ingest(key)["n_quarantined"] for key in land()] == [0, 1]
    assert ids(QUARANTINE, "_partition_key") == [FEBRUARY]
    assert audit_row(landing)["n_in"] == 1


def test_quarantine_keeps_the_record_the_reason_and_the_place(landing, flight):
    landing.drop("a.jsonl", flight("a"), flight("b", gate="A3"), "not json")
    land()
    ingest()
    by_line = open_rows(QUARANTINE).order_by("_line_number").to_pyarrow().to_pylist()
    assert json.loads(by_line[0]["record"])["gate"] == "A3"
    assert (by_line[0]["field"], by_line[0]["_row_key"]) == ("gate", "b")
    assert by_line[0]["detail"] == "gate is not a whole number (it holds 'A3')"
    assert (by_line[1]["record"], by_line[1]["field"], by_line[1]["_row_key"]) == ("not json", None, None)
    assert {row["_partition_key"] for row in by_line} == {JANUARY}


def test_the_first_of_two_equal_keys_stays_by_object_then_line(landing, flight):
    landing.drop("b.jsonl", flight("a", delay=1))
    landing.drop("a.jsonl", flight("x"), flight("a", delay=2), flight("a", delay=3))
    land()
    ingest()
    rows = open_rows(EVENTS)
    assert rows.filter(rows.flight_id == "a").to_pyarrow()["delay"].to_pylist() == [2.0]


def test_running_again_gives_the_same_files_and_no_new_snapshot(landing, flight):
    landing.drop("a.jsonl", *(flight(str(i), delay=i) for i in range(50)), flight("1"), flight("bad", gate="x"))
    land()
    first, staged = ingest(), stage()
    assert publish(staged)["snapshot_id"] == first["snapshot_id"]
    assert {**stage(), "standing": staged["standing"]} == staged
    assert len(ids()) == 50
    assert len(ids(QUARANTINE, "record")) == 1


def test_a_changed_object_replaces_its_rows_and_its_neighbours_stay(landing, flight):
    landing.drop("a.jsonl", flight("a"), flight("b", gate="x"))
    landing.drop("b.jsonl", flight("f", "2013-02-03T00:00:00Z"))
    for key in land():
        ingest(key)
    landing.drop("a.jsonl", flight("b"), flight("c"))
    assert land() == [JANUARY]
    ingest()
    assert ids() == ["b", "c", "f"]
    assert ids(QUARANTINE, "record") == []
    assert reasons(landing) == []


def test_a_partition_that_lost_all_its_rows_is_emptied_and_refused(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    ingest()
    landing.drop("a.jsonl", flight("a", "2013-02-05T00:00:00Z"))
    assert land() == [JANUARY, FEBRUARY]
    with pytest.raises(PartitionRefused, match="landing has none"):
        ingest(JANUARY)
    ingest(FEBRUARY)
    assert list_partitions(EVENTS) == [FEBRUARY]
    assert ingest_status(landing) == "refused"


def test_a_stop_publishes_nothing_but_stores_why(landing, flight):
    landing.drop("a.jsonl", flight("a"), flight("b", gate="x"))
    land()
    staged = stage()
    with pytest.raises(PartitionRefused, match="not published: too late"):
        publish(staged, verdict="stop", first_reason="too late")
    row = audit_row(landing)
    assert (row["verdict"], row["first_reason"], row["n_published"], row["snapshot_id"]) == (
        "refused",
        "too late",
        0,
        None,
    )
    assert (row["n_in"], row["n_quarantined"], row["n_refused"]) == (2, 1, 1)
    assert ingest_status(landing) == "refused"
    assert list_partitions(EVENTS) == []
    assert ids(QUARANTINE, "reason") == ["gate is not a whole number"]


@pytest.mark.parametrize(
    "lie", ["n_in = n_in + 1", "n_published = n_published - 1", "n_published = 0, n_refused = 1", "n_duplicate = 1"]
)
def test_counts_that_do_not_add_up_cannot_be_stored(landing, flight, lie):
    landing.drop("a.jsonl", flight("a"), flight("b", gate="x"))
    land()
    ingest()
    with pytest.raises(IntegrityError, match="ck_partition_audit"), landing.house.engine.begin() as connection:
        connection.execute(text(f"UPDATE core.partition_audit SET {lie}"))


def test_a_refusal_keeps_what_the_lake_had(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    ingest()
    landing.drop("a.jsonl", flight("b"))
    land()
    with pytest.raises(PartitionRefused):
        publish(stage(), verdict="stop", first_reason="too late")
    assert ids() == ["a"]


def test_a_partition_of_which_no_row_is_left_is_refused_with_the_main_reason(landing, flight):
    landing.drop("a.jsonl", flight("a", gate="x"), flight("b", gate="y"), flight("c", delay="z"))
    land()
    staged = stage()
    assert (staged["staged"], staged["n_staged"], staged["n_quarantined"]) == ([], 0, 3)
    with pytest.raises(PartitionRefused, match=r"no row left \(2 of 3 rows: gate is not a whole number\)"):
        publish(staged)
    assert len(ids(QUARANTINE, "record")) == 3


def test_a_warning_is_published_with_its_reason(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    assert publish(stage(), verdict="warn", first_reason="odd")["verdict"] == "published_with_warnings"
    assert audit_row(landing)["first_reason"] == "odd"


def test_files_that_changed_after_the_audit_are_not_published(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    staged = stage()
    audited = hash_files(staged["staged"])
    (landing.house.home / "lake" / staged["staged"][0]).write_bytes(b"another")
    with pytest.raises(AuditFailed, match="not those that were audited"):
        publish(staged, files_sha256=audited)
    assert list_partitions(EVENTS) == []


def test_an_audit_of_fewer_rows_is_not_this_partitions_audit(landing, flight):
    landing.drop("a.jsonl", flight("a"), flight("b"))
    land()
    with pytest.raises(AuditFailed, match=r"2 rows.*1 rows"):
        publish(stage(), n_rows=1)


@pytest.mark.parametrize("count", ["n_in", "n_staged", "n_quarantined", "n_duplicate"])
def test_one_row_that_is_not_accounted_for_stops_everything(landing, flight, count):
    landing.drop("a.jsonl", flight("a"))
    land()
    staged = stage()
    with pytest.raises(CountsDoNotAddUp, match="accounted for"):
        publish(staged | {count: staged[count] + 1})
    assert list_partitions(EVENTS) == []


def test_what_a_killed_run_left_is_removed_and_what_snapshots_know_is_not(landing, flight):
    folder = landing.house.home / "lake/flights/data" / JANUARY
    landing.drop("a.jsonl", flight("a"))
    land()
    first = ingest()
    landing.drop("a.jsonl", flight("b"))
    land()
    stage()  # killed before it was published
    (folder / ".unfinished-00ff").write_bytes(b"half")
    landing.drop("a.jsonl", flight("c"))
    land()
    ingest()
    assert len(list(folder.iterdir())) == 2
    stage()  # the file of the first snapshot is not live any more, but still needed
    assert open_rows(EVENTS, snapshot_id=first["snapshot_id"]).to_pyarrow()["flight_id"].to_pylist() == ["a"]
    assert ids() == ["c"]


def test_an_object_that_is_gone_stops_the_partition_by_name(landing, flight):
    key = landing.drop("a.jsonl", flight("a"))
    land()
    (landing.folder / key).unlink()
    with pytest.raises(BadLanding, match=r"flights/a\.jsonl cannot be read"):
        stage()


@pytest.mark.parametrize("log_format", ["csv", "parquet"])
def test_the_other_formats_give_the_same_rows(landing, flight, log_format):
    landing.write_problem(format=log_format)
    path = landing.folder / "flights" / f"a.{log_format}"
    path.parent.mkdir(parents=True)
    table = pa.Table.from_pylist([flight("a"), flight("b", delay=None)])
    if log_format == "csv":
        pa.csv.write_csv(table, path)
    else:
        pa.parquet.write_table(table, path)
    land()
    assert ingest()["n_published"] == 2
    assert open_rows(EVENTS).order_by("flight_id").to_pyarrow()["delay"].to_pylist() == [5.0, None]


PRIVATE = {
    "flight_id": {"type": "string", "pii": "identifier"},
    "at": {"type": "timestamp"},
    "mail": {"type": "string", "pii": "contact"},
    "note": {"type": "string", "pii": "free_text"},
    "gate": {"type": "integer"},
}


def everything_written(landing):
    return b"".join(path.read_bytes() for path in (landing.house.home / "lake").rglob("*") if path.is_file())


def test_nothing_that_tells_on_a_person_is_written_anywhere(landing, flight):
    landing.write_problem(columns=PRIVATE)
    private = {"mail": "Jane <jane@example.org>", "note": "call 555-1234 or bob@example.org"}
    landing.drop(
        "a.jsonl", flight("person-1", **private), flight("person-2", gate="x", **private), '{"mail": "eve@x.org"'
    )
    land()
    ingest()
    (row,) = open_rows(EVENTS).to_pyarrow().to_pylist()
    assert (row["mail"], row["note"]) == ("j***@example.org", "call [phone] or [email]")
    assert row["_row_key"] == row["flight_id"] != "person-1"
    quarantined = open_rows(QUARANTINE).order_by("_line_number").to_pyarrow().to_pylist()
    assert json.loads(quarantined[0]["record"])["mail"] == "j***@example.org"
    assert quarantined[1]["record"].startswith("hidden: ")
    texts = json.dumps(open_rows(QUARANTINE).to_pyarrow().to_pylist()) + json.dumps(row, default=str)
    for secret in ("person-", "Jane", "jane@", "bob@", "eve@", "555-1234"):
        assert secret not in texts
        assert secret.encode() not in everything_written(landing)


def test_identifiers_without_a_key_stop_the_partition(landing, flight, monkeypatch):
    landing.write_problem(columns=PRIVATE)
    monkeypatch.setenv("MULGIL_PII_KEY", "")
    landing.drop("a.jsonl", flight("person-1"))
    land()
    with pytest.raises(BadSettings, match="MULGIL_PII_KEY"):
        stage()


def test_a_new_column_of_the_problem_is_added_to_the_table(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    ingest()
    columns = {
        name: {"type": kind} for name, kind in {"flight_id": "string", "at": "timestamp", "pilot": "string"}.items()
    }
    landing.write_problem(columns=columns)
    landing.drop("b.jsonl", flight("b", "2013-02-01T00:00:00Z", pilot="p"))
    land()
    ingest(FEBRUARY)
    rows = open_rows(EVENTS).order_by("flight_id").to_pyarrow()
    assert rows["pilot"].to_pylist() == [None, "p"]
    assert rows["delay"].to_pylist() == [5.0, None]


def test_a_time_between_blanks_puts_a_row_where_its_time_says(landing, flight):
    there = "2013-02-03T00:00:00Z"
    landing.drop("a.jsonl", flight("a", " 2013-01-05T10:00:00Z "), flight("b", there), flight("c", there))
    assert land() == [JANUARY, FEBRUARY]
    assert [ingest(key)["n_published"] for key in (JANUARY, FEBRUARY)] == [1, 2]


def test_an_older_run_never_takes_back_what_landed_and_was_published_since(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    older = stage()
    publish(older)
    landing.drop("b.jsonl", flight("b"))
    land()
    publish(stage(), run_id="r2")
    assert publish(older)["verdict"] == "outdated"
    assert ids() == ["a", "b"]
    assert audit_row(landing)["n_published"] == 2
    assert publish(stage())["verdict"] == "published"


def set_clock(monkeypatch, seconds):
    """Let this worker's clock differ from everybody else's."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=seconds)

    monkeypatch.setattr("include.lake.steps.datetime", Shifted)


@pytest.mark.parametrize(("older_s", "newer_s"), [(30, 0), (0, -30), (86_400, -86_400)])
def test_a_worker_with_a_wrong_clock_never_takes_back_what_was_published_since(
    landing, flight, monkeypatch, older_s, newer_s
):
    landing.drop("a.jsonl", flight("a"))
    land()
    set_clock(monkeypatch, older_s)
    older = stage()
    publish(older)
    landing.drop("b.jsonl", flight("b"))
    land()
    set_clock(monkeypatch, newer_s)
    publish(stage(), run_id="r2")
    set_clock(monkeypatch, older_s)
    assert publish(older)["verdict"] == "outdated"
    assert (ids(), ingest_status(landing)) == (["a", "b"], "done")


@pytest.mark.parametrize("shift_s", [30, -30])
def test_a_worker_with_a_wrong_clock_publishes_what_is_newest(landing, flight, monkeypatch, shift_s):
    landing.drop("a.jsonl", flight("a"))
    land()
    publish(stage(), run_id="r1")
    landing.drop("b.jsonl", flight("b"))
    land()
    set_clock(monkeypatch, shift_s)
    newer = stage()
    landing.drop("c.jsonl", flight("c"))
    land()
    assert publish(newer, run_id="r2")["n_published"] == 2
    assert (ids(), ingest_status(landing)) == (["a", "b"], "waiting")


def test_what_landed_while_a_partition_was_ingested_keeps_waiting(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    staged = stage()
    landing.drop("b.jsonl", flight("b"))
    land()
    assert publish(staged)["n_published"] == 1
    assert ingest_status(landing) == "waiting"
    ingest()
    assert (ids(), ingest_status(landing)) == (["a", "b"], "done")


def test_a_column_that_changed_its_type_stops_the_partition_and_says_so(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    ingest()
    columns = {"flight_id": "string", "at": "timestamp", "gate": "number"}
    landing.write_problem(columns={name: {"type": kind} for name, kind in columns.items()})
    landing.drop("b.jsonl", flight("b", "2013-02-01T00:00:00Z"))
    land()
    with pytest.raises(LakeConflict, match=r"'gate' is int64 in lake\.flights and double"):
        ingest(FEBRUARY)
    assert ids() == ["a"]


def test_a_column_may_be_called_what_ingest_calls_its_own(landing, flight):
    own = ["record", "document", "flaw", "reason", "field", "detail", "placed_key", "kind", "fields"]
    columns = {"flight_id": {"type": "string"}, "at": {"type": "timestamp"}} | {n: {"type": "string"} for n in own}
    landing.write_problem(columns=columns)
    landing.drop("a.jsonl", flight("a", **{name: f"my {name}" for name in own}), flight(None))
    land()
    ingest()
    (row,) = open_rows(EVENTS).to_pyarrow().to_pylist()
    assert [row[name] for name in own] == [f"my {name}" for name in own]
    (quarantined,) = open_rows(QUARANTINE).to_pyarrow().to_pylist()
    assert (quarantined["reason"], quarantined["field"]) == ("flight_id is missing", "flight_id")


def test_a_masked_column_may_be_called_what_ingest_calls_its_own(landing, flight):
    columns = {"flight_id": {"type": "string"}, "at": {"type": "timestamp"}, "gate": {"type": "integer"}}
    landing.write_problem(columns=columns | {"reason": {"type": "string", "pii": "free_text"}})
    landing.drop("a.jsonl", flight("a", reason="call 555-1234"), flight("b", gate="x", reason="mail bob@example.org"))
    land()
    ingest()
    assert open_rows(EVENTS).to_pyarrow()["reason"].to_pylist() == ["call [phone]"]
    (quarantined,) = open_rows(QUARANTINE).to_pyarrow().to_pylist()
    assert json.loads(quarantined["record"])["reason"] == "mail [email]"


def test_a_run_by_hand_for_a_partition_that_cannot_be_leaves_nothing(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    land()
    with pytest.raises(UnknownPartitionKey, match=r"'\.\./2013-01' is no month"):
        stage("../2013-01")
    with landing.house.engine.begin() as connection:
        assert list(read_statuses(connection, "flights", Stage.INGEST)) == [JANUARY]


def test_another_grain_moves_rows_to_new_partitions_and_empties_the_old(landing, flight):
    landing.drop("a.jsonl", flight("a"), flight("b", "2013-01-06T10:00:00Z"))
    for key in land():
        ingest(key)
    landing.write_problem(grain="day")
    assert land() == [JANUARY, "2013-01-05", "2013-01-06"]
    for key in ("2013-01-05", "2013-01-06"):
        ingest(key)
    with pytest.raises(PartitionRefused, match="landing has none"):
        ingest(JANUARY)
    assert list_partitions(EVENTS) == ["2013-01-05", "2013-01-06"]
    assert ids() == ["a", "b"]
    with pytest.raises(UnknownPartitionKey, match="is no day"):
        stage("2013-02")
