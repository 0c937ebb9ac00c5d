def check(key, name, *, is_pass=True, advice=""):
    return {"partition_key": key, "check_name": name, "is_pass": is_pass, "advice": advice}


def test_a_check_of_the_newest_window_passes_warns_or_holds(fill, read):
    fill("experiment_check", check("05", "maturity", is_pass=False))
    fill("experiment_check", check("06", "maturity"), check("06", "sample_ratio", advice="Look at the days."))
    fill("experiment_check", check("06", "exclusions", is_pass=False, advice="Look at the names."))
    assert read("experiment_check", "check_name", "verdict", "advice") == [
        ("exclusions", "hold", "Look at the names."),
        ("maturity", "pass", ""),
        ("sample_ratio", "warn", "Look at the days."),
    ]
