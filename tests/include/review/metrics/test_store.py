from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import insert, update

from include.partition_keys import round_key
from include.problems.reading import load_problem
from include.review.batches import store as batches
from include.review.batches.choice import Choice
from include.review.metrics.store import measure_agreement, measure_review
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.learning import LEARNING_CURVE, MODEL_VERSION
from include.warehouse.tables.review import AGREEMENT, REVIEW_ESTIMATE, REVIEW_ITEM
from tests.include.review.conftest import PROBLEM

NOW = datetime(2002, 10, 1, tzinfo=UTC)
CLASSES = ["wanted", "unsolicited"]


def play(desk, number, n_pool, answers, *, arm="random", gold_label=None, days=0):
    """Put an answered batch in place; `answers` is item to person to label."""
    batch_id, when = round_key(number), NOW + timedelta(days=days)
    choices = [Choice(item, "2002-08", arm, 1.0, None, None, gold_label=gold_label) for item in answers]
    batch = batches.Batch(PROBLEM, batch_id, number, None, len(answers), n_pool, when, when, "2002-08")
    with desk.engine.begin() as connection:
        batches.write_batch(connection, batch, choices)
        for item, said in answers.items():
            for person, label in said.items():
                batches.write_answers(
                    connection, PROBLEM, batch_id, {item: label},
                    classes=CLASSES, labelled_by=person, is_demo=person == "demo-reviewer", now=when,
                )  # fmt: skip
        batches.close_batch(connection, PROBLEM, batch_id, when)


def measure(desk):
    with desk.engine.begin() as connection:
        measure_review(connection, load_problem(PROBLEM), NOW)
    agreement = {(row["scope"], row["subject"], row["statistic"]): row for row in desk.rows(AGREEMENT)}
    estimates = {(row["batch_id"], row["quantity"]): row for row in desk.rows(REVIEW_ESTIMATE)}
    return agreement, estimates


def test_everybody_is_measured_over_all_by_class_and_against_the_others():
    answers = {
        "a": {"kim": "wanted", "lee": "wanted", "jo": "wanted"},
        "b": {"kim": "unsolicited", "lee": "unsolicited"},
        "c": {"kim": "wanted", "lee": "unsolicited", "jo": "unsolicited"},
        "d": {"kim": "wanted"},
    }
    rows = {
        (row["scope"], row["subject"], row["statistic"]): row
        for row in measure_agreement(answers, CLASSES, np.random.default_rng(0))
    }
    assert set(rows) == {
        ("all", "", "krippendorff_alpha"),
        ("all", "", "fleiss_kappa"),
        ("class", "wanted", "krippendorff_alpha"),
        ("class", "unsolicited", "krippendorff_alpha"),
        ("reviewer", "kim", "cohen_kappa"),
        ("reviewer", "lee", "cohen_kappa"),
        ("reviewer", "jo", "cohen_kappa"),
    }
    assert rows["all", "", "krippendorff_alpha"]["n_items"] == 3
    # On c the others of Lee are split, so that nobody can say whether Lee is right.
    assert rows["reviewer", "lee", "cohen_kappa"]["n_items"] == 2
    assert {row["value"] for row in rows.values()} == {None}  # of three items nothing is said


def test_who_differs_from_the_others_is_told_apart_from_who_agrees():
    answers = {
        str(row): {
            "kim": CLASSES[row % 3 == 0],
            "lee": CLASSES[row % 2],
            "jo": CLASSES[row % 2],
            "max": CLASSES[row % 2],
        }
        for row in range(24)
    }
    rows = {row["subject"]: row for row in measure_agreement(answers, CLASSES, np.random.default_rng(0))}
    assert rows["kim"]["value"] < 0.2 < rows["lee"]["low"] < rows["lee"]["value"] == 1.0


def test_answers_of_a_class_that_the_file_no_longer_has_are_nobodys():
    answers = {"a": {"kim": "spam", "lee": "wanted"}, "b": {"kim": "wanted", "lee": "wanted"}}
    (alpha, *_) = measure_agreement(answers, CLASSES, np.random.default_rng(0))
    assert alpha["n_items"] == 1


def test_with_two_classes_each_class_is_agreed_on_as_well_as_all():
    answers = {str(row): {"kim": CLASSES[row % 2], "lee": CLASSES[row % 3 == 0]} for row in range(20)}
    values = [
        row["value"]
        for row in measure_agreement(answers, CLASSES, np.random.default_rng(0))
        if row["statistic"] == "krippendorff_alpha"
    ]
    assert len(values) == 3
    assert values == pytest.approx([values[0]] * 3)


def test_recorded_truth_agrees_with_nobody(desk):
    play(desk, 1, 20, {"mail-00": {"kim": "wanted", "demo-reviewer": "wanted"}})
    assert measure(desk)[0] == {}


def test_gold_is_no_agreement(desk):
    answers = {f"mail-0{row}": {"kim": CLASSES[row == 0], "lee": "wanted"} for row in range(4)}
    play(desk, 1, 20, answers, arm="gold", gold_label="wanted")
    assert {statistic for _, _, statistic in measure(desk)[0]} == {"gold_ratio"}


