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
    columns = ("n_labels_all", "n_labels_entropy", "n_labels_random", "positive_per_100_entropy")
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
