import pytest

EXPECT = "quality.expectations.0"

BROKEN = [
    (f"{EXPECT}.severity", "fatal", f"field {EXPECT}.severity: Input should be 'stop' or 'warn' (it holds 'fatal')"),
    (f"{EXPECT}.expect", "ExpectUnique", f"field {EXPECT}.expect: unknown expectation 'ExpectUnique'"),
    (f"{EXPECT}.expect", "ExpectColumnValuesToBeUniq", "did you mean 'ExpectColumnValuesToBeUnique'?"),
    (f"{EXPECT}.column", "REMOVE", f"field {EXPECT}.column: ExpectColumnValuesToBeUnique is about a column; name one"),
    (f"{EXPECT}.arguments", {"most": 1}, f"field {EXPECT}.arguments.most: ExpectColumnValuesToBeUnique takes no arg"),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_one_broken_field_is_named_with_its_remedy(refusal_of, place, value, line):
    assert line in refusal_of(place, value)


ROWS = {"expect": "ExpectColumnValuesToBeBetween", "column": "distance_miles", "arguments": {"min_value": 0}}


def test_rows_go_to_quarantine_only_where_the_file_says_so(read):
    suite = {"expectations": [ROWS | {"severity": "stop"}, ROWS | {"severity": "stop", "rows": "quarantine"}]}
    quality = read(quality=suite).quality
    assert [one.rows for one in quality.expectations] == ["refuse", "quarantine"]
    assert quality.quarantine_at_most == 0.1


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"severity": "warn"}, "write severity: stop, or remove rows"),
        ({"arguments": {"min_value": 0, "mostly": 0.9}}, "quality.expectations.0.arguments.mostly: rows: quarantine"),
        ({"expect": "ExpectColumnMeanToBeBetween"}, "cannot name its rows; remove rows: quarantine"),
    ],
)
def test_rows_cannot_go_to_quarantine_where_nobody_can_name_them(refusal_of, change, line):
    suite = {"expectations": [ROWS | {"severity": "stop", "rows": "quarantine"} | change]}
    assert line in refusal_of("", None, quality=suite)


@pytest.mark.parametrize("share", [0.0, -0.1, 0.51, True])
def test_a_share_that_would_quarantine_nothing_or_most_is_refused(refusal_of, share):
    assert "field quality.quarantine_at_most" in refusal_of("quality.quarantine_at_most", share)


def test_a_suite_without_expectations_is_refused(refusal_of):
    assert "field quality.expectations: List should have at least 1 item" in refusal_of("quality.expectations", [])
