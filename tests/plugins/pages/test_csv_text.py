"""CSV holds whatever rows hold, and nothing in it is taken for a formula."""

import csv

import pytest

from pages.csv_text import write_rows


def test_rows_are_written_in_the_order_of_the_columns_whatever_they_hold() -> None:
    hostile = 'a "quoted", name\nof two lines'
    text = write_rows(["b", "a", "c"], [{"a": hostile, "b": 0, "other": 1}])
    assert list(csv.reader(text.splitlines(keepends=True))) == [["b", "a", "c"], ["0", hostile, ""]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx"])
def test_a_text_that_looks_like_a_formula_stays_text_and_a_number_a_number(text: str) -> None:
    assert write_rows(["a", "b"], [{"a": text, "b": -1.5}]).splitlines()[1] == f"'{text},-1.5"
