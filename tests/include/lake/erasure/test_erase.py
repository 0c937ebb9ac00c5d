import json

import pyarrow as pa
import pytest
import yaml
from sqlalchemy import Text, insert, select, text

from include.engine.session import open_engine
from include.errors import BadSettings, BadSubject, LakeConflict, NotErased
from include.lake import files
from include.lake.catalog import load_table
from include.lake.erasure import erase as erasure
from include.lake.erasure.subjects import ERASED, subject_token
from include.lake.reading import current_snapshot, open_rows
from include.lake.steps import erase_subject, keep_up, prove_erased, publish_partition, stage_partition
from include.lake.writing import replace_partition
from include.names import ROW_KEY
from include.settings import read_settings
from include.warehouse.tables.erasure import ERASED_SUBJECT
from include.warehouse.tables.explaining import SUSPECTED_LABEL
from include.warehouse.tables.learning import MODEL_VERSION
from include.warehouse.tables.quality import PARTITION_AUDIT, REJECTED_RECORD
from tests.include.conftest import SPARK
from tests.include.lake.conftest import PROBLEM
from tests.include.lake.test_steps import ingest, land, set_clock

EVENTS, QUARANTINE, PREDICTIONS = "lake.flights", "lake.flights__quarantine", "lake.flights__prediction"
JANUARY, FEBRUARY = "2013-01", "2013-02"
PEOPLE = PROBLEM["source"]["columns"] | {
    "passenger": {"type": "string", "pii": "identifier"},
    "mail": {"type": "string", "pii": "contact"},
}


def token(subject):
    return subject_token(open_engine(), subject, read_settings().pii_keys)


def erase(subject, **more):
    arguments = {"problem": "flights", "subject": token(subject), "reason": "was asked for", "actor": "clerk", **more}
    outcome = erase_subject(**arguments)
    prove_erased(**arguments)
    return outcome


def rows(table=EVENTS):
    # What was erased has no name, and engines order rows of equal names as they like.
    return sorted(open_rows(table).to_pyarrow().to_pylist(), key=lambda row: (row[ROW_KEY] or "", repr(row)))


def ids(table=EVENTS):
    return sorted(row["flight_id"] for row in rows(table))


def audits(landing):
    with landing.house.engine.begin() as connection:
        return {row["partition_key"]: row for row in connection.execute(select(PARTITION_AUDIT)).mappings()}


def reasons(landing):
    with landing.house.engine.begin() as connection:
        return dict(connection.execute(select(REJECTED_RECORD.c.reason, REJECTED_RECORD.c.n_rows)).all())


@pytest.fixture
def people(landing, flight):
    """Give a house in which Jane has a row in each of two months, one quarantined row, and one dropped."""
    landing.write_problem(columns=PEOPLE)
    jane, bob = {"passenger": "P-1", "mail": "Jane <Jane@x.org>"}, {"passenger": "P-2", "mail": "john@x.org"}
    landing.drop(
        "a.jsonl",
        flight("a", **jane),
        flight("b", **bob),
        flight("c", gate="x", **jane),
        flight("d", "2013-02-03T00:00:00Z", **jane),
        flight("b", **jane),
    )
    landing.drop("b.jsonl", flight("e", **bob), flight("f", "2013-02-03T00:00:00Z", **bob))
    for key in land():
        ingest(key)
    scores = [{"_partition_key": JANUARY, ROW_KEY: name, "p_positive": 0.5} for name in "abe"]
    replace_partition(PREDICTIONS, JANUARY, pa.Table.from_pylist(scores))
    return landing


