"""Each promised view against an example small enough to work out by hand, and its key, which no two rows share."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.warehouse.contract import read_contract

PROMISED = read_contract().views
START = datetime(2013, 7, 1, tzinfo=UTC)
FIRST, SECOND, LATER = START, START + timedelta(days=1), START + timedelta(days=2)
DAYS = ("2013-07-01", "2013-07-02")


@pytest.fixture
def example(fill) -> None:
    """Two partitions, two versions, two rounds and an experiment; and another problem with the same names."""
    fill_data(fill)
    fill_monitoring(fill)
    for problem in ("p", "q"):
        fill_models(fill, problem)
        fill_review(fill, problem)
        fill_experiment(fill, problem)


def fill_data(fill) -> None:
    landed = {DAYS[0]: {"a": 7, "b": 3}, DAYS[1]: {"c": 4}}
    rows = [{"partition_key": day, "object_key": key, "n_rows": n} for day in DAYS for key, n in landed[day].items()]
    audit = {"n_in": 10, "n_published": 7, "n_quarantined": 2, "n_duplicate": 1, "n_in_lake": 7, "verdict": "published"}
    for problem in ("p", "q"):
        fill("landing_partition", *rows, problem=problem)
        fill("partition_audit", audit | {"n_refused": 0, "n_withdrawn": 0, "partition_key": DAYS[0]}, problem=problem)
        for day, reason, n_rows in ((DAYS[0], "date", 2), (DAYS[1], "date", 3), (DAYS[0], "key", 1)):
            fill("rejected_record", {"partition_key": day, "reason": reason, "n_rows": n_rows}, problem=problem)


def fill_monitoring(fill) -> None:
    for problem in ("p", "q"):
        for day, n_rows, n_positive, mean, brier in ((DAYS[0], 4, 1, 0.2, 0.1), (DAYS[1], 6, 3, 0.4, 0.2)):
            key = {"problem": problem, "partition_key": day, "model_version": "v1", "n_positive": n_positive}
            fill("calibration_bin", key | {"bin_index": 3, "n_rows": n_rows, "mean_predicted_ratio": mean})
            counts = {"n_rows": n_rows + 1, "n_labelled": n_rows, "ece_ratio": 0.1, "brier_score": brier}
            fill("calibration_summary", key | counts | {"mean_predicted_ratio": mean})
            fill("alert", {"partition_key": day, "alert_id": "calibration", "value": brier}, problem=problem)
        fill("feature_drift", *({"partition_key": DAYS[0], "feature": f} for f in "xy"), problem=problem, psi_ratio=0.3)


def fill_models(fill, problem: str) -> None:
    for version, when in (("2013-07-01-a", FIRST), ("2013-07-02-b", SECOND)):
        fill("model_version", {"model_version": version, "labels_as_of_utc": when}, problem=problem)
        event = {"model_version": version, "event": "promoted", "event_at_utc": when}
        fill("model_event", event, problem=problem)
        for candidate, auc in (("dummy", 0.5), ("scorecard", 0.8)):
            measured = {"model_version": version, "candidate": candidate, "n_rows": 20}
            fill("model_metric", measured | {"metric": "auc", "value": auc}, problem=problem)
            fill("model_metric", measured | {"metric": "log_loss", "value": 0.4}, problem=problem)


def fill_review(fill, problem: str) -> None:
    fill("problem", problem=problem, positive_label="yes", minimum_rows=1)
    for number, answered in ((1, FIRST), (2, None)):
        batch = {"batch_id": f"round-00{number}", "round_number": number, "n_items": 3, "answered_at_utc": answered}
        fill(
            "review_batch", batch | {"status": "answered" if answered else "open", "due_at_utc": START}, problem=problem
        )
    for item, arm, label in (("a", "entropy", "yes"), ("b", "margin", "no"), ("c", "random", "no")):
        shared = {"problem": problem, "batch_id": "round-001", "item_id": item, "arm": arm}
        fill("review_item", shared | {"n_answers_wanted": 1})
        fill("label", shared | {"labelled_by": "kim", "label": label, "is_demo": False, "duration_ms": 2000})


def fill_experiment(fill, problem: str) -> None:
    one = {"problem": problem, "experiment": "colour"}
    decision = {"outcome": "send", "variant": "red", "is_final": True, "is_claimed": True, "plan_sha256": "s"}
    for day in DAYS:
        fill("experiment_decision", one | decision | {"partition_key": day})
        for name, verdict, rate in (("red", "better", 0.5), ("blue", "control", 0.25)):
            variant = {"variant": name, "verdict": verdict, "rate_ratio": rate, "n_units": 8}
            fill("experiment_variant", one | variant | {"partition_key": day})
    lift = {"partition_key": DAYS[1], "kind": "promised", "variant": "red", "lift_ratio": 0.25}
    fill("experiment_lift", one | lift)


EXPECTED: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {
    "data_completeness": (
        ("partition_key", "n_landed", "n_in", "n_published", "n_quarantined", "n_duplicate", "verdict"),
        [(DAYS[0], 10, 10, 7, 2, 1, "published"), (DAYS[1], 4, 4, 0, 0, 0, "waiting")],
    ),
    "quarantine_by_reason": (
        ("reason", "n_rows", "n_partitions", "first_partition_key", "last_partition_key"),
        [("date", 5, 2, *DAYS), ("key", 1, 1, DAYS[0], DAYS[0])],
    ),
    "drift_by_feature": (("partition_key", "feature", "psi_ratio"), [(DAYS[0], "x", 0.3), (DAYS[0], "y", 0.3)]),
    # Of 4 + 6 rows 1 + 3 are positive; Wilson's interval of 4 of 10 is 0.168 to 0.687.
    "calibration_bin": (
        ("month", "bin_index", "n_rows", "n_positive", "mean_predicted_ratio", "observed_ratio", "low", "high"),
        [("2013-07", 3, 10, 4, 0.32, 0.4, 0.1682, 0.6873)],
    ),
    # 0.08 is how far 0.32 is from 0.4; 0.16 is (4 * 0.1 + 6 * 0.2) / 10.
    "calibration_monthly": (
        ("month", "n_rows", "n_labelled", "n_positive", "ece_ratio", "brier_score"),
        [("2013-07", 12, 10, 4, 0.08, 0.16)],
    ),
    "alert_open": (
        ("alert_id", "partition_key", "since_partition_key", "n_partitions", "value"),
        [("calibration", DAYS[1], DAYS[0], 2, 0.2)],
    ),
    "model_in_production": (
        ("valid_from_utc", "model_version", "valid_until_utc", "replaced_by", "is_in_production"),
        [(FIRST, "2013-07-01-a", SECOND, "2013-07-02-b", False), (SECOND, "2013-07-02-b", None, None, True)],
    ),
    "model_comparison": (
        ("model_version", "candidate", "n_rows", "auc_ratio", "log_loss_nats"),
        [
            (version, candidate, 20, auc, 0.4)
            for version in ("2013-07-01-a", "2013-07-02-b")
            for candidate, auc in (("dummy", 0.5), ("scorecard", 0.8))
        ],
    ),
    "review_efficiency": (
        ("round_number", "n_chosen", "n_random", "n_labels_all", "positive_per_100_chosen", "learned_model"),
        [(1, 2, 1, 3, 50.0, "2013-07-01-a"), (2, 0, 0, 3, None, None)],
    ),
    "review_queue_health": (
        ("batch_id", "status", "n_items", "n_answers", "n_waiting", "n_people", "seconds_per_answer_median"),
        [("round-001", "answered", 3, 3, 0, 1, 2.0), ("round-002", "open", 3, 0, 0, None, None)],
    ),
    "experiment_result": (
        ("experiment", "decision", "winner", "decided_partition_key", "promised_lift_ratio"),
        [("colour", "send", "red", DAYS[0], 0.25)],
    ),
    "experiment_variant": (
        ("partition_key", "variant", "is_control", "n_units", "rate_ratio"),
        [(DAYS[1], "blue", True, 8, 0.25), (DAYS[1], "red", False, 8, 0.5)],
    ),
}


def test_every_promised_view_has_its_example():
    assert EXPECTED.keys() == PROMISED.keys()


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_view_says_what_is_worked_out_by_hand(example, read, name):
    columns, expected = EXPECTED[name]
    found = read(name, "problem", *columns, by=", ".join(PROMISED[name].key))
    rounded = [tuple(round(v, 4) if isinstance(v, float) else v for v in row[1:]) for row in found if row[0] == "p"]
    assert rounded == expected


@pytest.mark.parametrize("name", PROMISED)
def test_no_two_rows_of_a_promised_view_share_its_key(example, read, name):
    keys = Counter(read(name, *PROMISED[name].key))
    assert len(keys) >= 2
    assert {key: n for key, n in keys.items() if n > 1} == {}
