from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import insert, update

from include.problems.reading import load_problem
from include.review import batches
from include.review.measuring import measure_agreement, measure_review
from include.review.planning import Choice
from include.warehouse.tables.learning import LEARNING_CURVE, MODEL_VERSION
from include.warehouse.tables.review import AGREEMENT, REVIEW_ESTIMATE
from tests.include.review.conftest import PROBLEM

NOW = datetime(2002, 10, 1, tzinfo=UTC)
CLASSES = ["wanted", "unsolicited"]


def play(desk, number, n_pool, answers, *, arm="random", gold_label=None, days=0):
    """Put an answered batch in place; `answers` is item to person to label."""
    batch_id, when = batches.batch_id_of(number), NOW + timedelta(days=days)
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
    assert rows["reviewer", "kim", "cohen_kappa"]["value"] < rows["reviewer", "lee", "cohen_kappa"]["value"] == 1.0


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


def test_gold_is_counted_for_each_person_with_an_interval_and_not_as_agreement(desk):
    answers = {f"mail-0{row}": {"kim": CLASSES[row == 0], "lee": "wanted"} for row in range(4)}
    play(desk, 1, 20, answers, arm="gold", gold_label="wanted")
    agreement, _ = measure(desk)
    assert set(agreement) == {("reviewer", "kim", "gold_ratio"), ("reviewer", "lee", "gold_ratio")}
    kim = agreement["reviewer", "kim", "gold_ratio"]
    assert (kim["value"], kim["n_items"]) == (0.75, 4)
    assert (kim["low"], kim["high"]) == pytest.approx((0.3006, 0.9544), abs=1e-4)  # Wilson, worked by hand


def test_recorded_truth_meets_no_known_answers(desk):
    play(desk, 1, 20, {"mail-00": {"demo-reviewer": "wanted"}}, arm="gold", gold_label="wanted")
    assert measure(desk)[0] == {}


def test_gold_of_an_open_batch_is_not_told(desk):
    play(desk, 1, 20, {"mail-00": {"kim": "wanted"}}, arm="gold", gold_label="wanted")
    with desk.engine.begin() as connection:
        connection.execute(update(batches.REVIEW_BATCH).values(status="open"))
    assert measure(desk)[0] == {}


def test_the_share_of_positives_is_of_everything_published_and_grows_surer_by_round(desk):
    play(desk, 1, 20, {f"mail-0{row}": {"kim": CLASSES[row < 2]} for row in range(4)})
    play(desk, 2, 16, {f"mail-1{row}": {"kim": CLASSES[row < 1]} for row in range(8)}, days=1)
    first, second = (measure(desk)[1][f"round-00{number}", "positive_ratio"] for number in (1, 2))
    assert (first["value"], first["n_labels"], second["n_labels"]) == (pytest.approx(0.5), 4, 12)
    # The second round alone says (2 + 16 / 8) / 20 = 0.2; it weighs more than the first, whose draw was smaller.
    assert 0.2 < second["value"] < 0.35
    assert second["high"] - second["low"] < first["high"] - first["low"]


def test_an_item_whose_first_label_was_asked_for_again_counts_once_and_keeps_the_population_whole(desk):
    play(desk, 1, 20, {f"mail-0{row}": {"kim": CLASSES[row < 2]} for row in range(4)})
    play(desk, 2, 16, {"mail-09": {"boss": "unsolicited"}, "mail-00": {"boss": "unsolicited"}}, arm="relabel", days=1)
    play(desk, 3, 15, {f"mail-1{row}": {"kim": CLASSES[row < 1]} for row in range(8)}, days=2)
    third = measure(desk)[1]["round-003", "positive_ratio"]
    assert third["n_labels"] == 13
    # Without mail-09 the first round's twenty and the third's nineteen would not be one population.
    alone = (3 + 15 / 8) / 20
    assert alone < third["value"] < 0.5


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


def test_measuring_again_replaces(desk):
    play(
        desk, 1, 20, {"mail-00": {"kim": "wanted", "lee": "wanted"}, "mail-01": {"kim": "wanted", "lee": "unsolicited"}}
    )
    assert measure(desk) == measure(desk)