@pytest.mark.parametrize("subject", ["P-1", " P-1 ", "jane@x.org", "JANE@X.ORG"])
def test_a_person_is_erased_by_any_column_and_others_stay(people, subject):
    outcome = erase(subject)
    assert ids() == ["b", "e", "f"]
    assert [row[ROW_KEY] for row in rows(PREDICTIONS)] == ["b", "e"]
    assert (outcome["n_rows"], outcome["n_partitions"]) == (2, 2)
    assert outcome["landing_objects"] == ["flights/a.jsonl"]
    kept = [row for row in rows(QUARANTINE) if row["reason"] == "erased on request"]
    assert {(row["record"], row["field"], row["detail"], row[ROW_KEY], row["_unknown_fields"]) for row in kept} == {
        (None, None, None, None, None)
    }
    assert [len(load_table(name).snapshots()) for name in (EVENTS, QUARANTINE, PREDICTIONS)] == [1, 1, 1]
    assert "P-1" not in str(rows(QUARANTINE))


def test_a_key_erases_its_row_alone(people):
    assert erase("e")["n_rows"] == 1
    assert ids() == ["a", "b", "d", "f"]


def test_files_of_removed_rows_are_gone_and_the_others_are_not(people):
    before = set(files.list_folder("flights/data/2013-01"))
    erase("P-1")
    after = set(files.list_folder("flights/data/2013-01"))
    assert len(after) == 1
    assert not before & after


def test_the_counts_still_add_up_and_erased_rows_are_a_reason(people):
    before = audits(people)
    erase("P-1")
    after = audits(people)
    for key, row in after.items():
        assert row["n_in"] == before[key]["n_in"] == row["n_published"] + row["n_quarantined"] + row["n_duplicate"]
    assert reasons(people)["erased on request"] >= 1
    assert (after[FEBRUARY]["n_published"], after[FEBRUARY]["n_quarantined"]) == (1, 1)


@pytest.mark.parametrize(
    "each_engine", ["duckdb", pytest.param("spark", marks=[SPARK, pytest.mark.thorough])], indirect=True
)
def test_ingest_does_not_bring_an_erased_person_back_and_its_counts_add_up(each_engine, people, flight):
    erase("P-1")
    people.drop("c.jsonl", flight("g", passenger="P-1"), flight("h", mail="x <jane@X.org>", passenger="P-9"))
    assert land() == [JANUARY]
    for key in (JANUARY, FEBRUARY):
        ingest(key)
    assert ids() == ["b", "e", "f", "h"]
    row = audits(people)[JANUARY]
    assert row["n_in"] == row["n_published"] + row["n_quarantined"] + row["n_duplicate"] == 7
    assert reasons(people) == {"erased on request": row["n_quarantined"]} or row["n_quarantined"] == 4


def test_asking_twice_removes_nothing_more_and_changes_no_row(people):
    erase("P-1")
    first = rows(), rows(QUARANTINE), rows(PREDICTIONS), audits(people)
    snapshots = [current_snapshot(name) for name in (EVENTS, QUARANTINE, PREDICTIONS)]
    again = erase("P-1")
    assert (again["n_rows"], again["n_items"], again["n_snapshots"], again["n_files"]) == (0, 0, 0, 0)
    assert (rows(), rows(QUARANTINE), rows(PREDICTIONS), audits(people)) == first
    assert [current_snapshot(name) for name in (EVENTS, QUARANTINE, PREDICTIONS)] == snapshots


def test_what_people_were_asked_and_answered_about_the_rows_goes_too(people):
    row = {"problem": "flights", "model_version": "v1", "partition_key": JANUARY, "given_label": "x"}
    row |= {"suggested_label": "y", "given_ratio": 0.1, "rank": 1, "n_examined": 2, "found_at_utc": "2026-01-01T00:00Z"}
    with people.house.engine.begin() as connection:
        connection.execute(insert(SUSPECTED_LABEL), [row | {"item_id": "a"}, row | {"item_id": "b"}])
    assert erase("P-1")["n_items"] == 1
    with people.house.engine.begin() as connection:
        assert connection.scalars(select(SUSPECTED_LABEL.c.item_id)).all() == ["b"]


