def variant(key, name, **changes):
    return {"partition_key": key, "variant": name, "verdict": "unclear"} | changes


def test_the_newest_window_of_each_experiment_shows_its_variants(fill, read):
    fill("experiment_variant", variant("05", "none", verdict="control"), variant("05", "large", lift_ratio=0.1))
    fill("experiment_variant", variant("06", "none", verdict="control"), variant("06", "large", lift_ratio=0.2))
    fill("experiment_variant", variant("04", "b", lift_ratio=0.3), experiment="other")
    columns = ("experiment", "partition_key", "variant", "is_control", "lift_ratio")
    assert read("experiment_variant", *columns, by="1, 3") == [
        ("other", "04", "b", False, 0.3),
        ("x", "06", "large", False, 0.2),
        ("x", "06", "none", True, None),
    ]
