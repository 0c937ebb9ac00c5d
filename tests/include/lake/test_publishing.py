import json
from dataclasses import replace

import pyarrow as pa
import pytest
from sqlalchemy import select

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import AuditFailed, CountsDoNotAddUp, StagedFileGone
from include.lake import files, publishing
from include.lake.contracts import StagedPartition, StagedRows
from include.lake.reading import combine_hashes, hash_files
from include.lake.row_expressions import QUARANTINE_SCHEMA
from include.lake.sources import find_feeds, hash_feeds
from include.names import Coverage, Stage
from include.quality.contracts import Audited, LeftRows
from include.warehouse.coverage import mark, read_statuses
from include.warehouse.tables.quality import PARTITION_AUDIT, REJECTED_RECORD

KEY = {"problem": "flights", "partition_key": "2013-01"}
PASS = Audited("pass", None, 0, {}, "", 7)
REASONS = [{"reason": "at is missing", "n_rows": 2, "example": "a:1"}]


def make_staged(**more):
    return StagedRows(**{"n_in": 10, "n_staged": 7, "n_quarantined": 2, "n_duplicate": 1} | more)


def landed(connection):
    return hash_feeds(find_feeds(connection, "flights", "2013-01"))


def store(connection, verdict="published", reasons=(), landed_sha256=None, run_id="r1"):
    found = landed(connection) if landed_sha256 is None else landed_sha256
    decided = publishing.Decided(make_staged(), PASS, {}, found, verdict, None, reasons)
    n_published = 0 if verdict == "refused" else 7
    counts = {"n_in": 10, "n_published": n_published, "n_quarantined": 2, "n_duplicate": 1}
    counts |= {"n_refused": 7 - n_published, "n_withdrawn": 0, "snapshot_id": None}
    publishing.store_outcome(connection, KEY, decided, counts, run_id)


def write(*rows):
    """Write a file of quarantined rows, each given as (reason, object, line)."""
    blank = dict.fromkeys(QUARANTINE_SCHEMA.names)
    listed = [
        blank | {"reason": why, "_object_key": key, "_line_number": line, "_partition_key": (*part, "2013-01")[0]}
        for why, key, line, *part in rows
    ]
    table = relation_of_arrow(open_engine(), pa.Table.from_pylist(listed, QUARANTINE_SCHEMA))
    return files.write_files(open_engine(), table, "flights__quarantine/data/2013-01")[0]


@pytest.fixture
def connection(house):
    with house.engine.begin() as connection:
        mark(connection, "flights", Stage.INGEST, "2013-01", Coverage.RUNNING)
        yield connection


def test_one_row_too_many_or_too_few_is_refused_with_all_counts():
    publishing.require_counts("flights", "2013-01", make_staged())
    for n_in in (9, 11):
        with pytest.raises(CountsDoNotAddUp, match=rf"2013-01: {n_in} rows came in, but 10 .*7 staged \+ 2 quar"):
            publishing.require_counts("flights", "2013-01", make_staged(n_in=n_in))


def test_only_the_audited_bytes_and_rows_are_let_through(house):
    staged = make_staged(staged=write(("x", "a", 1)), n_staged=1)
    audit = replace(PASS, files_sha256=hash_files(staged.staged), n_rows=1)
    publishing.require_audited("flights", "2013-01", staged, audit)
    for change in ({"files_sha256": "0" * 64}, {"n_rows": 2}):
        with pytest.raises(AuditFailed, match=r"the 1 staged files .* are not those that were audited"):
            publishing.require_audited("flights", "2013-01", staged, replace(audit, **change))
    files.remove_files(staged.staged)
    with pytest.raises(StagedFileGone):
        publishing.require_audited("flights", "2013-01", staged, audit)


def test_reasons_are_counted_over_files_with_the_place_of_their_first_row(house):
    paths = [
        *write(("late", "b", 2), ("late", "a", 10), ("blank", "a", 1)),
        *write(("late", "a", 9), ("alike", "c", 1), ("late", "a", 1, "2013-02")),
    ]
    assert publishing.count_reasons(paths) == {
        "2013-01": [
            {"reason": "late", "n_rows": 3, "example": "a:9"},
            {"reason": "alike", "n_rows": 1, "example": "c:1"},
            {"reason": "blank", "n_rows": 1, "example": "a:1"},
        ],
        "2013-02": [{"reason": "late", "n_rows": 1, "example": "a:1"}],
    }
    assert publishing.count_reasons([]) == {}


@pytest.mark.parametrize(
    ("staged", "audit", "reasons", "verdict", "why"),
    [
        ({}, {}, [], "published", None),
        ({}, {}, REASONS, "published", "2 of 10 rows: at is missing"),
        ({}, {"verdict": "warn", "first_reason": "w"}, REASONS, "published_with_warnings", "w"),
        ({}, {"verdict": "stop", "first_reason": "s"}, [], "refused", "s"),
        ({"n_staged": 0}, {}, REASONS, "refused", "no row left (2 of 10 rows: at is missing)"),
        ({"n_staged": 0}, {"verdict": "stop"}, [], "refused", "no row left: landing has none for this partition"),
    ],
)
def test_what_becomes_of_a_partition_and_the_reason_that_is_told(staged, audit, reasons, verdict, why):
    assert publishing.decide(make_staged(**staged), replace(PASS, **audit), reasons) == (verdict, why)


