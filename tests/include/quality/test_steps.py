"""The step, on files, through a real warehouse."""

import json

import pytest
import yaml
from sqlalchemy import select

from include.lake.contracts import StagedRows
from include.quality.staged_files import combine_hashes, sha256_of
from include.quality.steps import audit_partition, audit_replay
from include.warehouse.database import engine_for
from include.warehouse.tables.quality import DATA_DOCS, QUALITY_RESULT
from include.warehouse.tables.runs import RUN_STEP

pytestmark = pytest.mark.slow


@pytest.fixture
def audit(house, make_problem, monkeypatch):
    """Audit files of the lake by the expectations given."""

    def run(files, *expectations, partition_key="2013-01-01", unknown_fields=None, step=audit_partition, **quality):
        folder = house.home / "problems"
        folder.mkdir(exist_ok=True)
        problem = make_problem(*expectations, **quality).model_dump(mode="json", exclude_none=True)
        (folder / "rides.yaml").write_text(yaml.safe_dump(problem))
        monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
        monkeypatch.setenv("MULGIL_LAKE_URL", str(files[0].parent if files else house.home))
        staged = StagedRows(
            tuple(file.name for file in files), ("bad.parquet",), n_quarantined=2, unknown_fields=unknown_fields or {}
        )
        return step(problem="rides", partition_key=partition_key, staged=staged.to_xcom(), run_id="run-1")

    yield run
    engine_for(house.settings.warehouse_url).dispose()


def results(house, partition_key="2013-01-01"):
    query = select(QUALITY_RESULT).where(QUALITY_RESULT.c.partition_key == partition_key)
    with house.engine.connect() as connection:
        return connection.execute(query.order_by(QUALITY_RESULT.c.check_index)).mappings().all()


NOT_NULL = {"expect": "ExpectColumnValuesToNotBeNull", "column": "ride_id", "severity": "stop"}
FAR = {
    "expect": "ExpectColumnMeanToBeBetween",
    "column": "distance_miles",
    "severity": "warn",
    "arguments": {"min_value": 500, "max_value": 900},
}


def test_a_good_partition_passes_with_its_files_hashes(audit, stage, house):
    files = [stage(4, name="a.parquet"), stage(5, name="b.parquet")]
    outcome = audit(files, NOT_NULL)
    hashes = {file.name: sha256_of(file) for file in files}
    assert outcome == {
        "verdict": "pass",
        "first_reason": None,
        "n_warnings": 0,
        "files": hashes,
        "files_sha256": combine_hashes(hashes),
        "n_rows": 9,
    }
    assert json.loads(json.dumps(outcome)) == outcome
    (row,) = results(house)
    assert (row.is_success, row.n_unexpected, row.n_rows, row.expectation) == (True, 0, 9, NOT_NULL["expect"])


def test_the_lake_hashes_the_same_files_to_the_same_sum(audit, stage):
    """Publishing compares the lake's sum with the audit's."""
    from include.lake.reading import hash_files

    files = [stage(4, name="b.parquet"), stage(5, name="a.parquet")]
    assert audit(files)["files_sha256"] == hash_files(["a.parquet", "b.parquet"])


def test_a_missed_warning_warns_with_the_number_that_was_seen(audit, stage, house):
    outcome = audit([stage(4)], NOT_NULL, FAR)
    assert (outcome["verdict"], outcome["n_warnings"]) == ("warn", 1)
    reason = "distance_miles: mean is 101.5; allowed is 500..900 (ExpectColumnMeanToBeBetween, warn)"
    assert outcome["first_reason"] == reason
    row = results(house)[1]
    assert (row.observed, json.loads(row.bound)) == ("101.5", {"min_value": 500, "max_value": 900})


def test_a_missed_stop_is_a_verdict_and_not_an_exception(audit, stage):
    outcome = audit([stage(4, ride_id=["a", None, "c", "d"])], NOT_NULL)
    assert outcome["verdict"] == "stop"
    assert outcome["first_reason"] == "ride_id: 1 of 4 rows are missing (ExpectColumnValuesToNotBeNull, stop)"


def test_nothing_staged_is_a_stop_that_leaves_its_rows(audit, house):
    outcome = audit([], NOT_NULL)
    assert (outcome["verdict"], outcome["n_rows"], outcome["files"]) == ("stop", 0, {})
    (row,) = results(house)
    assert (row.is_success, row.error) == (False, "0 rows are staged, so there is nothing to publish.")