def test_the_share_of_positives_is_of_everything_published_and_grows_surer_by_round(desk):
    play(desk, 1, 20, {f"mail-0{row}": {"kim": CLASSES[row < 2]} for row in range(4)})
    play(desk, 2, 16, {f"mail-1{row}": {"kim": CLASSES[row < 1]} for row in range(8)}, days=1)
    first, second = (measure(desk)[1][f"round-00{number}", "positive_ratio"] for number in (1, 2))
    assert (first["value"], first["n_labels"], second["n_labels"]) == (pytest.approx(0.5), 4, 12)
    # The second round alone says (2 + 16 / 8) / 20 = 0.2; it weighs more than the first, whose draw was smaller.
    assert 0.2 < second["value"] < 0.35
    assert second["high"] - second["low"] < first["high"] - first["low"]


def test_a_relabelled_item_counts_once_and_keeps_the_population_whole(desk):
    play(desk, 1, 20, {f"mail-0{row}": {"kim": CLASSES[row < 2]} for row in range(4)})
    play(desk, 2, 16, {"mail-09": {"boss": "unsolicited"}, "mail-00": {"boss": "unsolicited"}}, arm="relabel", days=1)
    play(desk, 3, 15, {f"mail-1{row}": {"kim": CLASSES[row < 1]} for row in range(8)}, days=2)
    third = measure(desk)[1]["round-003", "positive_ratio"]
    assert third["n_labels"] == 13
    # Without mail-09 the first round's twenty and the third's nineteen would not be one population.
    alone = (3 + 15 / 8) / 20
    assert alone < third["value"] < 0.5


def escalate(desk, number, item_id):
    row = {"problem": PROBLEM, "batch_id": round_key(number), "item_id": item_id, "person": "kim"}
    with desk.engine.begin() as connection:
        connection.execute(insert(REVIEW_PASS), [row | {"action": "escalate", "reason": "ask", "passed_at_utc": NOW}])


def play_two_rounds(desk, *, undecided):
    """Round 1 draws four of twenty and leaves sixteen; what it could not decide is the caller's."""
    first = {f"mail-0{row}": {"kim": CLASSES[row < 2]} for row in range(4)}
    play(desk, 1, 20, first | undecided)
    play(desk, 2, 16 - len(undecided), {f"mail-1{row}": {"kim": CLASSES[row < 1]} for row in range(8)}, days=1)


def test_a_tie_is_no_answer_and_voids_no_control_arm(desk):
    play_two_rounds(desk, undecided={"mail-05": {"kim": "wanted", "lee": "unsolicited"}})
    second = measure(desk)[1]["round-002", "positive_ratio"]
    # Of nineteen that can be decided: two of the known four, and an eighth of fifteen, weighed with round 1's half.
    assert second["n_labels"] == 12
    assert (2 + 15 / 8) / 19 < second["value"] < 0.35


def test_one_escalation_voids_no_earlier_control_arm(desk):
    play_two_rounds(desk, undecided={})
    before = measure(desk)[1]["round-002", "positive_ratio"]
    with desk.engine.begin() as connection:
        connection.execute(update(batches.REVIEW_BATCH).where(batches.REVIEW_BATCH.c.n_pool == 16).values(n_pool=15))
        item = {"problem": PROBLEM, "batch_id": "round-001", "item_id": "mail-07", "partition_key": "2002-08"}
        item |= {"arm": "entropy", "position": 9, "inclusion_probability": 1.0, "n_answers_wanted": 1}
        connection.execute(insert(REVIEW_ITEM), [item | {"is_sensitive": False, "is_for_others": False}])
    escalate(desk, 1, "mail-07")
    after = measure(desk)[1]["round-002", "positive_ratio"]
    assert after["n_labels"] == before["n_labels"]
    assert after["value"] == pytest.approx(before["value"], abs=0.02)
    assert after["high"] - after["low"] == pytest.approx(before["high"] - before["low"], abs=0.03)


def test_what_chance_would_have_needed_is_read_off_the_control_arms_curve(desk, make_version):
    play(desk, 1, 20, {"mail-00": {"kim": "wanted"}})
    play(desk, 2, 19, {"mail-01": {"kim": "wanted"}}, days=1)
    for number, all_auc, random_auc in ((1, 0.90, 0.90), (2, 0.93, 0.92)):
        version = f"v{number}"
        make_version(version, threshold_ratio=0.5)
        curve = {"problem": PROBLEM, "model_version": version, "metric": "auc"}
        with desk.engine.begin() as connection:
            as_of = NOW + timedelta(days=number - 1, hours=1)
            connection.execute(
                update(MODEL_VERSION).where(MODEL_VERSION.c.model_version == version).values(labels_as_of_utc=as_of)
            )
            for arm, auc in (("all", all_auc), ("random", random_auc)):
                point = {"arm": arm, "n_labels": 100 * number, "value": auc, "low": auc - 0.01, "high": auc + 0.01}
                connection.execute(insert(LEARNING_CURVE), [curve | point])
    estimates = measure(desk)[1]
    first, second = (estimates[f"round-00{number}", "labels_needed_by_random"] for number in (1, 2))
    assert (first["value"], first["n_labels"]) == (100, 100)
    assert (second["value"], second["high"], second["n_labels"]) == (None, None, 200)
    assert 100 <= second["low"] <= 200
    gained = estimates["round-002", "auc_gained"]
    assert (gained["n_labels"], gained["value"]) == (200, pytest.approx(0.01))
    assert gained["low"] < 0.01 < gained["high"]


def test_measuring_again_replaces(desk):
    play(
        desk, 1, 20, {"mail-00": {"kim": "wanted", "lee": "wanted"}, "mail-01": {"kim": "wanted", "lee": "unsolicited"}}
    )
    assert measure(desk) == measure(desk)