def test_a_model_whose_training_rows_were_removed_is_marked(people):
    held = {"snapshot_id": current_snapshot(EVENTS), "trained_through": JANUARY, "status": "promoted"}
    needed = [column for column in MODEL_VERSION.columns if not column.nullable]
    row = {column.name: "x" if isinstance(column.type, Text) else 0 for column in needed}
    row |= {"problem": "flights", "labels_as_of_utc": "2026-01-01T00:00Z", "trained_at_utc": "2026-01-01T00:00Z"} | held
    with people.house.engine.begin() as connection:
        connection.execute(insert(MODEL_VERSION), [row, row | {"model_version": "y", "snapshot_id": "1"}])
    assert erase("P-1")["n_models"] == 1
    with people.house.engine.begin() as connection:
        marked = select(MODEL_VERSION.c.model_version).where(MODEL_VERSION.c.rows_erased_at_utc.is_not(None))
        assert connection.scalars(marked).all() == ["x"]


def test_a_log_that_is_gone_does_not_hide_what_the_lake_still_has(people):
    (people.folder / "flights" / "a.jsonl").unlink()
    outcome = erase("P-1")
    assert (outcome["n_rows"], outcome["n_unread"]) == (2, 1)
    assert ids() == ["b", "e", "f"]


@pytest.mark.parametrize("shift_s", [0, 30])
def test_a_partition_that_was_staged_before_is_not_published_after(people, monkeypatch, shift_s):
    set_clock(monkeypatch, shift_s)
    staged = json.loads(json.dumps(stage_partition(problem="flights", partition_key=JANUARY)))
    arguments = {"problem": "flights", "subject": token("P-1"), "reason": "asked", "actor": "clerk"}
    set_clock(monkeypatch, 0)
    erase_subject(**arguments)
    audit = {"verdict": "pass", "first_reason": None, "n_warnings": 0, "files": {}, "files_sha256": "", "n_rows": 3}
    done = publish_partition(problem="flights", partition_key=JANUARY, staged=staged, audit=audit)
    assert done["verdict"] == "outdated"
    assert ids() == ["b", "e", "f"]


def test_what_retention_took_out_before_is_not_taken_for_lost(people):
    problem = PROBLEM | {"source": PROBLEM["source"] | {"columns": PEOPLE}, "upkeep": {"events": "P30D"}}
    (people.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))
    before = audits(people)
    assert keep_up(problem="flights")["n_outlived"] == 2
    assert {row["n_in_lake"] for row in audits(people).values()} == {0}
    assert erase("P-1")["n_partitions"] == 1  # only the quarantine still has something of hers
    assert audits(people) == {key: {**row, "n_in_lake": 0} for key, row in before.items()}


@pytest.mark.parametrize("table", ["events", "quarantine"])
def test_what_retention_took_out_is_history_even_when_the_period_was_taken_back(people, table):
    problem = PROBLEM | {"source": PROBLEM["source"] | {"columns": PEOPLE}}
    before = audits(people)[JANUARY]
    for upkeep in ({table: "P30D"}, {}):
        (people.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem | {"upkeep": upkeep}))
        assert (keep_up(problem="flights")["n_outlived"] > 0) == bool(upkeep)
    erase("P-1")
    after = audits(people)[JANUARY]
    counts = ("n_in", "n_published", "n_quarantined", "n_duplicate", "n_refused")
    assert [after[name] for name in counts] == [before[name] for name in counts]
    assert after["n_in_lake"] == {"events": 0, "quarantine": 2}[table]
    erase("P-2")
    assert audits(people)[JANUARY]["n_published"] == before["n_published"]


def test_predictions_that_are_written_while_somebody_is_erased_are_not_lost(people):
    written = files.write_files

    def write_late(engine, rows, folder, *order):
        if folder.startswith("flights__prediction"):
            held.undo()
            scores = [{"_partition_key": JANUARY, ROW_KEY: name, "p_positive": 0.9} for name in "abe"]
            replace_partition(PREDICTIONS, JANUARY, pa.Table.from_pylist(scores))
        return written(engine, rows, folder, *order)

    with pytest.MonkeyPatch.context() as held:
        held.setattr(files, "write_files", write_late)
        with pytest.raises(LakeConflict, match="Run it again"):
            erase("P-1")
    erase("P-1")
    assert [(row[ROW_KEY], row["p_positive"]) for row in rows(PREDICTIONS)] == [("b", 0.9), ("e", 0.9)]
    assert ids() == ["b", "e", "f"]


