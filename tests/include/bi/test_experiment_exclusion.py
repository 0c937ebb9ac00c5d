def test_what_the_newest_window_left_out_is_shown_also_when_that_is_nothing(fill, read):
    left_out = {"reason": "unit_in_two_variants", "variant": "b", "seen_on": "2004-11-03", "n_rows": 3}
    fill("experiment_decision", {"partition_key": "05"}, {"partition_key": "06"})
    fill("experiment_exclusion", {"partition_key": "05", "n_rows": 1} | left_out)
    assert read("experiment_exclusion", "n_rows") == []
    fill("experiment_exclusion", {"partition_key": "06"} | left_out)
    assert read("experiment_exclusion", "reason", "variant", "seen_on", "n_rows") == [tuple(left_out.values())]