def test_a_second_audit_replaces_the_first_and_leaves_other_partitions(audit, stage, house):
    audit([stage(4)], NOT_NULL, FAR)
    audit([stage(4)], NOT_NULL, partition_key="2013-01-02")
    audit([stage(6)], NOT_NULL)
    assert [row.n_rows for row in results(house)] == [6]
    assert [row.n_rows for row in results(house, "2013-01-02")] == [4]


def test_the_run_is_recorded_with_its_rows(audit, stage, house):
    audit([stage(4)])
    with house.engine.connect() as connection:
        row = connection.execute(select(RUN_STEP)).mappings().one()
    assert (row.step, row.stage, row.status, row.n_rows, row.run_id) == (
        "audit_partition",
        "ingest",
        "done",
        4,
        "run-1",
    )


NEAR = {
    "expect": "ExpectColumnValuesToBeBetween",
    "column": "distance_miles",
    "severity": "stop",
    "rows": "quarantine",
    "arguments": {"max_value": 108},
}


def test_rows_that_an_expectation_names_are_moved_and_the_rest_is_what_was_audited(audit, stage, house, monkeypatch):
    file = stage(10)
    outcome = audit([file], NEAR, NOT_NULL)
    left = outcome["left"]
    assert (outcome["verdict"], outcome["first_reason"], outcome["n_rows"]) == ("pass", None, 9)
    assert (left["n_staged"], left["n_quarantined"], left["quarantined"][0]) == (9, 3, "bad.parquet")
    assert list(outcome["files"]) == left["staged"] != [file.name]
    assert outcome["files"] == {path: sha256_of(file.parent / path) for path in left["staged"]}
    first, second = results(house)
    assert (first.is_success, first.n_unexpected, first.n_rows, first.n_quarantined) == (True, 0, 9, 1)
    assert (second.n_rows, second.n_quarantined) == (9, 0)


def test_what_is_left_must_hold_too(audit, stage, house):
    few = {"expect": "ExpectTableRowCountToBeBetween", "severity": "stop", "arguments": {"min_value": 10}}
    outcome = audit([stage(10)], NEAR, few)
    assert (outcome["verdict"], outcome["left"]["n_staged"]) == ("stop", 9)
    assert outcome["first_reason"].startswith("the partition: row count is 9; allowed is at least 10")


def test_too_many_rows_at_fault_refuse_the_partition_and_move_none(audit, stage, house):
    outcome = audit([stage(10, distance_miles=[500.0] * 10)], NEAR)
    assert (outcome["verdict"], "left" in outcome, outcome["n_rows"]) == ("stop", False, 10)
    assert "so it is refused whole" in outcome["first_reason"]
    assert results(house)[0].n_quarantined == 0


def test_fields_that_nobody_declared_are_a_warning_each_and_let_the_partition_in(audit, stage, house):
    outcome = audit([stage(4)], NOT_NULL, unknown_fields={"wheels": 1, "colour": 3})
    assert (outcome["verdict"], outcome["n_warnings"]) == ("warn", 2)
    assert outcome["first_reason"] == (
        "colour: 3 of 4 rows have this field, which the problem file does not declare (unknown field, warn)"
    )
    assert [(row.check_index, row.column_name, row.n_unexpected) for row in results(house)[1:]] == [
        (1, "colour", 3),
        (2, "wheels", 1),
    ]


def test_the_audit_of_a_replay_gives_its_results_and_leaves_what_is_stored(audit, stage, house):
    audit([stage(10)], NOT_NULL)
    stored = results(house)
    outcome = audit([stage(4)], FAR, step=audit_replay)
    ((row,), verdict) = outcome["results"], outcome["verdict"]
    assert (verdict, row["problem"], row["partition_key"], row["n_rows"]) == ("warn", "rides", "2013-01-01", 4)
    assert results(house) == stored
    assert json.loads(json.dumps(outcome)) == outcome


def test_the_page_about_the_newest_audit_is_stored_beside_its_results(audit, stage, house):
    audit([stage(10)], FAR)
    audit([stage(4)], NOT_NULL)
    with house.engine.connect() as connection:
        (page,) = connection.execute(select(DATA_DOCS)).mappings()
    assert (page["problem"], page["partition_key"], page["run_id"]) == ("rides", "2013-01-01", "run-1")
    assert "values must never be null" in page["html"]
    assert "mean must be" not in page["html"]
