from datetime import UTC, datetime

from sqlalchemy import insert, select

from include.names import Coverage, Stage
from include.warehouse import coverage, withdrawals
from include.warehouse.tables import METADATA
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION, WITHDRAWAL
from include.warehouse.tables.runs import COVERAGE

NOW = datetime(2013, 7, 1, tzinfo=UTC)
HELD = {"size_bytes": 1, "version": "v", "home_partition": "k", "n_rows": 3, "seen_at_utc": NOW}
ASKED = {"run_id": "r", "actor": "kim", "reason": "wrong", "n_rows": 3, "withdrawn_at_utc": NOW}


def land(connection, *objects, problem="p", partition="k"):
    for key, fingerprint in objects:
        row = {"problem": problem, "object_key": key}
        connection.execute(insert(LANDING_OBJECT), [row | HELD | {"fingerprint": fingerprint}])
        connection.execute(insert(LANDING_PARTITION), [row | {"partition_key": partition, "n_rows": 3}])


def withdraw(connection, key, fingerprint, **more):
    row = {"problem": "p", "object_key": key, "partition_key": "k", "fingerprint": fingerprint}
    connection.execute(insert(WITHDRAWAL), [row | ASKED | more])


def test_bytes_are_withdrawn_of_one_problem_and_name_until_restored(house):
    with house.engine.begin() as connection:
        land(connection, ("a", "1"), ("b", "1"), ("c", "2"), ("d", "3"))
        land(connection, ("a", "1"), problem="q")
        withdraw(connection, "a", "1")
        withdraw(connection, "c", "other bytes")
        withdraw(connection, "d", "3", restored_at_utc=NOW)
        assert withdrawals.find_withdrawn(connection, "p", "k") == {"a": 3}
        assert (
            withdrawals.find_withdrawn(connection, "q", "k") == withdrawals.find_withdrawn(connection, "p", "l") == {}
        )


def test_a_partition_is_left_once_and_what_was_restored_never_was_there(house):
    with house.engine.begin() as connection:
        withdraw(connection, "a", "1")
        assert withdrawals.are_still_there(connection, "p", "k")
        withdrawals.note_left(connection, "p", "k", NOW)
        assert not withdrawals.are_still_there(connection, "p", "k")
        withdraw(connection, "b", "1", restored_at_utc=NOW)
        assert not withdrawals.are_still_there(connection, "p", "k")
        withdrawals.note_left(connection, "p", "k", NOW)
        left = select(WITHDRAWAL.c.object_key, WITHDRAWAL.c.left_at_utc).order_by(WITHDRAWAL.c.object_key)
        assert connection.execute(left).all() == [("a", NOW), ("b", None)]


def test_an_emptied_partition_is_told_of_anew_and_its_neighbours_stay(house):
    with house.engine.begin() as connection:
        for stage in (Stage.INGEST, Stage.TRAIN, Stage.MONITOR):
            for key in ("k", "l"):
                coverage.mark(connection, "p", stage, key, Coverage.DONE)
        withdrawals.forget_partitions(connection, "p", ["k"])
        left = select(COVERAGE.c.stage, COVERAGE.c.partition_key).order_by(COVERAGE.c.stage, COVERAGE.c.partition_key)
        kept = [("ingest", "k"), ("ingest", "l"), ("monitor", "l"), ("train", "l")]
        assert connection.execute(left).all() == kept


def test_an_object_without_records_leaves_nothing_behind(house):
    with house.engine.begin() as connection:
        withdraw(connection, "a", "1", n_rows=0)
        assert not withdrawals.are_still_there(connection, "p", "k")
        assert withdrawals.partitions_to_leave(connection, "p") == set()
        withdrawals.note_left(connection, "p", "k", NOW)
        assert connection.scalars(select(WITHDRAWAL.c.left_at_utc)).all() == [NOW]


def test_every_table_of_a_partition_is_forgotten_or_known_to_stay():
    measured = {table.name for table in withdrawals.MEASURED}
    by_partition = {table.name for table in METADATA.sorted_tables if "partition_key" in table.columns}
    assert measured <= by_partition
    assert by_partition - measured == {
        *("coverage", "lost_event", "landing_partition", "run_step", "withdrawal", "alert_event"),  # what happened
        *("partition_audit", "quality_result", "data_docs", "rejected_record", "replay"),  # written anew by its ingest
        *("review_item", "label_correction", "suspected_label"),  # what people said, or are asked
        "experiment_question",  # likewise
        *("send_list", "send_batch", "send_count"),  # who was listed was listed
        *("allocation", "variant_sum", "off_policy_estimate", "calibration_gain"),  # kept by its own stage
        *("experiment_check", "experiment_decision", "experiment_exclusion", "experiment_lift", "experiment_variant"),
        *("experiment_metric", "experiment_running_sum"),
    }
