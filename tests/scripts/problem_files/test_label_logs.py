"""Whether another log holds the labels, told by keys and times of two samples."""

from datetime import UTC, datetime, timedelta

from scripts.problem_files.columns import profile_fields
from scripts.problem_files.guesses import Time, guess_key
from scripts.problem_files.label_logs import guess_label_log

START = datetime(2024, 1, 1, tzinfo=UTC)
BY_AT = Time("at", "at", "day", "")


def held(rows):
    return profile_fields(rows)[0], BY_AT


def rows_at(days, keys, name="order_id"):
    return [{name: key, "at": (START + timedelta(days=day)).isoformat()} for day, key in zip(days, keys, strict=True)]


def guess(own, other, wanted=None):
    mine = held(own)
    return guess_label_log(mine, guess_key(*mine), {"other": held(other)}, wanted)


ORDERS = rows_at(range(40), [f"o{i}" for i in range(40)])


def test_the_period_holds_95_of_100_waits_of_a_known_hand():
    # 20 labels: nineteen after 1..19 days, one after 90.
    keys = [f"o{i}" for i in range(20)]
    waits = [*range(1, 20), 90]
    found = guess(ORDERS, rows_at([i + wait for i, wait in enumerate(waits)], keys))
    assert (found.name, found.on, found.within_days) == ("other", {}, 23)  # the quantile lies at 22.55 days
    assert found.why == "95 of 100 in the sample came within 22.6 days"


def test_whole_numbers_of_another_name_are_not_taken_for_keys():
    own = [{"id": i, "at": (START + timedelta(days=i)).isoformat()} for i in range(40)]
    other = [{"n": i, "at": (START + timedelta(days=i + 1)).isoformat()} for i in range(20)]
    assert guess(own, other) is None
    assert guess(own, [{"id": row["n"], "at": row["at"]} for row in other]).on == {}


def test_keys_of_which_few_name_a_row_are_none():
    mostly_strange = [f"x{i}" for i in range(15)] + ["o1", "o2"]
    assert guess(ORDERS, rows_at(range(30, 47), mostly_strange)) is None


def test_a_log_without_times_is_no_label_unless_it_is_named():
    timeless = [{"order_id": f"o{i}"} for i in range(20)]
    assert guess(ORDERS, timeless) is None
    assert guess(ORDERS, timeless, wanted="other").within_days == 30
    assert guess(ORDERS, timeless, wanted="another") is None
