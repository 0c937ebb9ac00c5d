"""What is guessed of a log as a whole."""

import pytest

from scripts.problem_files.columns import profile_fields
from scripts.problem_files.guesses import guess_features, guess_key, guess_labels, guess_range, guess_time

DAYS = [f"2024-01-{day:02d}T10:00:00Z" for day in range(1, 29)]


def profiles(**columns):
    n = max(map(len, columns.values()))
    records = [{name: values[i % len(values)] for name, values in columns.items()} for i in range(n)]
    return profile_fields(records)[0]


def test_what_began_goes_before_what_ended():
    found = guess_time(profiles(closed_at=DAYS, created_at=DAYS, n=[1, 2]), "a.csv")
    assert (found.column, found.rule, found.grain, found.others) == ("created_at", "created_at", "day", ("closed_at",))


@pytest.mark.parametrize(
    ("name", "rule", "grain"),
    [
        ("sales_2024-01-05.csv", '{from: name, pattern: "sales_%Y-%m-%d"}', "day"),
        ("biopsies_2026-01.csv.gz", '{from: name, pattern: "biopsies_%Y-%m"}', "month"),
        ("20240105.csv", '{from: name, pattern: "%Y%m%d"}', "day"),
        ("export7.csv", "{from: object}", "day"),
        ("order-20249999.csv", "{from: object}", "day"),
    ],
)
def test_without_a_column_the_name_or_the_arrival_says_when(name, rule, grain):
    found = guess_time(profiles(n=[1, 2, 3]), name)
    assert (found.column, found.rule, found.grain) == (None, rule, grain)


def test_a_day_and_its_hour_are_put_together():
    found = guess_time(profiles(dteday=["2011-01-01", "2011-01-02"], hr=[0, 23, 5]), "hour.csv")
    assert found.rule == '{sql: "dteday + hr * INTERVAL 1 hour"}'


def test_a_key_differs_in_each_record_and_is_called_so():
    ids = [f"e-{i}" for i in range(28)]
    assert key_of(amount=list(range(28)), event_id=ids, at=DAYS) == ("event_id",)
    assert key_of(amount=list(range(28)), at=DAYS) == ("_object", "_line")
    assert key_of(shop_id=[1, 2], at=DAYS) == ("shop_id", "at")
    assert key_of(user_mail=[f"a{i}@example.org" for i in range(28)], at=DAYS) == ("_object", "_line")
    assert key_of(event_id=[*ids[:-1], ids[0]], at=["x"]) == ("_object", "_line")


def key_of(**columns):
    found = profiles(**columns)
    return guess_key(found, guess_time(found, "a.csv")).columns


def test_labels_of_each_kind_are_found_and_the_rarer_class_is_looked_for():
    found = profiles(churned=["no"] * 5 + ["yes"], species=["a", "b", "c"], total=[i * 1.5 for i in range(40)], at=DAYS)
    time = guess_time(found, "a.csv")
    labels = {label.column: label for label in guess_labels(found, guess_key(found, time), time)}
    assert {name: label.kind for name, label in labels.items()} == {
        "churned": "two_classes",
        "species": "several_classes",
        "total": "quantity",
    }
    assert labels["churned"].classes == ("yes", "no")


def test_what_tells_rows_or_people_apart_is_no_feature():
    found = profiles(
        user_id=list(range(60)),
        same=["x"],
        size=list(range(60)),
        shop=["a", "b"],
        free=[f"word {i} and some more" for i in range(60)],
        note=[f"n{i}" for i in range(60)],
        late=["no", "yes"],
    )
    assert guess_features(found, ["late"]) == {"numeric": ["size"], "categorical": ["shop"], "text": ["free"]}


@pytest.mark.parametrize(
    ("values", "low", "high"), [([0.1, 0.9], 0, 1.3), ([-10, 10], -20, 20), ([5], 2, 8), ([1000, 3000], 0, 4000)]
)
def test_a_range_holds_what_was_seen_and_half_as_much_again(values, low, high):
    (found,) = profiles(x=values)
    assert guess_range(found) == (low, high)


@pytest.mark.parametrize(
    ("moments", "grain"),
    [
        (["2024-01-05"], "month"),
        (["2024-01-05", "2024-01-06"], "day"),
        (["2024-01-05T10:00:00", "2024-01-05T11:00:00"], "hour"),
        (["2024-01-05T10:00:00", "2024-01-15T11:00:00"], "day"),
        (["2024-01-05", "2025-01-05"], "month"),
    ],
)
def test_partitions_are_some_and_days_are_not_cut_into_hours(moments, grain):
    assert guess_time(profiles(at=moments), "a.csv").grain == grain