def test_a_run_that_died_between_two_tables_is_finished_without_the_log(people):
    (people.folder / "flights" / "a.jsonl").unlink()
    published = erasure.publish_partitions

    def die_before_the_events(table_name, *arguments, **more):
        if table_name == EVENTS:
            raise LakeConflict("upkeep was there first")
        return published(table_name, *arguments, **more)

    with pytest.MonkeyPatch.context() as held:
        held.setattr(erasure, "publish_partitions", die_before_the_events)
        with pytest.raises(LakeConflict):
            erase("P-1")
    before = audits(people)[JANUARY]
    assert sum(row["reason"] == ERASED for row in rows(QUARANTINE)) == 2
    assert erase("P-1")["n_rows"] == 2
    after = audits(people)[JANUARY]
    assert ids() == ["b", "e", "f"]
    assert after["n_published"] == before["n_published"] - 1
    assert after["n_quarantined"] == before["n_quarantined"] + 1
    assert sum(row["reason"] == ERASED for row in rows(QUARANTINE)) == 3


def test_the_scan_fails_when_something_is_left(people):
    erase("P-1")
    before = {"_partition_key": JANUARY, ROW_KEY: "a", "p_positive": 0.5}
    replace_partition(PREDICTIONS, JANUARY, pa.Table.from_pylist([before]))
    with pytest.raises(NotErased, match=r"1 in lake\.flights__prediction"):
        prove_erased(problem="flights", subject=token("P-1"), reason="asked", actor="clerk")


def test_the_name_stands_nowhere_but_its_hash_and_who_asked_do(people):
    erase("P-1")
    with people.house.engine.begin() as connection:
        (row,) = connection.execute(select(ERASED_SUBJECT)).mappings()
        assert (row["actor"], row["n_rows"], row["reason"]) == ("clerk", 2, "was asked for")
        assert row["proven_at_utc"] >= row["asked_at_utc"]
        steps = connection.execute(text("SELECT outcome::text FROM core.run_step")).scalars().all()
    assert "P-1" not in str(dict(row)) + str(steps)


@pytest.mark.parametrize("subject", ["P-1", "", "jane@x.org", "0123abcd:00"])
def test_a_name_is_no_token_and_is_not_repeated(people, subject):
    with pytest.raises(BadSubject, match="is no token") as error:
        erase_subject(problem="flights", subject=subject, reason="asked", actor="clerk")
    assert not subject or subject not in str(error.value)


def test_a_person_hashed_with_an_older_key_is_found_and_stays_away(people, monkeypatch):
    monkeypatch.setenv("MULGIL_PII_OLDER_KEYS", read_settings().pii_key)
    monkeypatch.setenv("MULGIL_PII_KEY", "a newer key")
    (people.folder / "flights" / "a.jsonl").unlink()  # only the lake's older hashes are left to find them by
    assert erase("P-1")["n_rows"] == 2
    monkeypatch.setenv("MULGIL_PII_OLDER_KEYS", "")
    monkeypatch.setenv("MULGIL_PII_KEY", "a key that never was here")
    with pytest.raises(BadSettings, match="rows would come back"):
        ingest(FEBRUARY)


def test_two_keys_give_two_hashes_the_newest_first_and_a_blank_subject_is_refused():
    both = subject_token(open_engine(), "P-1", ["new", "old"])
    assert both == f"{subject_token(open_engine(), 'P-1', ['new'])},{subject_token(open_engine(), 'P-1', ['old'])}"
    with pytest.raises(BadSubject, match="blank"):
        subject_token(open_engine(), "  ", ["new"])
