"""What is guessed of a field, by the values that it holds."""

import pytest

from scripts.problem_files.columns import name_columns, profile_fields, to_name


def profile(values, name="x"):
    ((found,), _) = profile_fields([{name: value} for value in values])
    return found


@pytest.mark.parametrize(
    ("values", "kind", "form"),
    [
        (["1", "-2", "30"], "integer", None),
        (["1", "2.5", "1e3"], "number", None),
        (["1.0", "nan"], "number", None),
        (["007", "123"], "string", None),
        (["1,5", "2,25"], "string", None),
        (["true", "FALSE"], "boolean", None),
        ([True, False], "boolean", None),
        (["2024-01-05", "2024-02-01T10:00:00Z"], "timestamp", None),
        (["31/01/2024 10:30", "01/02/2024 11:00"], "timestamp", "%d/%m/%Y %H:%M"),
        (["01/31/2024", "02/01/2024"], "timestamp", "%m/%d/%Y"),
        (["31.01.2024", "01.02.2024"], "timestamp", "%d.%m.%Y"),
        (["9" * 25], "string", None),
        (["a", "1"], "string", None),
        ([[1], [2]], "json", None),
        ([{"a": 1}, "b"], "json", None),
        ([None, ""], "string", None),
    ],
)
def test_the_narrowest_type_that_all_values_have_is_taken(values, kind, form):
    found = profile(values)
    assert (found.type, found.format) == (kind, form)


@pytest.mark.parametrize(
    ("name", "number", "form"),
    [
        ("created_at", 1_700_000_000, "epoch_seconds"),
        ("ts", 1_700_000_000_000, "epoch_milliseconds"),
        ("event_time", 1_700_000_000_000_000, "epoch_microseconds"),
        ("amount", 1_700_000_000, None),
        ("ts", 12, None),
    ],
)
def test_numbers_are_times_only_where_the_name_says_so_too(name, number, form):
    assert profile([number, number + 1], name).format == form


@pytest.mark.parametrize(
    ("values", "missing", "kind"),
    [
        (["1", "?", "3"], ("?",), "integer"),
        (["a", "NA", "b"], ("NA",), "string"),
        (["a", "-", "b"], (), "string"),
        (["1", "-", "2"], ("-",), "integer"),
        ([-9, -8, 1, 2, 3], (-9, -8), "integer"),
        ([-9, -8, -1, -2], (), "integer"),
        ([9999, 9999, 1, 12], (9999,), "integer"),
        ([999, 999, 800], (), "integer"),
    ],
)
def test_codes_for_nobody_knows_are_told_from_values(values, missing, kind):
    found = profile(values)
    assert (found.missing, found.type) == (missing, kind)
    assert len(found.values) == sum(value not in missing for value in values)
    assert bool(found.notes) == bool(missing)


@pytest.mark.parametrize(
    ("name", "values", "pii"),
    [
        ("x", ["kim@example.org", "lee@example.org"], "contact"),
        ("Phone", ["1", "b"], "contact"),
        ("x", ["203.0.113.7", "2001:db8::1"], "identifier"),
        ("CustomerID", ["17001", "17002"], "identifier"),
        ("user_agent", ["curl", "wget"], "none"),
        ("note", ["call me back at noon", "never heard of it again"], "free_text"),
        ("code", ["a b c d e"] * 9, "none"),
        ("amount", ["1", "2"], "none"),
    ],
)
def test_what_names_a_person_gets_a_class_and_says_why(name, values, pii):
    found = profile(values, name)
    assert found.pii == pii
    assert bool(found.notes) == (pii != "none")


def test_nested_fields_are_found_by_their_path_and_mixed_ones_kept_whole():
    found, n_left_out = profile_fields([{"a": {"b": 1, "c.d": "x"}, "m": 1}, {"a": {"b": 2}, "m": {"n": 2}}])
    assert {one.name: (one.path, one.type) for one in found} == {
        "a_b": (("a", "b"), "integer"),
        "a_c_d": (("a", "c.d"), "string"),
        "m": (("m",), "json"),
    }
    assert n_left_out == 0


def test_five_hundred_fields_are_cut_and_counted():
    found, n_left_out = profile_fields([{f"f{i}": i for i in range(500)}])
    assert (len(found), n_left_out) == (200, 300)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("LIMIT_BAL", "limit_bal"),
        ("default.payment.next.month", "default_payment_next_month"),
        ("MaritalStatus", "marital_status"),
        ("HTTPStatus", "http_status"),
        ("mean radius", "mean_radius"),
        ("glücklich", "glucklich"),
        ("150", "c_150"),
        ("이름", ""),
        ("x" * 60, "x" * 48),
    ],
)
def test_any_field_gets_a_name_of_small_letters(text, name):
    assert to_name(text) == name


def test_no_two_columns_share_a_name_and_none_has_a_reserved_one():
    names = name_columns([("A",), ("a",), ("a.",), ("이름",), ("event_time",)])
    assert list(names.values()) == ["a", "a_2", "a_3", "column_4", "event_time_as_logged"]
