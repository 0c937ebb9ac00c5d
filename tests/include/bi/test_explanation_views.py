"""The views about what a model is like, each on a few rows worked by hand."""

from datetime import UTC, datetime

import pytest
from scipy.stats import spearmanr

from include.stats.wilson import wilson_interval

EARLY, LATE = datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 2, tzinfo=UTC)


def ranks(fill, method, **places):
    rows = [{"feature": feature, "rank": float(rank)} for feature, rank in places.items()]
    fill("feature_importance", *rows, model_version="v1", method=method, value=0.1, n_rows=50)


def test_methods_that_rank_alike_agree_and_the_most_disputed_feature_is_named(fill, read):
    ranks(fill, "permutation", a=1, b=2, c=3, d=4)
    ranks(fill, "ablation", a=1, b=2, c=3, d=4)
    ranks(fill, "l1_path", a=4, b=2, c=3, d=1)
    columns = ("method", "other_method", "n_features", "rank_correlation", "most_disputed", "places_apart")
    assert read("importance_agreement", *columns, by="1, 2") == [
        ("ablation", "l1_path", 4, pytest.approx(spearmanr([1, 2, 3, 4], [4, 2, 3, 1]).statistic), "a", 3.0),
        ("ablation", "permutation", 4, 1.0, "a", 0.0),
        ("l1_path", "permutation", 4, pytest.approx(-0.8), "a", 3.0),
    ]


def test_a_method_that_sees_no_difference_agrees_with_nobody(fill, read):
    ranks(fill, "permutation", a=1, b=2)
    ranks(fill, "l1_path", a=1.5, b=1.5)
    assert read("importance_agreement", "rank_correlation", "n_features") == [(None, 2)]


def test_importance_says_what_became_of_its_version(fill, read):
    fill("model_version", model_version="v1", status="promoted")
    ranks(fill, "permutation", a=1)
    assert read("feature_importance", "status", "feature", "value", "n_rows") == [("promoted", "a", 0.1, 50)]


def test_heldout_reliability_has_wilson_intervals(fill, read):
    fill("heldout_bin", {"bin_index": 2, "n_rows": 40, "n_positive": 11}, model_version="v1")
    low, high = wilson_interval(11, 40)
    assert read("heldout_reliability", "bin_index", "observed_ratio", "low", "high") == [
        (2, 11 / 40, pytest.approx(low), pytest.approx(high))
    ]


def test_a_suspected_label_counts_only_answers_given_after_the_suspicion(fill, read):
    fill("suspected_label", {"item_id": "m1"}, {"item_id": "m2"}, given_label="wanted", found_at_utc=EARLY)
    before, after = {"labelled_at_utc": datetime(2013, 6, 1, tzinfo=UTC)}, {"labelled_at_utc": LATE}
    fill(
        "label",
        {"labelled_by": "ann", "label": "wanted"} | before,
        {"labelled_by": "bob", "label": "junk"} | after,
        {"labelled_by": "eve", "label": "wanted"} | after,
        item_id="m1",
    )
    assert read("suspected_label", "item_id", "n_later_answers", "n_changed") == [("m1", 2, 1), ("m2", 0, 0)]


def test_only_the_newest_approved_rule_is_in_force_and_refused_ones_stay(fill, read):
    fill(
        "rule_version",
        {"rule_version": "rule-001", "status": "approved", "decided_at_utc": EARLY},
        {"rule_version": "rule-002", "status": "approved", "decided_at_utc": LATE},
        {"rule_version": "rule-003", "status": "refused", "decided_at_utc": LATE},
        {"rule_version": "rule-004", "status": "proposed"},
    )
    fill("keyword_rule", {"rule_version": "rule-002", "keyword": "free"})
    assert read("keyword_rule", "rule_version", "keyword", "COALESCE(is_in_force, FALSE)") == [
        ("rule-001", None, False),
        ("rule-002", "free", True),
        ("rule-003", None, False),
        ("rule-004", None, False),
    ]


def test_a_card_shows_the_newest_event_and_whether_the_version_serves(fill, read):
    fill(
        "model_version",
        {"model_version": "2013-06-aaaaaa"},
        {"model_version": "2013-07-bbbbbb"},
        {"model_version": "2013-08-cccccc"},
    )
    promoted = {"event": "promoted", "event_at_utc": EARLY}
    fill(
        "model_event",
        promoted | {"model_version": "2013-06-aaaaaa"},
        promoted | {"model_version": "2013-07-bbbbbb"},
        {"event": "rolled_back", "event_at_utc": LATE, "model_version": "2013-07-bbbbbb"},
    )
    assert read("model_card", "model_version", "event", "is_in_production") == [
        ("2013-06-aaaaaa", "promoted", True),
        ("2013-07-bbbbbb", "rolled_back", False),
        ("2013-08-cccccc", None, False),
    ]


@pytest.mark.parametrize(
    ("table", "view"),
    [
        ("partial_dependence", "partial_dependence"),
        ("local_explanation", "local_explanation"),
        ("fairness_metric", "fairness_by_group"),
        ("weak_segment", "weak_segment"),
        ("feature_range", "feature_range"),
        ("model_note", "model_note"),
        ("gate_check", "gate_check"),
    ],
)
def test_every_row_of_a_table_is_a_row_of_its_view(fill, read, table, view):
    fill(table, {"model_version": "v1"})
    assert read(view, "problem", "model_version") == [("p", "v1")]