def test_what_the_audit_moved_stands_before_what_was_staged():
    staged = make_staged()
    assert publishing.as_audited(staged, PASS) == staged
    moved = publishing.as_audited(staged, replace(PASS, left=LeftRows(("a",), ("b", "c"), 6, 3)))
    assert (moved.staged, moved.quarantined) == (("a",), ("b", "c"))
    assert (moved.n_staged, moved.n_quarantined, moved.n_in) == (6, 3, 10)


def test_a_snapshot_names_its_run_its_files_and_its_manifest():
    audit = replace(PASS, files={"a.parquet": "1"}, files_sha256="2")
    short = publishing.describe_snapshot("r1", {"2013-01": ({"objects": {"k": "3"}, "sha256": "4"}, audit)})
    assert json.loads(short["mulgil.manifest"]) == {"k": "3"}
    assert (short["mulgil.run_id"], short["mulgil.manifest_sha256"]) == ("r1", "4")
    assert json.loads(short["mulgil.files"]) == {"a.parquet": "1"}
    long = publishing.describe_snapshot("r1", {"2013-01": ({"path": "m.json", "sha256": "4"}, audit)})
    assert "mulgil.manifest" not in long
    assert long["mulgil.manifest_path"] == "m.json"
    assert {type(value) for value in (short | long).values()} == {str}


def test_a_snapshot_of_several_partitions_names_the_files_and_the_manifest_of_each():
    first, second = replace(PASS, files={"a.parquet": "1"}), replace(PASS, files={"b.parquet": "2"})
    made_of = {"2013-01": ({"objects": []}, first), "2013-02": ({"path": "m.json", "sha256": "4"}, second)}
    said = publishing.describe_snapshot("r1", made_of)
    assert json.loads(said["mulgil.files"]) == {"a.parquet": "1", "b.parquet": "2"}
    assert said["mulgil.files_sha256"] == combine_hashes({"a.parquet": "1", "b.parquet": "2"})
    assert json.loads(said["mulgil.manifests"])["2013-02"] == {"path": "m.json", "sha256": "4"}
    assert said["mulgil.manifest_path"] == "m.json"


def test_an_outcome_replaces_the_counts_and_reasons_of_the_run_before(connection):
    first = [*REASONS, {"reason": "id is missing", "n_rows": 1, "example": "a:2"}]
    store(connection, reasons=first)
    store(connection, reasons=REASONS, run_id="r2")
    assert connection.scalars(select(REJECTED_RECORD.c.reason)).all() == ["at is missing"]
    audit = publishing.read_audit(connection, KEY)
    assert (audit["run_id"], audit["n_in_lake"]) == ("r2", 7)
    assert read_statuses(connection, "flights", Stage.INGEST) == {"2013-01": Coverage.DONE}


def test_a_refusal_leaves_what_the_lake_had_and_says_so(connection):
    store(connection, "refused")
    assert publishing.read_audit(connection, KEY)["n_in_lake"] == 0
    store(connection)
    store(connection, "refused")
    assert publishing.read_audit(connection, KEY)["n_in_lake"] == 7
    assert read_statuses(connection, "flights", Stage.INGEST) == {"2013-01": Coverage.REFUSED}


def test_a_partition_for_which_more_has_landed_keeps_waiting(connection):
    store(connection, landed_sha256="older")
    assert read_statuses(connection, "flights", Stage.INGEST) == {"2013-01": Coverage.RUNNING}


def test_a_run_is_outdated_only_where_another_published_more_since(connection):
    def why(landed_sha256, standing, run_id):
        staged, now = (
            StagedPartition(make_staged(), {}, landed_sha256, standing),
            publishing.read_standing(connection, KEY),
        )
        return publishing.why_outdated(connection, KEY, staged, now, run_id)

    before, same = publishing.read_standing(connection, KEY), landed(connection)
    assert why("older", before, "r1") is None  # nobody has published
    store(connection, run_id="r2")
    assert why("older", before, "r1") == "a later run has published more of this partition"
    assert why(same, before, "r1") is None  # it has what the other had
    assert why("older", before, "r2") is None  # it is itself
    assert why("older", publishing.read_standing(connection, KEY), "r1") is None  # it was staged after


def test_a_partition_that_was_never_audited_has_no_audit(connection):
    assert publishing.read_audit(connection, KEY) is None
    store(connection)
    assert publishing.read_audit(connection, KEY | {"partition_key": "2013-02"}) is None
    assert connection.scalar(select(PARTITION_AUDIT.c.verdict)) == "published"
