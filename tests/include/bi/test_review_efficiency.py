from datetime import UTC, datetime


def at(hour):
    return datetime(2026, 3, 1, hour, tzinfo=UTC)


def labels(fill, batch_id, arm, answers):
    rows = [{"item_id": f"{batch_id}-{arm}-{i}", "label": label} for i, label in enumerate(answers)]
    fill("label", *rows, batch_id=batch_id, arm=arm)


def batch(number, answered_at_utc=None, **changes):
    status = "open" if answered_at_utc is None else "answered"
    row = {"batch_id": f"round-{number:03d}", "round_number": number, "status": status}
    return row | {"answered_at_utc": answered_at_utc} | changes


def test_labels_add_up_over_rounds_and_findings_are_per_hundred_of_the_round(fill, read):
    fill("problem", problem="p", positive_label="unsolicited")
    fill("review_batch", batch(1, at(1)), batch(2, at(3)), batch(3))
    labels(fill, "round-001", "random", ["unsolicited", "wanted", "wanted", "wanted"])
    labels(fill, "round-002", "entropy", ["unsolicited", "unsolicited", "wanted"])
    labels(fill, "round-002", "random", ["wanted", "unsolicited"])
    columns = ("n_labels_all", "n_labels_chosen", "n_labels_random", "positive_per_100_chosen")
    assert read("review_efficiency", *columns, "positive_per_100_random", by="round_number") == [
        (4, 0, 4, None, 25.0),
        (9, 3, 6, 100 * 2 / 3, 50.0),
        (9, 3, 6, None, None),
    ]


def test_each_round_carries_the_curve_of_the_first_model_that_learned_from_it(fill, read):
    fill("review_batch", batch(1, at(1)), batch(2, at(3)), batch(3))
    moments = {"v0": at(0), "v1": at(1), "v1b": at(2), "v2": at(4)}
    fill("model_version", *({"model_version": v, "labels_as_of_utc": when} for v, when in moments.items()))
    for version, of_all, of_random in [("v1", 0.6, 0.55), ("v2", 0.9, 0.8), ("v1b", 0.1, 0.1)]:
        curve = {"model_version": version, "metric": "auc"}
        fill("learning_curve", curve | {"arm": "all", "value": of_all, "low": of_all - 0.1, "high": of_all + 0.05})
        fill("learning_curve", curve | {"arm": "random", "value": of_random})
        fill("learning_curve", curve | {"arm": "all", "metric": "log_loss", "value": 9.0})
    columns = ("learned_model", "auc_all_ratio", "auc_all_low", "auc_all_high", "auc_random_ratio", "auc_random_low")
    assert read("review_efficiency", *columns, by="round_number") == [
        ("v1", 0.6, 0.5, 0.65, 0.55, None),
        ("v2", 0.9, 0.8, 0.9500000000000001, 0.8, None),
        (None, None, None, None, None, None),
    ]


def test_findings_are_missing_not_zero_while_nobody_knows_the_positive_label(fill, read):
    fill("review_batch", batch(1, at(1)))
    labels(fill, "round-001", "random", ["unsolicited"])
    assert read("review_efficiency", "n_random", "positive_per_100_random") == [(1, None)]


def test_labels_from_recorded_truth_are_counted_apart_over_all_rounds(fill, read):
    fill("review_batch", batch(1, at(1)), batch(2, at(3)))
    fill("label", {"item_id": "a", "is_demo": True}, {"item_id": "b", "is_demo": False}, batch_id="round-001")
    fill("label", {"item_id": "c", "is_demo": True}, batch_id="round-002")
    assert read("review_efficiency", "n_labels_all", "n_labels_demo", by="round_number") == [(2, 1), (3, 2)]


def test_what_chance_would_have_needed_stands_beside_what_was_used(fill, read):
    fill("review_batch", batch(1, at(1)), batch(2, at(3)))
    needed = {"quantity": "labels_needed_by_random", "batch_id": "round-001"}
    # How many at most is not known.
    fill("review_estimate", needed | {"value": 240.0, "low": 150.0, "n_labels": 180})
    fill(
        "review_estimate",
        {"quantity": "positive_ratio", "batch_id": "round-002", "value": 0.25, "low": 0.2, "high": 0.3},
    )
    columns = ("labels_needed_by_random", "labels_needed_by_random_low", "labels_needed_by_random_high")
    assert read("review_efficiency", *columns, by="round_number") == [(240.0, 150.0, None), (None, None, None)]
    columns = ("labels_saved", "labels_saved_low", "labels_saved_high")
    assert read("review_efficiency", *columns, by="round_number") == [(60.0, -30.0, None), (None, None, None)]
    columns = ("positive_per_100_estimated", "positive_per_100_estimated_low", "positive_per_100_estimated_high")
    assert read("review_efficiency", *columns, by="round_number") == [(None, None, None), (25.0, 20.0, 30.0)]


def test_every_strategy_counts_as_chosen_and_what_is_asked_again_as_neither(fill, read):
    fill("review_batch", batch(1, at(1)))
    for arm in ("margin", "spread", "outlier", "random", "gold", "relabel"):
        labels(fill, "round-001", arm, ["wanted"])
    assert read("review_efficiency", "n_chosen", "n_random") == [(3, 1)]


def test_what_choosing_gained_stands_with_its_interval_and_the_labels_that_were_compared(fill, read):
    fill("review_batch", batch(1, at(1)), batch(2, at(3)))
    figures = {"value": -0.01, "low": -0.05, "high": 0.03, "n_labels": 160}
    fill("review_estimate", figures | {"quantity": "auc_gained", "batch_id": "round-002"})
    columns = ("auc_gained", "auc_gained_low", "auc_gained_high", "n_labels_compared")
    assert read("review_efficiency", *columns, by="round_number") == [(None,) * 4, (-0.01, -0.05, 0.03, 160)]
