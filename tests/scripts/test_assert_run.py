"""The questions of `assert_run.py`, each answered yes on good rows and no when one row is bad."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Connection, DateTime, Float, Integer, Table, create_engine, insert, text, update
from sqlalchemy.dialects.postgresql import JSONB

from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.warehouse.tables.classes import CLASS_CALIBRATION
from include.warehouse.tables.experiments import EXPERIMENT_DECISION, EXPERIMENT_LIFT
from include.warehouse.tables.landing import LANDING_PARTITION
from include.warehouse.tables.learning import MODEL_EVENT, MODEL_METRIC
from include.warehouse.tables.monitoring import CALIBRATION_BIN, CALIBRATION_SUMMARY, FEATURE_DRIFT
from include.warehouse.tables.quality import PARTITION_AUDIT, REJECTED_RECORD
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM
from include.warehouse.tables.runs import COVERAGE, RUN_STEP
from scripts import assert_run

NOW = datetime(2013, 1, 1, tzinfo=UTC)
FLIGHTS, MAIL, CAMPAIGN = load_problem("flight_delay"), load_problem("ad_review"), load_problem("campaign")


@pytest.fixture
def connection(migrated_warehouse_url: str) -> Iterator[Connection]:
    engine = create_engine(migrated_warehouse_url)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def add(connection: Connection, table: Table, problem: Problem = FLIGHTS, **values: Any) -> None:
    """Insert one row that is valid in every column that the test does not care about."""
    row = {column.name: _any_value(column.type) for column in table.columns if not column.nullable}
    row |= (
        {"problem": problem.name, "partition_key": "2013-01"}
        if "partition_key" in table.columns
        else {"problem": problem.name}
    )
    connection.execute(insert(table), [row | values])


def _any_value(kind: Any) -> Any:
    for known, value in ((Boolean, False), (Integer, 1), (Float, 0.5), (DateTime, NOW), (JSONB, {})):
        if isinstance(kind, known):
            return value
    return "any"


def ask(question: Callable[..., Iterator[str]], connection: Connection, *problems: Problem) -> list[str]:
    return list(question(connection, list(problems)))


def test_a_partition_that_landed_and_went_no_further_is_named(connection: Connection):
    assert ask(assert_run.ask_landing, connection, FLIGHTS) == ["nothing landed for flight_delay"]
    add(connection, COVERAGE, stage="land", status="done")
    add(connection, COVERAGE, stage="ingest", status="refused")
    assert ask(assert_run.ask_landing, connection, FLIGHTS) == []
    add(connection, COVERAGE, stage="land", status="done", partition_key="2013-02")
    assert ask(assert_run.ask_landing, connection, FLIGHTS) == [
        "flight_delay 2013-02 landed, and ingest says 'nothing'"
    ]


GOOD_AUDIT = {"n_in": 10, "n_published": 7, "n_quarantined": 2, "n_duplicate": 1, "n_refused": 0, "n_withdrawn": 0}
GOOD_AUDIT |= {"verdict": "published"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"n_published": 6}, "10 rows in, 9 accounted for"),
        ({"n_in": 9, "n_duplicate": 0}, "10 rows landed, 9 were read"),
        ({"n_quarantined": 1, "n_duplicate": 2}, "1 rows in quarantine, reasons for 2"),
        ({"verdict": "refused"}, "was refused, and publishes 7 rows"),
        ({"verdict": "refused", "n_published": 0}, "10 rows in, 3 accounted for"),
        ({"verdict": "refused", "n_published": 0, "n_refused": 7}, None),
    ],
)
def test_a_row_that_was_lost_or_doubled_is_counted(connection: Connection, change: dict[str, Any], said: str | None):
    # The warehouse itself refuses such a row; the question is for one that was changed by hand.
    connection.execute(text("ALTER TABLE core.partition_audit DROP CONSTRAINT ck_partition_audit_counts"))
    add(connection, PARTITION_AUDIT, **(GOOD_AUDIT | change))
    add(connection, LANDING_PARTITION, object_key="a", n_rows=6)
    add(connection, LANDING_PARTITION, object_key="b", n_rows=4)
    add(connection, REJECTED_RECORD, n_rows=2)
    faults = ask(assert_run.ask_counts, connection, FLIGHTS)
    assert faults == ([f"flight_delay 2013-01: {said}"] if said and said[0].isdigit() else faults[:1])
    assert bool(faults) == (said is not None)
    assert said is None or said in faults[0]


def test_a_problem_without_any_audit_is_named(connection: Connection):
    assert ask(assert_run.ask_counts, connection, MAIL) == ["no audit of ad_review"]


def test_a_model_that_was_only_rejected_is_not_one_in_production(connection: Connection):
    for candidate in ("dummy", "rule", "gradient_boosting"):
        add(connection, MODEL_METRIC, candidate=candidate)
    add(connection, MODEL_EVENT, event="rejected")
    assert ask(assert_run.ask_models, connection, FLIGHTS, CAMPAIGN) == ["no model of flight_delay was promoted"]
    add(connection, MODEL_EVENT, event="promoted")
    assert ask(assert_run.ask_models, connection, FLIGHTS, CAMPAIGN) == []


def test_a_model_measured_alone_is_not_better_than_anything(connection: Connection):
    add(connection, MODEL_EVENT, event="promoted")
    add(connection, MODEL_METRIC)
    assert "1 candidates were measured" in ask(assert_run.ask_models, connection, FLIGHTS)[0]


@pytest.fixture
def rounds(connection: Connection) -> Connection:
    """Three answered rounds of one item each, and the one that is left for people."""
    for number in (1, 2, 3):
        batch_id = f"round-{number:03d}"
        add(connection, REVIEW_BATCH, MAIL, batch_id=batch_id, status="answered", n_items=1)
        add(connection, REVIEW_ITEM, MAIL, batch_id=batch_id, item_id=str(number))
        add(connection, LABEL, MAIL, batch_id=batch_id, item_id=str(number), is_demo=True)
    add(connection, REVIEW_BATCH, MAIL, batch_id="round-004", status="open", n_items=1)
    return connection


def test_three_whole_rounds_are_enough(rounds: Connection):
    assert ask(assert_run.ask_review, rounds, MAIL, FLIGHTS) == []


def test_an_open_round_does_not_count(rounds: Connection):
    rounds.execute(update(REVIEW_BATCH).where(REVIEW_BATCH.c.batch_id == "round-002").values(status="open"))
    assert ask(assert_run.ask_review, rounds, MAIL) == [
        "ad_review: 2 rounds were answered; at least 3 are wanted",
        "ad_review: 2 batches wait for people; 1 is left for them",
    ]


def test_a_desk_on_which_nothing_is_left_for_people_is_named(rounds: Connection):
    rounds.execute(REVIEW_BATCH.delete().where(REVIEW_BATCH.c.status == "open"))
    assert ask(assert_run.ask_review, rounds, MAIL) == ["ad_review: 0 batches wait for people; 1 is left for them"]


def test_an_unanswered_item_and_a_label_that_claims_a_person_are_named(rounds: Connection):
    rounds.execute(LABEL.delete().where(LABEL.c.item_id == "1"))
    rounds.execute(update(LABEL).where(LABEL.c.item_id == "2").values(is_demo=False))
    assert ask(assert_run.ask_review, rounds, MAIL) == [
        "ad_review round-001: 1 items announced, 1 stored, 0 answered",
        "ad_review round-002: 1 labels claim to come from people",
    ]


def test_an_experiment_needs_a_final_decision_and_both_lifts(connection: Connection):
    add(connection, EXPERIMENT_DECISION, CAMPAIGN, is_final=False)
    add(connection, EXPERIMENT_LIFT, CAMPAIGN, kind="promised")
    assert ask(assert_run.ask_experiment, connection, CAMPAIGN) == [
        "campaign has no final decision",
        "campaign has no realised lift",
    ]
    connection.execute(update(EXPERIMENT_DECISION).values(is_final=True))
    add(connection, EXPERIMENT_LIFT, CAMPAIGN, kind="realised")
    assert ask(assert_run.ask_experiment, connection, CAMPAIGN) == []


def test_bins_hold_every_labelled_row_and_every_feature_is_compared(connection: Connection):
    assert FLIGHTS.monitor is not None
    add(connection, CALIBRATION_SUMMARY, n_labelled=10)
    add(connection, CALIBRATION_BIN, bin_index=0, n_rows=4)
    for feature in FLIGHTS.monitor.features[1:]:
        add(connection, FEATURE_DRIFT, feature=feature)
    assert ask(assert_run.ask_monitoring, connection, FLIGHTS) == [
        "flight_delay 2013-01: 10 labelled rows, 4 in bins",
        f"flight_delay: drift of {FLIGHTS.monitor.features[0]} was not measured",
    ]
    add(connection, CALIBRATION_BIN, bin_index=1, n_rows=6)
    add(connection, FEATURE_DRIFT, feature=FLIGHTS.monitor.features[0])
    assert ask(assert_run.ask_monitoring, connection, FLIGHTS) == []


def test_a_problem_without_one_labelled_row_is_not_monitored(connection: Connection):
    add(connection, CALIBRATION_SUMMARY, MAIL, n_labelled=0)
    assert "no reliability of any labelled row" in ask(assert_run.ask_monitoring, connection, MAIL)[0]


def test_a_step_is_judged_by_its_last_run_and_a_refusal_is_a_verdict(connection: Connection):
    add(connection, RUN_STEP, run_id="1", status="failed", outcome={"error": "OSError: gone"})
    assert ask(assert_run.ask_steps, connection) == ["flight_delay any 2013-01: OSError: gone"]
    add(connection, RUN_STEP, run_id="2", status="done", started_at_utc=NOW.replace(hour=1))
    add(connection, RUN_STEP, step="publish", status="failed", outcome={"error": "PartitionRefused: no rows"})
    assert ask(assert_run.ask_steps, connection) == []


def test_views_of_an_empty_warehouse_are_empty_and_said_to_be(connection: Connection):
    faults = ask(assert_run.ask_views, connection)
    assert "bi.data_completeness is empty" in faults
    assert "bi.alert_open is empty" not in faults


def test_of_several_classes_the_bins_of_each_class_are_asked_for(connection: Connection):
    birds = load_problem("penguins")
    missing = "penguins: no reliability of any labelled row was measured"
    assert missing in ask(assert_run.ask_monitoring, connection, birds)
    add(connection, CLASS_CALIBRATION, birds)
    assert missing not in ask(assert_run.ask_monitoring, connection, birds)


def test_a_view_is_asked_for_where_a_problem_that_ran_fills_it(connection: Connection):
    def empty(*problems: Problem) -> set[str]:
        return {fault.split()[0].removeprefix("bi.") for fault in ask(assert_run.ask_views, connection, *problems)}

    tried = {"experiment_check", "experiment_result", "experiment_variant"}
    assert empty(CAMPAIGN) == {"data_completeness", "data_docs", "data_docs_page", "stage_duration"} | tried
    assert not tried & empty(FLIGHTS, MAIL)
    assert {"scorecard", "fairness_by_group", "calibration_gain", "partial_dependence"} <= empty(FLIGHTS) - empty(MAIL)
    assert {"review_queue_health", "local_explanation"} <= empty(MAIL) - empty(FLIGHTS)
    assert empty(load_problem("penguins")) - empty(MAIL) == {
        "class_calibration",
        "class_metric",
        "confusion",
        "filled_label",
    }


def test_a_second_writing_of_the_same_is_no_change_and_a_changed_value_is(connection: Connection):
    add(connection, COVERAGE, stage="land", status="done")
    before = assert_run.fingerprint_tables(connection)
    connection.execute(update(COVERAGE).values(updated_at_utc=NOW.replace(year=2014), run_id="another"))
    add(connection, RUN_STEP)
    assert assert_run.compare_fingerprints(before, assert_run.fingerprint_tables(connection)) == []
    connection.execute(update(COVERAGE).values(status="failed"))
    add(connection, PARTITION_AUDIT, **GOOD_AUDIT)
    changes = assert_run.compare_fingerprints(before, assert_run.fingerprint_tables(connection))
    assert [changes[0], changes[3]] == [
        "core.coverage has as many rows as before (1), and they say something else",
        "core.partition_audit had 0 rows and has 1",
    ]
    was, now, came = changes[1], changes[2], changes[4]
    assert was.startswith("  was, first of 1: {")
    assert '"status": "done"' in was
    assert now.startswith("  is, first of 1: {")
    assert '"status": "failed"' in now
    assert came.startswith("  is, first of 1: {")


def test_a_table_that_came_or_went_is_a_change():
    stands = {"n_rows": 0, "md5": ""}
    assert assert_run.compare_fingerprints({"a": stands}, {"b": stands}) == ["core.a was dropped", "core.b was made"]


def test_the_command_answers_with_its_exit_code_and_remembers(
    migrated_warehouse_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    target = tmp_path / "tables.json"
    assert assert_run.main(["--warehouse", migrated_warehouse_url, "--remember", str(target)]) == 1
    engine = create_engine(migrated_warehouse_url)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO core.coverage VALUES ('campaign', 'land', '2004-11-01', 'done', NULL, NULL, now())")
        )
    engine.dispose()
    assert assert_run.main(["--warehouse", migrated_warehouse_url, "--unchanged", str(target)]) == 1
    shown = capsys.readouterr()
    assert "nothing landed for ad_review" in shown.err
    assert "core.coverage had 0 rows and has 1" in shown.err
