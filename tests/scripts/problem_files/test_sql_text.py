"""Columns and values as SQL, words that SQL keeps for itself included."""

import duckdb
import pytest

from scripts.problem_files.columns import profile_fields
from scripts.problem_files.sql_text import literal, quote, reserved_words


def profile_of(value):
    return profile_fields([{"a": value}, {"a": value}])[0][0]


def test_a_word_of_sql_stands_in_quotes_and_another_name_does_not():
    assert (quote("order"), quote("price")) == ('"order"', "price")
    assert {"select", "order", "from"} <= reserved_words()


@pytest.mark.parametrize(("value", "text"), [("it's", "it's"), (7, "7"), (True, "true")])
def test_a_value_is_read_back_as_it_stands(value, text):
    said = literal(profile_of(value), text)
    assert duckdb.execute(f"SELECT {said}").fetchone() == (value,)
