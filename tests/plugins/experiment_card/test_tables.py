"""CSV has the columns that it promises, and nothing in it is taken for a formula."""

import csv

import pytest

from experiment_card.tables import write_csv


def test_rows_are_written_in_the_order_of_the_columns_whatever_they_hold() -> None:
    hostile = 'a "quoted", name\nof two lines'
    text = write_csv("lifts", [{"variant": hostile, "partition_key": "01", "lift_ratio": -0.5, "other": 1}])
    header, row = csv.reader(text.splitlines(keepends=True))
    assert row == ["01", hostile, "", "-0.5", "", ""]
    assert header[:2] == ["partition_key", "variant"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx"])
def test_a_text_that_looks_like_a_formula_stays_text(text: str) -> None:
    assert write_csv("exclusions", [{"variant": text}]).splitlines()[1] == f",'{text},,,"


def test_there_is_no_table_of_another_name() -> None:
    with pytest.raises(KeyError):
        write_csv("people", [])
