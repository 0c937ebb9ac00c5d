COLUMNS = ("n_rows", "n_listed", "n_already_listed", "n_held_back", "n_left_out", "causes")


def count(reason, n_rows, key="2026-06-01"):
    return {"partition_key": key, "log": "mailing.audience", "reason": reason, "n_rows": n_rows}


def test_the_parts_of_an_audience_sum_to_its_rows(fill, read):
    fill("send_count", count("listed", 5), count("already_listed", 2), count("unit_held_back", 3))
    fill("send_count", count("unit_in_holdout", 1), count("unit_missing", 4), count("unit_too_long", 1))
    (row,) = read("audience_count", *COLUMNS)
    assert row == (16, 5, 2, 4, 5, "unit_held_back 3, unit_in_holdout 1, unit_missing 4, unit_too_long 1")
    assert row[0] == sum(row[1:5])


def test_an_audience_that_was_listed_whole_has_no_cause(fill, read):
    fill("send_count", count("listed", 5))
    assert read("audience_count", *COLUMNS) == [(5, 5, 0, 0, 0, None)]
