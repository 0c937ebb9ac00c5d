def row(key, metric, variant, **changes):
    return {"partition_key": key, "metric": metric, "variant": variant, "verdict": "unclear"} | changes


def test_the_newest_window_shows_every_metric_of_every_variant(fill, read):
    fill("experiment_decision", {"partition_key": "05"}, {"partition_key": "06"})
    fill("experiment_metric", row("05", "money", "none", verdict="control"), row("05", "money", "large", lift=1.0))
    fill("experiment_metric", row("06", "money", "none", verdict="control"), row("06", "money", "large", lift=2.0))
    fill("experiment_metric", row("06", "money", "large", lift=2.0, role="guardrail", margin=0.5))
    columns = ("role", "variant", "is_control", "lift", "margin")
    assert read("experiment_metric", *columns, by="1, 2") == [
        ("guardrail", "large", False, 2.0, 0.5),
        ("x", "large", False, 2.0, None),
        ("x", "none", True, None, None),
    ]


def test_metrics_that_the_file_does_not_ask_any_more_are_gone(fill, read):
    fill("experiment_decision", {"partition_key": "05"}, {"partition_key": "06"})
    fill("experiment_metric", row("05", "money", "none", verdict="control"))
    assert read("experiment_metric", "metric") == []


def test_a_lift_without_what_was_so_before_stands_beside_the_plain_one(fill, read):
    fill("experiment_decision", {"partition_key": "05"})
    adjusted = {"adjustment": "adjusted", "covariate_weight": 0.5, "adjusted_lift": 1.5}
    fill("experiment_metric", row("05", "money", "large", lift=2.0, adjusted_low=1.0, adjusted_high=2.0, **adjusted))
    columns = ("lift", "adjustment", "covariate_weight", "adjusted_lift", "adjusted_low", "adjusted_high")
    assert read("experiment_metric", *columns) == [(2.0, "adjusted", 0.5, 1.5, 1.0, 2.0)]
